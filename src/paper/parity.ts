/**
 * Whether what ran live is what was tested: a run against the gateway beside a backtest of the same bundle on the same
 * bars. (a) The bars that the runner built, and features 0 to 11, are the backtest's to the bit. (b) Given the state of
 * the account, so is the action. (c) With `fills: backtest` so are all fills, and the money to the cent.
 */
import { sliceBars, type Bars } from '#env/market/bars.js';
import { computeFeatures, FEATURE_SETS, type ObservationSpec } from '#env/market/observation/index.js';
import type { Fill } from '#env/market/recorder.js';
import { firstDifference } from '#env/same-bits.js';
import type { Decider } from '#src/live/core/decider.js';
import type { DecisionRecord } from '#src/live/core/intents.js';
import { BundleDecider } from '#src/live/shell/bundle-trader.js';
import type { Bundle } from '#src/registry/bundle.js';
import { backtest, type Tested } from './backtest.js';
import { barAt } from './bar-at.js';
import type { SessionRecord } from './session-record.js';

export interface ParityDifference {
  readonly symbol: string;
  readonly timeMs: number;
  readonly what: 'features' | 'action given the account' | 'action' | 'fill';
  readonly backtest: string;
  readonly live: string;
}

export interface ParityReport {
  readonly decisions: number;
  /** (a) Decisions whose market features have the backtest's bits. */
  readonly sameFeatures: number;
  /** (b) Decisions that the policy repeats when it is shown the journalled observation and mask. */
  readonly repeatedActions: number;
  /** Decisions of the backtest over the same bars, and those that were made here just so. */
  readonly backtestDecisions: number;
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
  report.backtestDecisions > 0 &&
  report.sameActions === report.backtestDecisions &&
  report.fills.same === report.fills.backtest &&
  report.fills.live === report.fills.backtest &&
  Math.abs(report.cash.backtest - report.cash.live) < CENT;

/** The segment that holds the instant, alone: what a replay that begins there trades on, and its anchor. */
export function segmentFrom(bars: Bars, timeMs: number): Bars {
  const segment =
    bars.segments.find(({ end }) => bars.openTimeMs[end - 1] >= timeMs) ?? bars.segments[bars.segments.length - 1];
  return segment.end - segment.start === bars.length ? bars : sliceBars(bars, segment.start, segment.end);
}

/** Compares a session with a backtest of its bundle over the bars that were replayed, or recorded: one entry a symbol. */
export function compareWithBacktest(options: {
  readonly bundle: Bundle;
  readonly session: SessionRecord;
  /** In one segment each. */
  readonly bars: readonly Bars[];
}): { parity: ParityReport; tested: ReadonlyMap<string, Tested> } {
  const { bundle, bars, session } = options;
  const decider = new BundleDecider(bundle);
  const probabilities = new Float32Array(bundle.manifest.market.actions === 'discrete' ? 3 : 1);
  const sum = new Comparison();
  const tested = new Map<string, Tested>();
  for (const own of bars) {
    const { symbol } = own.instrument;
    const made = session.decisions.get(symbol);
    const sleeve = session.config.symbols.find((one) => one.symbol === symbol);
    if (made === undefined || sleeve === undefined) continue;
    sum.decisions(own, FEATURE_SETS[session.config.featureSet], made, decider);
    const backtested = backtest({
      bundle,
      bars: own,
      firstDecisionMs: made[0].barOpenMs,
      equity: sleeve.sleeveEquity,
      choose: (observation, mask) => decider.decide(observation, mask, probabilities),
    });
    if (backtested === null) continue;
    tested.set(symbol, backtested);
    sum.actions(symbol, made, backtested);
    sum.fills(symbol, own, executionsOf(session, symbol), backtested.fills);
    sum.cash(backtested.cash, session.cash[symbol]);
  }
  decider.dispose();
  return { parity: sum.report(), tested };
}

function executionsOf(session: SessionRecord, symbol: string): (PlainFill & { readonly wallMs: number })[] {
  return session.orders
    .filter((order) => order.symbol === symbol)
    .flatMap(({ side, executions }) =>
      executions.map(({ marketMs, wallMs, quantity, price }) => ({
        timeMs: marketMs,
        wallMs,
        quantity: side * quantity,
        price,
      })),
    )
    .sort((a, b) => a.timeMs - b.timeMs || a.wallMs - b.wallMs);
}

class Comparison {
  #decisions = 0;
  #sameFeatures = 0;
  #repeated = 0;
  #backtested = 0;
  #sameActions = 0;
  readonly #fills = { backtest: 0, live: 0, same: 0 };
  readonly #slippages: number[] = [];
  readonly #cash = { backtest: 0, live: 0 };
  readonly #differences: ParityDifference[] = [];

  decisions(bars: Bars, spec: ObservationSpec, made: readonly DecisionRecord[], decider: Decider): void {
    const { symbol } = bars.instrument;
    const count = spec.marketFeatures.length;
    const features = computeFeatures(bars, bars.segments, spec);
    const rowAt = new Map([...bars.openTimeMs].map((timeMs, row) => [timeMs, row]));
    const probabilities = new Float32Array(made[0].probabilities.length);
    for (const { barOpenMs, features: seen, mask, action } of made) {
      this.#decisions++;
      const observation = Float32Array.from(seen);
      const market = observation.subarray(0, count);
      const row = rowAt.get(barOpenMs);
      const expected = row === undefined ? null : features.subarray(row * count, (row + 1) * count);
      if (expected !== null && firstDifference(market, expected) === null) this.#sameFeatures++;
      else
        this.#differ(symbol, barOpenMs, 'features', expected === null ? 'no such bar' : show(expected), show(market));
      const again = decider.decide(observation, mask === null ? null : Uint8Array.from(mask), probabilities);
      if (again === action) this.#repeated++;
      else this.#differ(symbol, barOpenMs, 'action given the account', String(again), String(action));
    }
  }

  /** The backtest's own decisions: none at the last close, and none after ruin. */
  actions(symbol: string, made: readonly DecisionRecord[], { decisions }: Tested): void {
    const actions = new Map(made.map(({ barOpenMs, action }) => [barOpenMs, action]));
    this.#backtested += decisions.size;
    for (const [barOpenMs, { action }] of decisions) {
      const own = actions.get(barOpenMs);
      if (own === action) this.#sameActions++;
      else this.#differ(symbol, barOpenMs, 'action', String(action), own === undefined ? 'none' : String(own));
    }
  }

  fills(symbol: string, bars: Bars, executions: readonly PlainFill[], expected: readonly Fill[]): void {
    const made = together(
      executions.map((fill) => ({ ...fill, timeMs: bars.openTimeMs[Math.max(0, barAt(bars, fill.timeMs))] })),
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
      backtestDecisions: this.#backtested,
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

const show = (values: Float32Array): string => [...values].map((value) => value.toPrecision(6)).join(' ');
const showFill = ({ quantity, price }: PlainFill): string => `${quantity} at ${price}`;
