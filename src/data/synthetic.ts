/**
 * Synthetic bars with the habits of intraday markets: volatility that comes in regimes, volume and volatility high at
 * both ends of a session, gaps overnight, prices on ticks. Seeded, and always labelled synthetic. There is nothing to
 * learn in them: returns are independent given the volatility. With `reverting` there is: the log-price is an
 * Ornstein-Uhlenbeck process about that of `start_price`, each bar opens where the last one closed, and the best policy
 * is that of env/known/ou-market.ts.
 */
import { createHash } from 'node:crypto';
import { exp, log } from '#env/math/index.js';
import { makeBars, type Bars, type Interval } from '#env/market/bars.js';
import { calendarNamed, type Session } from '#env/market/calendar.js';
import type { Instrument } from '#env/market/instrument.js';
import { utcInstant } from '#env/market/window.js';
import { RandomStream } from '#env/seeding.js';
import { fail } from '#src/errors.js';
import { DAY_MS } from './interval.js';
import type { SyntheticParameters } from './manifest.js';
import { priceProcess } from './synthetic-process.js';

/** Part of the hash: raise it where the same parameters give other bars. */
const GENERATOR = 'synthetic-1';
const SESSIONS_PER_YEAR: Readonly<Record<string, number>> = { XNYS: 252, FX: 260, '24x7': 365 };

export interface SyntheticOptions extends SyntheticParameters {
  readonly name: string;
  readonly instrument: Instrument;
  readonly interval: Interval;
  readonly calendar: string;
}

/**
 * Generates bars for `sessions` sessions from the date `from` on. Throws DATA_MANIFEST where the interval does not fit
 * the sessions, DATA_TIME where the calendar does not reach so far.
 */
export function syntheticBars(options: SyntheticOptions): Bars {
  const { name, instrument, interval, calendar } = options;
  const sessions = sessionsFrom(options);
  const starts = barStarts(sessions, interval, name);
  const columns = simulate(options, sessions, starts);
  return makeBars({
    instrument,
    interval,
    calendar,
    ...columns,
    source: name,
    synthetic: true,
    sha256: hashOf(options),
  });
}

function hashOf({ name: _, ...parameters }: SyntheticOptions): string {
  return createHash('sha256')
    .update(JSON.stringify([GENERATOR, canonical(parameters)]))
    .digest('hex');
}

/** Keys in order, so that the order in YAML does not matter. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, canonical(item)]),
  );
}

function sessionsFrom({ name, calendar, from, sessions }: SyntheticOptions): Session[] {
  const trading = calendarNamed(calendar);
  const found: Session[] = [];
  for (let dayId = utcInstant(from, `${name} from`) / DAY_MS; found.length < sessions; dayId++) {
    const session = trading.sessionOnDay(dayId);
    if (session !== null) found.push(session);
  }
  return found;
}

/** First bar of each session, and the number of bars at the end: (sessions + 1). */
function barStarts(sessions: readonly Session[], interval: Interval, name: string): Int32Array {
  const starts = new Int32Array(sessions.length + 1);
  if (interval.ms > DAY_MS)
    fail('DATA_MANIFEST', { where: name, value: interval.label, message: 'synthetic bars are of a day or shorter' });
  for (const [s, { openMs, closeMs }] of sessions.entries()) {
    const bars = interval.ms === DAY_MS ? 1 : Math.ceil((closeMs - openMs) / interval.ms);
    starts[s + 1] = starts[s] + bars;
  }
  return starts;
}

type Columns = Record<'openTimeMs' | 'open' | 'high' | 'low' | 'close' | 'volume', Float64Array>;

function simulate(options: SyntheticOptions, sessions: readonly Session[], starts: Int32Array): Columns {
  const { seed, interval, calendar, session_volume } = options;
  const length = starts[sessions.length];
  const columns: Columns = {
    openTimeMs: new Float64Array(length),
    open: new Float64Array(length),
    high: new Float64Array(length),
    low: new Float64Array(length),
    close: new Float64Array(length),
    volume: new Float64Array(length),
  };
  const ranges = new RandomStream(seed, 'synthetic/range');
  const volumes = new RandomStream(seed, 'synthetic/volume');
  const process = priceProcess(options, SESSIONS_PER_YEAR[calendar]);
  let logPrice = log(options.start_price);
  const tick = tickRounder(options.instrument);

  for (const [s, session] of sessions.entries()) {
    const bars = starts[s + 1] - starts[s];
    if (s > 0) logPrice += process.gap();
    for (let b = 0; b < bars; b++) {
      const at = starts[s] + b;
      // 0 at the open, 1 at the close; the fourth power is flat at noon and steep at both ends
      const x = bars === 1 ? 0.5 : b / (bars - 1);
      const edge = 16 * (x - 0.5) * (x - 0.5) * (x - 0.5) * (x - 0.5);
      const shape = bars === 1 ? 1 : (0.7 + edge) * VARIANCE_SCALE;
      const { step, variance, activity } = process.bar(logPrice, bars, shape);
      // the extremes of a Brownian bridge from 0 to `step`, each by its exact distribution (Karatzas & Shreve, 4.3.40)
      const top = (step + Math.sqrt(step * step - 2 * variance * log(ranges.uniform() + TINY))) / 2;
      const bottom = (step - Math.sqrt(step * step - 2 * variance * log(ranges.uniform() + TINY))) / 2;
      const openPrice = exp(logPrice);
      const open = tick(openPrice);
      const close = tick(exp(logPrice + step));
      columns.openTimeMs[at] = interval.ms === DAY_MS ? session.dayId * DAY_MS : session.openMs + b * interval.ms;
      columns.open[at] = open;
      columns.close[at] = close;
      columns.high[at] = Math.max(open, close, tick(exp(logPrice + top)));
      columns.low[at] = Math.min(open, close, tick(exp(logPrice + bottom)));
      const crowd = bars === 1 ? 1 : (0.5 + 2.5 * edge) * activity;
      columns.volume[at] = Math.max(
        1,
        Math.round((session_volume / bars) * crowd * exp(0.5 * volumes.normal() - 0.125)),
      );
      logPrice += step;
    }
  }
  return columns;
}

/** The mean of `edge` over a session is 1/5: this keeps a session's variance what the parameters say. */
const VARIANCE_SCALE = 1 / 0.9;
/** Keeps the logarithm of a uniform finite. */
const TINY = 2 ** -33;

/** Rounds to the nearest tick of the price's band; never below one tick. */
function tickRounder({ ticks }: Instrument): (price: number) => number {
  return (price) => {
    let band = ticks.length - 1;
    while (band > 0 && price < ticks[band].lowEdge) band--;
    const { increment } = ticks[band];
    const count = Math.max(1, Math.round(price / increment));
    // dividing by a whole number of ticks a unit leaves no residue: 12345 / 100, not 12345 * 0.01
    const perUnit = Math.round(1 / increment);
    return Math.abs(perUnit * increment - 1) < 1e-12 ? count / perUnit : count * increment;
  };
}
