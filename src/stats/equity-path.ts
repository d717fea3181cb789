/** What an account lived through, bar by bar, and the sum of several accounts. */

/** Columns of one account, or of a portfolio. Row t is bar t's close; all columns have the same length T. */
export interface EquityPath {
  /** In currency, before the first row. */
  readonly initialEquity: number;
  /** (T) opens of the bars, epoch milliseconds. */
  readonly timeMs: Float64Array;
  /** (T) marked to market at the close, in currency. */
  readonly equity: Float64Array;
  /** (T) signed position value / equity at the close. */
  readonly exposure: Float64Array;
  /** (T) costs charged in the bar: commission, fees, spread, slippage, borrow; in currency. */
  readonly costs: Float64Array;
}

/** (T) simple returns bar by bar, the first against the initial equity; 0 once the equity is gone. */
export function simpleReturns(path: EquityPath): Float64Array {
  const returns = new Float64Array(path.equity.length);
  let previous = path.initialEquity;
  for (let t = 0; t < returns.length; t++) {
    const equity = path.equity[t];
    returns[t] = previous > 0 ? equity / previous - 1 : 0;
    previous = equity;
  }
  return returns;
}

/** One after another: the second starts from where the first ended. Stamps must ascend. */
export function concatenate(paths: readonly EquityPath[]): EquityPath {
  if (paths.length === 1) return paths[0];
  const length = paths.reduce((sum, path) => sum + path.equity.length, 0);
  const joined = emptyPath(paths[0].initialEquity, length);
  let at = 0;
  for (const path of paths) {
    joined.timeMs.set(path.timeMs, at);
    joined.equity.set(path.equity, at);
    joined.exposure.set(path.exposure, at);
    joined.costs.set(path.costs, at);
    at += path.equity.length;
  }
  return joined;
}

/**
 * The portfolio: sleeves summed on the union of their stamps. Between its own bars a sleeve keeps its last equity
 * and exposure; before its first bar it is cash.
 */
export function sumSleeves(sleeves: readonly EquityPath[]): EquityPath {
  if (sleeves.length === 1) return sleeves[0];
  const stamps = new Set<number>();
  for (const sleeve of sleeves) for (const time of sleeve.timeMs) stamps.add(time);
  const timeMs = Float64Array.from(stamps).sort();
  const initialEquity = sleeves.reduce((sum, sleeve) => sum + sleeve.initialEquity, 0);
  const total = emptyPath(initialEquity, timeMs.length);
  total.timeMs.set(timeMs);
  for (const sleeve of sleeves) {
    let next = 0;
    let equity = sleeve.initialEquity;
    let held = 0;
    for (let t = 0; t < timeMs.length; t++) {
      if (next < sleeve.timeMs.length && sleeve.timeMs[next] === timeMs[t]) {
        equity = sleeve.equity[next];
        held = sleeve.exposure[next] * equity;
        total.costs[t] += sleeve.costs[next];
        next += 1;
      }
      total.equity[t] += equity;
      // position value for now: divided by the portfolio's equity below
      total.exposure[t] += held;
    }
  }
  for (let t = 0; t < timeMs.length; t++) {
    total.exposure[t] = total.equity[t] > 0 ? total.exposure[t] / total.equity[t] : 0;
  }
  return total;
}

/** (T) equity at each of the stamps: between its own bars the last one, before them the initial equity. */
export function onStamps({ initialEquity, timeMs, equity }: EquityPath, stamps: Float64Array): Float64Array {
  let next = 0;
  return stamps.map((stamp) => {
    while (next < timeMs.length && timeMs[next] <= stamp) next += 1;
    return next > 0 ? equity[next - 1] : initialEquity;
  });
}

function emptyPath(initialEquity: number, length: number): EquityPath {
  return {
    initialEquity,
    timeMs: new Float64Array(length),
    equity: new Float64Array(length),
    exposure: new Float64Array(length),
    costs: new Float64Array(length),
  };
}
