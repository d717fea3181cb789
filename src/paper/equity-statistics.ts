/** What the account came to, with intervals, beside buying and holding and staying out, on the same bars. */
import { holdActor } from '#agents/baselines/index.js';
import type { Bars } from '#env/market/bars.js';
import { FEATURE_SETS } from '#env/market/observation/index.js';
import type { Bundle } from '#src/registry/bundle.js';
import { barsPerYear } from '#src/stats/annualisation.js';
import { excessInterval, logReturns, sharpeInterval, type Interval } from '#src/stats/bootstrap.js';
import { simpleReturns, sumSleeves, type EquityPath } from '#src/stats/equity-path.js';
import { computePerformance } from '#src/stats/performance.js';
import { roundTrips, tradedValue, type RoundTrip, type TradeFill } from '#src/stats/round-trips.js';
import { backtest, type Tested } from './backtest.js';
import { barAt } from './bar-at.js';
import type { SessionRecord } from './session-record.js';

/** Fewer market days tell nothing of skill, whatever they show. */
export const LEAST_DAYS_TO_JUDGE = 60;
const SEED = 1;

export interface EquityStatistics {
  readonly start: number;
  readonly end: number;
  readonly bars: number;
  readonly totalReturn: number;
  /** Annualised; null: a flat line, or fewer than 20 bars. */
  readonly sharpe: number | null;
  readonly sharpeInterval: Interval | null;
  /** 0 or negative. */
  readonly maxDrawdown: number;
  /** Share of bars that end with a position. */
  readonly exposure: number;
  readonly turnover: number;
  /** Closed round trips; share of them that gained. */
  readonly trades: number;
  readonly winRate: number | null;
  /** Final wealth over that of the other, less 1, 95%; null: fewer than 20 bars. */
  readonly againstFlat: Interval | null;
  readonly againstHold: Interval | null;
  readonly holdReturn: number | null;
  readonly backtestReturn: number | null;
  /** What may be concluded, in a sentence. */
  readonly verdict: string;
}

/** Curves of the account and of those that it is compared with. */
export interface EquityCurves {
  readonly account: EquityPath;
  readonly backtest: EquityPath | null;
  readonly hold: EquityPath | null;
}

export function accountPath({ account }: SessionRecord): EquityPath | null {
  if (account.length === 0) return null;
  const rows = account.slice(1);
  return {
    initialEquity: account[0].equity,
    timeMs: Float64Array.from(rows, ({ timeMs }) => timeMs),
    equity: Float64Array.from(rows, ({ equity }) => equity),
    exposure: Float64Array.from(rows, ({ exposure }) => exposure),
    costs: new Float64Array(rows.length),
  };
}

/** null: no decision was made. */
export function equityCurves(
  bundle: Bundle,
  session: SessionRecord,
  bars: readonly Bars[],
  tested: ReadonlyMap<string, Tested>,
): EquityCurves | null {
  const account = accountPath(session);
  if (account === null) return null;
  const held = bars.flatMap((own) => holdOn(bundle, session, own) ?? []);
  const together = (paths: readonly EquityPath[]): EquityPath | null => (paths.length === 0 ? null : sumSleeves(paths));
  return { account, backtest: together([...tested.values()].map(({ path }) => path)), hold: together(held) };
}

function holdOn(bundle: Bundle, session: SessionRecord, bars: Bars): EquityPath | null {
  const { symbol } = bars.instrument;
  const made = session.decisions.get(symbol);
  const sleeve = session.config.symbols.find((one) => one.symbol === symbol);
  if (made === undefined || sleeve === undefined) return null;
  const actor = holdActor(FEATURE_SETS[session.config.featureSet]);
  const action = new Int32Array(1);
  const found = backtest({
    bundle,
    bars,
    firstDecisionMs: made[0].barOpenMs,
    equity: sleeve.sleeveEquity,
    // a side, never a rebalance: a target would trade whenever the price has moved
    market: { actions: 'discrete', mask_actions: true },
    choose: (observation, mask) => {
      actor.act(action, observation, mask, 1);
      return action[0];
    },
  });
  return found?.path ?? null;
}

export function tripsOf({ orders, bars, config }: SessionRecord): { trips: RoundTrip[]; traded: number } {
  const trips: RoundTrip[] = [];
  let traded = 0;
  for (const { symbol } of config.symbols) {
    const own = bars.find(({ instrument }) => instrument.symbol === symbol);
    const fills: (TradeFill & { wallMs: number })[] = orders
      .filter((order) => order.symbol === symbol)
      .flatMap(({ side, role, executions }) =>
        executions.map(({ marketMs, wallMs, quantity, price, commission, positionAfter }) => ({
          barIndex: own === undefined ? 0 : Math.max(0, barAt(own, marketMs)),
          timeMs: marketMs,
          wallMs,
          quantity: side * quantity,
          price,
          commission: commission ?? 0,
          reason: role,
          positionAfter,
        })),
      )
      .sort((a, b) => a.wallMs - b.wallMs);
    trips.push(...roundTrips(symbol, fills));
    traded += tradedValue(fills);
  }
  return { trips, traded };
}

export function equityStatistics(session: SessionRecord, curves: EquityCurves, marketDays: number): EquityStatistics {
  const { account: path, hold, backtest: tested } = curves;
  const { config } = session;
  const { trips, traded } = tripsOf(session);
  const yearly = barsPerYear(config.calendar, config.interval.ms, path.timeMs);
  const performance = computePerformance({ path, trades: trips, tradedValue: traded, barsPerYear: yearly });
  const returns = simpleReturns(path);
  const againstHold = hold === null ? null : excessInterval(differences(path, hold), { seed: SEED });
  return {
    start: path.initialEquity,
    end: performance.finalEquity,
    bars: performance.bars,
    totalReturn: performance.totalReturn,
    sharpe: performance.sharpe,
    sharpeInterval: sharpeInterval(returns, yearly, { seed: SEED }),
    maxDrawdown: performance.maxDrawdown,
    exposure: performance.exposure,
    turnover: performance.turnover,
    trades: performance.trades,
    winRate: performance.winRate,
    againstFlat: excessInterval(logReturns(returns), { seed: SEED }),
    againstHold,
    holdReturn: hold === null ? null : totalReturn(hold),
    backtestReturn: tested === null ? null : totalReturn(tested),
    verdict: verdictOf(againstHold, marketDays),
  };
}

const totalReturn = ({ equity, initialEquity }: EquityPath): number =>
  equity.length === 0 ? 0 : equity[equity.length - 1] / initialEquity - 1;

/** (T) differences of the log returns over the stamps that both have. */
function differences(path: EquityPath, other: EquityPath): Float64Array {
  const rowOf = new Map([...other.timeMs].map((timeMs, row) => [timeMs, row]));
  const rows = [...path.timeMs.keys()].filter((row) => rowOf.has(path.timeMs[row]));
  const taken = (from: EquityPath, at: (row: number) => number): Float64Array =>
    logReturns(simpleReturns({ ...from, equity: Float64Array.from(rows, (row) => from.equity[at(row)]) }));
  const own = taken(path, (row) => row);
  const others = taken(other, (row) => rowOf.get(path.timeMs[row]) ?? 0);
  return own.map((value, t) => value - others[t]);
}

function verdictOf(againstHold: Interval | null, marketDays: number): string {
  const days = `${marketDays} market day${marketDays === 1 ? '' : 's'}`;
  if (againstHold === null) return `${days}: too few bars to say anything of the return`;
  const decided = againstHold.low > 0 || againstHold.high < 0;
  if (marketDays < LEAST_DAYS_TO_JUDGE)
    return `${days} ${marketDays === 1 ? 'is' : 'are'} too few to tell skill from luck (fewer than ${LEAST_DAYS_TO_JUDGE}), whatever the return: judge by the held-out evaluation`;
  return decided
    ? `over ${days} the account ${againstHold.low > 0 ? 'beat' : 'fell behind'} buying and holding by more than luck explains`
    : `over ${days} the difference to buying and holding may be luck`;
}
