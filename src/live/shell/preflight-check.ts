/** A check of the pre-flight, and what it is asked about. */
import type { TraderConfig } from '../core/config.js';
import type { Bundle } from '#src/registry/bundle.js';
import type { AliasChange } from '#src/registry/registry.js';
import type { TradingKind } from './account-folder.js';
import type { BrokerLine } from './broker-line.js';
import type { PromotionStatus } from './promotion-text.js';

export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failure';
  readonly value: string;
  /** Empty where nothing is wrong. */
  readonly why: string;
  readonly remedy: string;
}

export interface PreflightOptions {
  readonly kind: TradingKind;
  readonly line: BrokerLine;
  readonly account: string;
  readonly bundle: Bundle;
  /** By which the alias live came to it. */
  readonly liveChange: AliasChange | null;
  readonly promotion: PromotionStatus;
  readonly config: TraderConfig;
  readonly folder: string;
  /** The gateway replays the past: its clock is its own. */
  readonly simulated: boolean;
  readonly nowMs: number;
}

export const ok = (name: string, value: string): Check => ({ name, status: 'ok', value, why: '', remedy: '' });

export function verdict(
  name: string,
  value: string,
  why: string,
  remedy: string,
  status: 'failure' | 'warning' = 'failure',
): Check {
  return why === '' ? ok(name, value) : { name, status, value, why, remedy };
}
