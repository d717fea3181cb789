/** Runs an actor once over evaluation windows and writes down all that happened, account by account. */
import type { Actor } from '#agents/actor.js';
import type { Bars, TradingWindow } from '#env/market/bars.js';
import { sleeveEquities } from '#env/market/check-config.js';
import type { MarketConfig } from '#env/market/config.js';
import { MarketEnv } from '#env/market/market-env.js';
import type { BarRecord, Fill, MarketRecorder } from '#env/market/recorder.js';
import { concatenate, type EquityPath } from '#src/stats/equity-path.js';
import { roundTrips, type RoundTrip } from '#src/stats/round-trips.js';

export interface EvaluationMarket {
  /** One or several symbols, each with one window a segment. */
  readonly windows: readonly TradingWindow[];
  readonly config: MarketConfig;
  readonly featureSet: string;
  /** The configuration's noise is on, seeded by this, and every fill is charged so many times; without it there is none. */
  readonly stress?: { readonly seed: number; readonly costFactor: number };
}

/** Policies that take turns, such as those of a walk-forward: each window has its own. */
export interface WindowedActor {
  readonly name: string;
  /** @param window one of the market's own, the same object */
  actorFor(window: TradingWindow): Actor;
}

/** One symbol's sleeve: its segments one after another, the equity carried over. Columns have T rows. */
export interface SleeveRun {
  readonly symbol: string;
  /** Of the first window; a symbol may come in several files, one after another. */
  readonly bars: Bars;
  readonly path: EquityPath;
  /** (T) closes as in the bars, adjusted where those are; empty where several accounts ran. */
  readonly close: Float64Array;
  /** (T) adjusted price = tradable price x factor, null: not adjusted; empty where several accounts ran. */
  readonly factor: Float64Array | null;
  /** (T) signed tradable shares at the close; empty where several accounts ran. */
  readonly position: Float64Array;
  /** (T) the action decided at the close before, carried out on this bar; empty where several accounts ran. */
  readonly actions: Float64Array;
  readonly fills: readonly Fill[];
  readonly trades: readonly RoundTrip[];
}

/** The windows of each symbol in order of time, symbols in the order of their first window. */
export function windowsBySymbol(windows: readonly TradingWindow[]): Map<string, TradingWindow[]> {
  const bySymbol = new Map<string, TradingWindow[]>();
  for (const window of windows) {
    const { symbol } = window.bars.instrument;
    const own = bySymbol.get(symbol);
    if (own === undefined) bySymbol.set(symbol, [window]);
    else own.push(window);
  }
  const startOf = ({ bars, start }: TradingWindow): number => bars.openTimeMs[start];
  for (const own of bySymbol.values()) own.sort((a, b) => startOf(a) - startOf(b));
  return bySymbol;
}

/**
 * Runs `count` independent accounts of one symbol through its windows, without noise unless the market is stressed. Each
 * segment starts flat. A
 * single account carries its equity from one segment into the next; several, which differ in equity but share one
 * environment, start each segment with the sleeve's equity and have their results scaled: lots and least
 * commissions are then those of the first segment.
 *
 * @param windows of one symbol, in order of time, as `windowsBySymbol` has them
 * @param count accounts, all handed to the actor as one batch
 */
export function runSleeves(
  actor: Actor | WindowedActor,
  windows: readonly TradingWindow[],
  market: EvaluationMarket,
  count = 1,
): SleeveRun[] {
  const { bars } = windows[0];
  const { symbol } = bars.instrument;
  const sleeve = sleeveEquities(market.config, [...windowsBySymbol(market.windows).keys()]).get(symbol) ?? 0;
  const equity = new Float64Array(count).fill(sleeve);
  const segments = windows.map((window) => {
    const initial = count === 1 ? equity[0] : sleeve;
    const logs = runSegment(
      'actorFor' in actor ? actor.actorFor(window) : actor,
      window,
      market,
      sleeve,
      initial,
      count,
    );
    logs.forEach((log, i) => (equity[i] = log.finish(equity[i] / initial)));
    return logs;
  });
  return Array.from({ length: count }, (_, i) =>
    joinSegments(
      symbol,
      bars,
      segments.map((logs) => logs[i]),
    ),
  );
}

function runSegment(
  actor: Actor,
  window: TradingWindow,
  market: EvaluationMarket,
  sleeve: number,
  initial: number,
  count: number,
): SegmentLog[] {
  // the same for all accounts, and kept once
  const timeMs = window.bars.openTimeMs.slice(window.start + 1, window.end);
  const logs = Array.from({ length: count }, () => new SegmentLog(window, initial, timeMs, count === 1));
  const floor = market.config.minimum_equity * sleeve;
  // ruined in an earlier segment: nothing is left to trade with
  if (initial <= floor) return logs;
  const env = new MarketEnv({
    windows: Array.from({ length: count }, () => window),
    // the floor stays where the first segment set it
    config: { ...market.config, initial_equity: initial, minimum_equity: floor / initial, sleeves: 'equal' },
    featureSet: market.featureSet,
    numEnvs: count,
    seed: market.stress?.seed ?? 0,
    costFactor: market.stress?.costFactor,
    recorder: {
      onFill: (fill) => logs[fill.account].onFill(fill),
      onBar: (record) => logs[record.account].onBar(record),
    },
    mode: market.stress === undefined ? 'evaluate' : 'stress',
  });
  env.reset({ seed: market.stress?.seed ?? 0 });
  const actions = env.singleActionSpace.kind === 'discrete' ? new Int32Array(count) : new Float32Array(count);
  while (env.done.includes(0)) {
    actor.act(actions, env.observations, env.actionMasks, count);
    env.step(actions);
  }
  env.close();
  return logs;
}

/** What one account did in one segment. An account that ends early (ruin) stays in cash to the segment's end. */
class SegmentLog implements MarketRecorder {
  readonly window: TradingWindow;
  path: EquityPath;
  readonly close: Float64Array;
  readonly factor: Float64Array | null;
  readonly position: Float64Array;
  readonly actions: Float64Array;
  fills: Fill[] = [];
  readonly #detailed: boolean;
  #rows = 0;

  /** @param detailed also keeps positions and actions, which only a single account's report asks for */
  constructor(window: TradingWindow, initialEquity: number, timeMs: Float64Array, detailed: boolean) {
    const rows = timeMs.length;
    const { bars, start, end } = window;
    const shown = (column: Float64Array): Float64Array => column.subarray(detailed ? start + 1 : end, end);
    this.window = window;
    this.close = shown(bars.close);
    this.factor = bars.factor === null ? null : shown(bars.factor);
    this.path = {
      initialEquity,
      timeMs,
      equity: new Float64Array(rows),
      exposure: new Float64Array(rows),
      costs: new Float64Array(rows),
    };
    this.position = new Float64Array(detailed ? rows : 0);
    this.actions = new Float64Array(detailed ? rows : 0);
    this.#detailed = detailed;
  }

  onFill(fill: Fill): void {
    this.fills.push(fill);
  }

  onBar({ barIndex, equity, exposure, position, action, costs }: BarRecord): void {
    const t = barIndex - this.window.start - 1;
    this.path.equity[t] = equity;
    this.#rows = t + 1;
    this.path.exposure[t] = exposure;
    this.path.costs[t] = costs;
    if (!this.#detailed) return;
    this.position[t] = position;
    this.actions[t] = action;
  }

  /** Call once, at the end: scales all money by `scale` (1: none). Returns the equity that the account is left with. */
  finish(scale: number): number {
    const { path } = this;
    const left = this.#rows > 0 ? path.equity[this.#rows - 1] : path.initialEquity;
    path.equity.fill(left, this.#rows);
    if (scale !== 1) {
      this.path = {
        ...path,
        initialEquity: path.initialEquity * scale,
        equity: path.equity.map((equity) => equity * scale),
        costs: path.costs.map((costs) => costs * scale),
      };
      this.fills = this.fills.map((fill) => ({
        ...fill,
        quantity: fill.quantity * scale,
        commission: fill.commission * scale,
        positionAfter: fill.positionAfter * scale,
      }));
    }
    return left * scale;
  }
}

function joinSegments(symbol: string, bars: Bars, logs: readonly SegmentLog[]): SleeveRun {
  const trades = logs.flatMap(({ fills, path, window }) =>
    roundTrips(symbol, fills, { firstBar: window.start + 1, path }),
  );
  return {
    symbol,
    bars,
    path: concatenate(logs.map(({ path }) => path)),
    close: joined(logs.map((log) => log.close)),
    factor: logs.every((log) => log.factor === null)
      ? null
      : joined(logs.map((log) => log.factor ?? new Float64Array(log.close.length).fill(1))),
    position: joined(logs.map((log) => log.position)),
    actions: joined(logs.map((log) => log.actions)),
    fills: logs.flatMap((log) => log.fills),
    trades,
  };
}

/** The parts one after another; a single part as it is. */
function joined(parts: readonly Float64Array[]): Float64Array {
  if (parts.length === 1) return parts[0];
  const whole = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
