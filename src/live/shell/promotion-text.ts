/** By what right a bundle trades, as a runner tells it, and in words. */
export interface PromotionStatus {
  /** null: the bundle was named itself, or the alias has moved on since. */
  readonly alias: string | null;
  /** UTC, ISO 8601; null: it was never promoted. */
  readonly at: string | null;
  readonly action: string | null;
  readonly reason: string | null;
  /** The account that it was confirmed for; null: none was asked for. */
  readonly account: string | null;
  /** Of the last report; null: no gate was asked. */
  readonly gates: {
    readonly to: string;
    readonly passed: number;
    readonly asked: number;
    readonly notPassed: readonly string[];
  } | null;
  /** Why gates were passed over for this bundle, to whichever alias; empty: never. */
  readonly forced: readonly string[];
}

/** "live since 2026-11-27T09:12:00Z for U1234567 (a better Sharpe); 12 of 12 gates passed" */
export function promotionLines(status: PromotionStatus): string[] {
  const { alias, at, action, reason, account, gates, forced } = status;
  const since =
    at === null
      ? 'never promoted: named itself'
      : `${alias === null ? 'promoted' : `${alias} ${action === 'rollback' ? 'again by rollback' : 'by promotion'}`} ${at}${account === null ? '' : ` for ${account}`}${reason === null || reason === '' ? '' : ` (${reason})`}`;
  const judged =
    gates === null
      ? 'no gates were asked'
      : `${gates.passed} of ${gates.asked} gates for ${gates.to} passed${gates.notPassed.length === 0 ? '' : `, not ${gates.notPassed.join(', ')}`}`;
  return [`${since}; ${judged}`, ...forced.map((why) => `FORCED, gates were passed over: ${why}`)];
}
