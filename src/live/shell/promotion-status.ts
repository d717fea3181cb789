/** By what right a bundle trades: the change that made it so, its gates, and whether any were passed over, ever. */
import { shortId, type Bundle } from '#src/registry/bundle.js';
import { gateReportSchema, type GateReport } from '#src/registry/gates.js';
import type { AliasChange, Registry } from '#src/registry/registry.js';
import { ALIASES } from '#src/registry/aliases.js';
import type { PromotionStatus } from './promotion-text.js';

/** Of the bundle that `reference` named when it began to trade. Throws REGISTRY where the history has been altered. */
export function promotionStatus(registry: Registry, reference: string | null, bundle: Bundle): PromotionStatus {
  const changes = registry.history().filter(({ to }) => to === bundle.sha256);
  const alias = ALIASES.find((name) => name === reference) ?? null;
  const change = changes.findLast((one) => alias === null || one.alias === alias) ?? null;
  const born = bundle.manifest.gates;
  // a rollback rests on the promotion that it returns to
  const last = changes.map(reportOf).findLast((report) => report !== null && report.to === change?.alias);
  const report = last ?? born;
  const reasons = [
    ...[born?.force_reason ?? null].filter((why) => why !== null),
    ...changes.filter(({ forced }) => forced).map((one) => reportOf(one)?.force_reason ?? one.reason),
  ];
  return {
    alias,
    at: change?.at ?? null,
    action: change?.action ?? null,
    reason: change?.reason ?? null,
    account: change?.account ?? null,
    gates: report === null || report === undefined ? null : summary(report),
    forced: [...new Set(reasons)],
  };
}

function reportOf({ evidence }: AliasChange): GateReport | null {
  const parsed = gateReportSchema.safeParse(evidence);
  return parsed.success ? parsed.data : null;
}

function summary({ to, outcomes }: GateReport): NonNullable<PromotionStatus['gates']> {
  const asked = outcomes.filter(({ advisory }) => !advisory);
  const notPassed = asked.filter(({ verdict }) => verdict !== 'pass').map(({ gate }) => gate);
  return { to, asked: asked.length, passed: asked.length - notPassed.length, notPassed };
}

export interface AliasVerdict {
  readonly value: string;
  /** Empty where nothing is wrong. */
  readonly why: string;
  readonly remedy: string;
}

/** Whether the alias `live` was moved for this account: its money follows nothing that was confirmed for another. */
export function liveVerdict(change: AliasChange | null, bundle: Bundle, account: string): AliasVerdict {
  const again = `openbell promote ${shortId(bundle.sha256)} --to live --confirm=${account}`;
  if (change === null || change.to !== bundle.sha256)
    return { value: 'none', why: 'the history does not say how live came to this bundle', remedy: again };
  if (change.account === null)
    return {
      value: `${change.at}, no account`,
      why: 'live was moved without naming whose money would follow',
      remedy: `an earlier version did so: ${again}`,
    };
  return {
    value: `${change.at} for ${change.account}`,
    why: change.account === account ? '' : `live was confirmed for ${change.account}, not for ${account}`,
    remedy: `trade that account, or confirm this one: ${again}`,
  };
}
