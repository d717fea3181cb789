/**
 * The folder of an account's trading, and which bundle trades in it. A journal belongs to one bundle and one policy of
 * care: a position keeps the exits that it was opened with. What was promoted meanwhile waits until the account is flat.
 *
 *   trading/live/ACCOUNT/journal.db            the journal under way
 *   trading/live/ACCOUNT/journal-<when>-<bundle>.db  those before it
 *   trading/live/ACCOUNT/tick-sizes.json       what the broker says of the contracts
 *   trading/live/ACCOUNT/trades.csv, decisions.jsonl, runner.log
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { firstDifference } from '#env/same-bits.js';
import { makeFolder } from '#src/config/make-folder.js';
import { shortId, type Bundle } from '#src/registry/bundle.js';
import type { Registry } from '#src/registry/registry.js';
import type { TraderConfig } from '../core/config.js';
import type { Trader } from '../core/trader.js';
import { JOURNAL_FILE } from './account-folder.js';
import { traderConfigOf, type DeploymentOptions } from './bundle-trader.js';
import { Journal } from './journal.js';
import { traderOf } from './replay-journal.js';

export interface Deployment {
  readonly folder: string;
  readonly bundle: Bundle;
  readonly config: TraderConfig;
  /** Open, to be closed by whoever trades by it. */
  readonly journal: Journal;
  /** Why what was asked for waits; null: it is what trades. */
  readonly waiting: string | null;
}

/** Nothing held, nothing on its way, and no halt that a new journal would forget. */
export function isIdle(trader: Trader): boolean {
  return (
    trader.halt === null &&
    trader.symbols.every(({ position, orders, inDoubt }) => position === 0 && !inDoubt && orders.live().length === 0)
  );
}

/** Goes on with the folder's journal, or begins one with what is wanted. Throws LIVE_JOURNAL, BUNDLE_ and REGISTRY errors. */
export function takeUp(options: {
  readonly folder: string;
  readonly registry: Registry;
  readonly wanted: Bundle;
  readonly settings: DeploymentOptions;
  readonly nowMs: number;
  /** Told of a journal that is there, before it goes on or is put by. */
  readonly onFound?: (journal: Journal) => void;
}): Deployment {
  const { folder, registry, wanted, settings, nowMs } = options;
  makeFolder(folder);
  const file = path.join(folder, JOURNAL_FILE);
  const config = traderConfigOf(wanted, settings);
  const begin = (orderIdMark: number): Deployment => ({
    folder,
    bundle: wanted,
    config,
    journal: Journal.open(file, { bundle: wanted.sha256, orderIdMark }),
    waiting: null,
  });
  if (!existsSync(file)) return begin(1);
  const journal = Journal.open(file);
  const mark = journal.orderIdMark;
  options.onFound?.(journal);
  if (journal.length === 0) {
    archive(journal, folder, nowMs);
    return begin(mark);
  }
  const trader = traderOf(journal);
  const change = changeBetween(journal.bundle, trader.config, wanted, config);
  if (change === null) return { folder, bundle: wanted, config, journal, waiting: null };
  if (isIdle(trader)) {
    archive(journal, folder, nowMs);
    return begin(mark);
  }
  const bundle = journal.bundle === wanted.sha256 ? wanted : registry.load(journal.bundle ?? 'unknown');
  const why = trader.halt === null ? 'the account is not flat' : `trading is ${trader.halt.level}`;
  return { folder, bundle, config: trader.config, journal, waiting: `${change} waits: ${why}` };
}

/** Closes a journal and puts it by; its name says when and whose. */
function archive(journal: Journal, folder: string, nowMs: number): void {
  const stamp = new Date(nowMs).toISOString().replace(/[-:.]/g, '');
  const name = `journal-${stamp}-${journal.bundle === null ? 'unknown' : shortId(journal.bundle)}.db`;
  journal.archive(path.join(folder, name));
}

/** What differs between a journal and what is wanted, in words; null: nothing that matters. */
function changeBetween(
  journalBundle: string | null,
  found: TraderConfig,
  { sha256 }: Bundle,
  wanted: TraderConfig,
): string | null {
  if (journalBundle !== sha256) return `bundle ${shortId(sha256)}`;
  const difference = firstDifference(plain(found), plain(wanted));
  return difference === null ? null : 'another policy';
}

const plain = (config: TraderConfig): unknown => JSON.parse(JSON.stringify(config));
