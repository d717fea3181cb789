/**
 * Whether what ran live is what was tested: a run against the gateway beside a backtest of the same bundle on the same
 * bars. (a) The bars that the runner built, and features 0 to 11, are the backtest's to the bit. (b) Given the state of
 * the account, so is the action. (c) With `fills: backtest` so are all fills, and the money to the cent.
 */
import { sliceBars, type Bars } from '#env/market/bars.js';
import { ACCOUNT_FEATURE_COUNT } from '#env/market/observation/index.js';
import { MarketEnv } from '#env/market/market-env.js';
import type { BarRecord, Fill } from '#env/market/recorder.js';
import { firstDifference } from '#env/same-bits.js';
import type { Decider } from '#src/live/core/decider.js';
import type { DecisionRecord, TradeRecord } from '#src/live/core/intents.js';
import { BundleDecider } from '#src/live/shell/bundle-trader.js';
import { Journal } from '#src/live/shell/journal.js';
import type { Bundle } from '#src/registry/bundle.js';

export interface ParityDifference {
  readonly symbol: string;
  readonly timeMs: number;
  readonly what: 'decision missing' | 'features' | 'action given the account' | 'action' | 'fill' | 'position';
  readonly backtest: string;
  readonly live: string;
}

export interface ParityReport {
  readonly decisions: number;
  /** (a) Decisions whose market features have the backtest's bits. */
  readonly sameFeatures: number;
  /** (b) Decisions that the policy repeats when it is shown the journalled observation and mask. */
  readonly repeatedActions: number;
  /** Decisions that the backtest makes too. */
  readonly sameActions: number;
  readonly fills: { readonly backtest: number; readonly live: number; readonly same: number };
  /** Mean of live less backtest price, against us, over fills at the same bar and side; basis points. */
  readonly slippageBps: number | null;
  readonly cash: { readonly backtest: number; readonly live: number };
  /** The first ones, oldest first. */
  readonly differences: readonly ParityDifference[];
}

const MOST_DIFFERENCES = 20;
const CENT = 0.005;

/** Whether claims (a) and (b) hold; (c) holds too where `fills` and money are equal. */
export const agrees = ({ decisions, sameFeatures, repeatedActions }: ParityReport): boolean =>
  decisions > 0 && sameFeatures === decisions && repeatedActions === decisions;

export const repeatsBacktest = (report: ParityReport): boolean =>
  agrees(report) &&
  report.sameActions === report.decisions &&
  report.fills.same === report.fills.backtest &&
  report.fills.live === report.fills.backtest &&
  Math.abs(report.cash.backtest - report.cash.live) < CENT;

/** The segment that holds the instant, alone: what a replay that begins there trades on, and its anchor. */
export function segmentFrom(bars: Bars, timeMs: number): Bars {
  const segment =
    bars.segments.find(({ end }) => bars.openTimeMs[end - 1] >= timeMs) ?? bars.segments[bars.segments.length - 1];
  return segment.end - segment.start === bars.length ? bars : sliceBars(bars, segment.start, segment.end);
}

interface LiveRun {
  readonly decisions: DecisionRecord[];
  readonly trades: TradeRecord[];
}

/** What a journal says was decided and traded, by symbol. */
export function readTrading(journalFile: string): Map<string, LiveRun> {
  const bySymbol = new Map<string, LiveRun>();
  const of = (symbol: string): LiveRun => {
    const known = bySymbol.get(symbol);
    if (known !== undefined) return known;
    const run = { decisions: [], trades: [] };
    bySymbol.set(symbol, run);
    return run;
  };
  const journal = Journal.read(journalFile);
  for (const { intents } of journal.entries()) {
    for (const intent of intents) {
      if (intent.type === 'decision') of(intent.decision.symbol).decisions.push(intent.decision);
      else if (intent.type === 'trade') of(intent.trade.symbol).trades.push(intent.trade);
    }
  }
  journal.close();
  return bySymbol;
}

/** Compares a journal with a backtest of its bundle over the bars that were replayed, one entry a symbol. */
export function compareWithBacktest(options: {
  readonly bundle: Bundle;
  readonly bars: readonly Bars[];
  readonly journalFile: string;
  /** Cash of the live ledger, by symbol. */
  readonly cash: Readonly<Record<string, number>>;
  readonly sleeveEquity: Readonly<Record<string, number>>;
}): ParityReport {
  const { bundle, bars, journalFile, cash, sleeveEquity } = options;
  const trading = readTrading(journalFile);
  const decider = new BundleDecider(bundle);
  const sum = new Comparison();
  for (const own of bars) {
    const { symbol } = own.instrument;
    const live = trading.get(symbol);
    if (live === undefined || live.decisions.length === 0) continue;
    const tested = backtest(bundle, own, live.decisions[0].barOpenMs, sleeveEquity[symbol], decider);
    sum.decisions(symbol, live.decisions, tested, decider);
    sum.fills(symbol, own, live.trades, tested.fills);
    sum.cash(tested.cash, cash[symbol]);
  }
  decider.dispose();
  return sum.report();
}

interface Tested {
  /** By the stamp of the bar at whose close it was made. */
  readonly decisions: ReadonlyMap<number, { readonly observation: Float32Array; readonly action: number }>;
  readonly fills: readonly Fill[];
  /** At the end, the position that is still held left out. */
  readonly cash: number;
}

function backtest(bundle: Bundle, bars: Bars, firstDecisionMs: number, equity: number, decider: Decider): Tested {
  const start = bars.openTimeMs.indexOf(firstDecisionMs);
  const fills: Fill[] = [];
  const records: BarRecord[] = [];
  const env = new MarketEnv({
    windows: [{ bars, segment: bars.segments[0], start, end: bars.length }],
    config: { ...bundle.manifest.market, initial_equity: equity, sleeves: 'equal' },
    featureSet: bundle.manifest.observation.feature_set,
    numEnvs: 1,
    seed: 0,
    mode: 'evaluate',
    recorder: { onFill: (fill) => fills.push(fill), onBar: (record) => records.push(record) },
  });
  env.reset();
  const discrete = env.singleActionSpace.kind === 'discrete';
  const probabilities = new Float32Array(discrete ? 3 : 1);
  const decisions = new Map<number, { observation: Float32Array; action: number }>();
  let cash = equity;
  for (let t = start; env.done[0] === 0; t++) {
    const action = decider.decide(env.observations, env.actionMasks, probabilities);
    decisions.set(bars.openTimeMs[t], { observation: env.observations.slice(), action });
    cash = env.accounts[0].cash;
    env.step(discrete ? Int32Array.of(action) : Float32Array.of(action));
  }
  // the environment closes at the last close what live still holds
  const inside = fills.filter(({ reason }) => reason !== 'end-of-data');
  const last = records.at(-1);
  const atEnd = fills.find(({ reason }) => reason === 'end-of-data');
  const endCash = last === undefined ? cash : last.equity;
  return {
    decisions,
    fills: inside,
    cash: atEnd === undefined ? endCash : endCash + atEnd.quantity * atEnd.price + atEnd.commission,
  };
}

class Comparison {
  #decisions = 0;
  #sameFeatures = 0;
  #repeated = 0;
  #sameActions = 0;
  readonly #fills = { backtest: 0, live: 0, same: 0 };
  readonly #slippages: number[] = [];
  readonly #cash = { backtest: 0, live: 0 };
  readonly #differences: ParityDifference[] = [];

  decisions(symbol: string, made: readonly DecisionRecord[], { decisions }: Tested, decider: Decider): void {
    for (const decision of made) {
      const { barOpenMs, features, mask, action } = decision;
      const expected = decisions.get(barOpenMs);
      // the backtest ends before the last close
      if (expected === undefined) continue;
      this.#decisions++;
      const observation = Float32Array.from(features);
      const market = observation.length - ACCOUNT_FEATURE_COUNT;
      if (firstDifference(observation.subarray(0, market), expected.observation.subarray(0, market)) === null)
        this.#sameFeatures++;
      else this.#differ(symbol, barOpenMs, 'features', show(expected.observation), show(observation));
      const probabilities = new Float32Array(mask === null ? 1 : mask.length);
      const again = decider.decide(observation, mask === null ? null : Uint8Array.from(mask), probabilities);
      if (again === action) this.#repeated++;
      else this.#differ(symbol, barOpenMs, 'action given the account', String(again), String(action));
      if (expected.action === action) this.#sameActions++;
      else this.#differ(symbol, barOpenMs, 'action', String(expected.action), String(action));
    }
  }

  fills(symbol: string, bars: Bars, trades: readonly TradeRecord[], expected: readonly Fill[]): void {
    const made = together(
      trades.map(({ marketMs, action, quantity, price }) => ({
        timeMs: bars.openTimeMs[barAt(bars, marketMs)],
        quantity: action === 'BUY' ? quantity : -quantity,
        price,
      })),
    );
    const wanted = together(expected);
    this.#fills.backtest += wanted.length;
    this.#fills.live += made.length;
    const left = [...wanted];
    for (const fill of made) {
      const at = left.findIndex(({ timeMs, quantity }) => timeMs === fill.timeMs && quantity > 0 === fill.quantity > 0);
      if (at < 0) {
        this.#differ(symbol, fill.timeMs, 'fill', 'none', showFill(fill));
        continue;
      }
      const [twin] = left.splice(at, 1);
      this.#slippages.push(((fill.price / twin.price - 1) * (fill.quantity > 0 ? 1 : -1)) / 1e-4);
      if (twin.quantity === fill.quantity && twin.price === fill.price) this.#fills.same++;
      else this.#differ(symbol, fill.timeMs, 'fill', showFill(twin), showFill(fill));
    }
    for (const fill of left) this.#differ(symbol, fill.timeMs, 'fill', showFill(fill), 'none');
  }

  cash(backtest: number, live: number): void {
    this.#cash.backtest += backtest;
    this.#cash.live += live;
  }

  report(): ParityReport {
    const slippages = this.#slippages;
    return {
      decisions: this.#decisions,
      sameFeatures: this.#sameFeatures,
      repeatedActions: this.#repeated,
      sameActions: this.#sameActions,
      fills: { ...this.#fills },
      slippageBps: slippages.length === 0 ? null : slippages.reduce((sum, value) => sum + value, 0) / slippages.length,
      cash: { ...this.#cash },
      differences: this.#differences.sort((a, b) => a.timeMs - b.timeMs).slice(0, MOST_DIFFERENCES),
    };
  }

  #differ(symbol: string, timeMs: number, what: ParityDifference['what'], backtest: string, live: string): void {
    this.#differences.push({ symbol, timeMs, what, backtest, live });
  }
}

interface PlainFill {
  readonly timeMs: number;
  readonly quantity: number;
  readonly price: number;
}

/** Slices of one position that left at one price in one bar are one fill to the environment. */
function together(fills: readonly PlainFill[]): PlainFill[] {
  const merged: PlainFill[] = [];
  for (const { timeMs, quantity, price } of fills) {
    const last = merged.at(-1);
    if (last !== undefined && last.timeMs === timeMs && last.price === price && last.quantity > 0 === quantity > 0)
      merged[merged.length - 1] = { timeMs, quantity: last.quantity + quantity, price };
    else merged.push({ timeMs, quantity, price });
  }
  return merged;
}

/** The bar within which an instant lies: the last that opens at or before it. */
function barAt(bars: Bars, timeMs: number): number {
  let low = 0;
  let high = bars.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (bars.openTimeMs[middle] <= timeMs) low = middle;
    else high = middle - 1;
  }
  return low;
}

const show = (values: Float32Array): string => [...values].map((value) => value.toPrecision(6)).join(' ');
const showFill = ({ quantity, price }: PlainFill): string => `${quantity} at ${price}`;
