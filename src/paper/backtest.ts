/** What the same bundle, or a baseline, does on the same bars in the environment that it was trained in. */
import type { Bars } from '#env/market/bars.js';
import type { MarketConfig } from '#env/market/config.js';
import { MarketEnv } from '#env/market/market-env.js';
import type { Fill } from '#env/market/recorder.js';
import type { EquityPath } from '#src/stats/equity-path.js';
import type { Bundle } from '#src/registry/bundle.js';

export interface Tested {
  /** By the stamp of the bar at whose close it was made. */
  readonly decisions: ReadonlyMap<number, { readonly observation: Float32Array; readonly action: number }>;
  readonly fills: readonly Fill[];
  /** At the end, the position that is still held left out. */
  readonly cash: number;
  /** Bar by bar from the one after the first decision. */
  readonly path: EquityPath;
}

export interface BacktestOptions {
  readonly bundle: Bundle;
  /** In one segment; the first bar is the observation's anchor. */
  readonly bars: Bars;
  /** Stamp of the bar at whose close the first decision is made. */
  readonly firstDecisionMs: number;
  /** Of this symbol's sleeve, in currency. */
  readonly equity: number;
  readonly market?: Partial<MarketConfig>;
  /** Returns the action. */
  readonly choose: (observation: Float32Array, mask: Uint8Array | null) => number;
}

/** The bars behind the first decision; null where none, or fewer than a decision and a fill, are there. */
export function backtest(options: BacktestOptions): Tested | null {
  const { bundle, bars, firstDecisionMs, equity, choose } = options;
  const start = bars.openTimeMs.indexOf(firstDecisionMs);
  if (start < 0 || bars.length - start < 2) return null;
  const fills: Fill[] = [];
  const rows = bars.length - start - 1;
  const path: EquityPath = {
    initialEquity: equity,
    timeMs: bars.openTimeMs.slice(start + 1),
    equity: new Float64Array(rows).fill(equity),
    exposure: new Float64Array(rows),
    costs: new Float64Array(rows),
  };
  let seen = 0;
  const env = new MarketEnv({
    windows: [{ bars, segment: bars.segments[0], start, end: bars.length }],
    config: { ...bundle.manifest.market, ...options.market, initial_equity: equity, sleeves: 'equal' },
    featureSet: bundle.manifest.observation.feature_set,
    numEnvs: 1,
    seed: 0,
    mode: 'evaluate',
    recorder: {
      onFill: (fill) => fills.push(fill),
      onBar: ({ barIndex, ...record }) => {
        const row = barIndex - start - 1;
        path.equity[row] = record.equity;
        path.exposure[row] = record.exposure;
        path.costs[row] = record.costs;
        seen = row + 1;
      },
    },
  });
  env.reset();
  const discrete = env.singleActionSpace.kind === 'discrete';
  const decisions = new Map<number, { observation: Float32Array; action: number }>();
  for (let t = start; env.done[0] === 0; t++) {
    const action = choose(env.observations, env.actionMasks);
    decisions.set(bars.openTimeMs[t], { observation: env.observations.slice(), action });
    env.step(discrete ? Int32Array.of(action) : Float32Array.of(action));
  }
  env.close();
  const ending = seen === 0 ? equity : path.equity[seen - 1];
  // an account that is ruined stays as it is
  path.equity.fill(ending, seen);
  // the environment closes at the last close what live still holds
  const atEnd = fills.find(({ reason }) => reason === 'end-of-data');
  return {
    decisions,
    fills: fills.filter(({ reason }) => reason !== 'end-of-data'),
    cash: atEnd === undefined ? ending : ending + atEnd.quantity * atEnd.price + atEnd.commission,
    path,
  };
}
