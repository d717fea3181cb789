/** Has the policy collapsed? A policy that always does the same has learned nothing worth a Sharpe ratio. */
import { log } from '#env/math/index.js';

export interface ActionSummary {
  /** Names of the actions, or of the bins of a target position. */
  readonly labels: readonly string[];
  /** Share of decisions, by label. */
  readonly shares: readonly number[];
  /** Entropy of the shares / its maximum: 0 one action only, 1 all equally often. */
  readonly entropy: number;
}

export interface Alarm {
  readonly code:
    | 'one-action'
    | 'never-trades'
    | 'always-in-position'
    | 'constant-target'
    | 'other-interval'
    | 'sparse-bars';
  /** warning: the figures mean little. note: worth a look. */
  readonly level: 'warning' | 'note';
  /** One plain sentence. */
  readonly message: string;
}

/** A single action's share above which the alarm sounds. */
export const COLLAPSE_SHARE = 0.95;
/** To hold is how a position is kept, so that trading agents hold most of the time: up to here it is but a note. */
const HOLD_SHARE = 0.995;
const ALWAYS = 0.99;

const DISCRETE_LABELS: readonly string[] = ['hold', 'buy', 'sell'];
const TARGET_BINS = 9;

/** Shares of the discrete actions 0 hold, 1 buy, 2 sell. `actions` (T) */
export function summariseDiscrete(actions: Float64Array): ActionSummary {
  const counts = DISCRETE_LABELS.map(() => 0);
  for (const action of actions) counts[action] += 1;
  return summary(DISCRETE_LABELS, counts, actions.length);
}

/** Shares of target positions in nine equal bins of [-1, 1]. `targets` (T) */
export function summariseTargets(targets: Float64Array): ActionSummary {
  const counts = Array.from({ length: TARGET_BINS }, () => 0);
  const labels = counts.map((_, bin) => (-1 + (2 * bin + 1) / TARGET_BINS).toFixed(2));
  for (const target of targets) {
    const bin = Math.floor(((target + 1) / 2) * TARGET_BINS);
    counts[Math.min(Math.max(bin, 0), TARGET_BINS - 1)] += 1;
  }
  return summary(labels, counts, targets.length);
}

function summary(labels: readonly string[], counts: readonly number[], total: number): ActionSummary {
  const shares = counts.map((count) => (total > 0 ? count / total : 0));
  let entropy = 0;
  for (const share of shares) if (share > 0) entropy -= share * log(share);
  return { labels, shares, entropy: entropy / log(labels.length) };
}

/**
 * The alarms, none for a policy that acts. An alarm asks for a look; it does not condemn.
 *
 * @param exposure share of bars that end with a position
 */
export function actionAlarms(
  actions: ActionSummary,
  kind: 'discrete' | 'target',
  trades: number,
  exposure: number,
): Alarm[] {
  const alarms: Alarm[] = [];
  const most = Math.max(...actions.shares);
  const label = actions.labels[actions.shares.indexOf(most)];
  if (most > COLLAPSE_SHARE && kind === 'target') {
    const message = `${percent(most)} of the targets lie near ${label}: the policy may have collapsed to one position.`;
    alarms.push({ code: 'constant-target', level: 'warning', message });
  } else if (most > COLLAPSE_SHARE) {
    const trading = label === 'hold' && trades > 0 && most <= HOLD_SHARE;
    const message = trading
      ? `${percent(most)} of the decisions are "hold", between ${trades} trades.`
      : `${percent(most)} of the decisions are "${label}": the policy may have collapsed to one action.`;
    alarms.push({ code: 'one-action', level: trading ? 'note' : 'warning', message });
  }
  if (trades === 0) {
    const message = 'The agent never traded: its result is that of holding cash.';
    alarms.push({ code: 'never-trades', level: 'warning', message });
  } else if (exposure > ALWAYS) {
    const message = `The agent is in a position at ${percent(exposure)} of the bars: its result is mostly that of the market.`;
    alarms.push({ code: 'always-in-position', level: 'warning', message });
  }
  return alarms;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
