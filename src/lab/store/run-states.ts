/** What a run may be, and what a list of them goes by. A leaf, for the command's options. */

/**
 * `stopped`: by the sweep, whose early stopping found others better. `dead`: run.json says running, and nobody is: it
 * was killed, and can be resumed. The last four are no runs that this version reads.
 */
export const RUN_STATES = [
  'running',
  'completed',
  'interrupted',
  'stopped',
  'failed',
  'dead',
  'half-written',
  'newer',
  'damaged',
  'foreign',
] as const;
export type RunState = (typeof RUN_STATES)[number];

export const SORT_KEYS = ['started', 'experiment', 'state', 'seed', 'timesteps', 'score', 'sharpe', 'return'] as const;
export type SortKey = (typeof SORT_KEYS)[number];
