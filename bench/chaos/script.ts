/** What a scenario is, drawn from its seed: the market and its exits, the faults, and where the process dies. */
import { DEFAULT_MARKET_CONFIG, type MarketConfig } from '#env/market/config.js';
import type { Bars } from '#env/market/bars.js';
import { RandomStream } from '#env/seeding.js';
import { DEFAULT_CARE, DEFAULT_RISK, type TraderConfig } from '#src/live/core/config.js';
import { EXITS, INSTRUMENT, syntheticSessions } from './chance.js';

export const ACCOUNT = 'DU1234567';
export const CLIENT_ID = 1;
export const INITIAL_CASH = 100_000;
/** Of the replayed session; every tenth scenario has all of it, the others its last two and a half hours. */
const SESSION_MINUTES = 390;
const SHORT_MINUTES = 150;

/** Where the process dies. Each scenario has one; what never comes to pass becomes `at random` late in the session. */
export const KILL_STEPS = [
  'before the append',
  'durable, nothing sent',
  'first of several sent',
  'all sent',
  'while reconciling',
  'while history is awaited',
  'at random',
] as const;
export type KillStep = (typeof KILL_STEPS)[number];

/** `reset` and `end`: in process, the socket reset or closed in order. `SIGKILL`: a process of its own. */
export type KillHow = 'reset' | 'end' | 'SIGKILL';

export interface Script {
  readonly seed: number;
  readonly minutes: number;
  readonly sessions: number;
  /** Market minutes that are replayed, up to the last session's close. */
  readonly replayed: number;
  readonly exits: number;
  readonly direction: MarketConfig['direction'];
  readonly limit: boolean;
  readonly fills: 'path' | 'backtest';
  /** As a fault file writes them. */
  readonly faults: readonly Readonly<Record<string, unknown>>[];
  readonly kill: {
    readonly step: KillStep;
    /** At which occurrence of the step; of `at random`: at which boundary. */
    readonly nth: number;
    /** Wall milliseconds between the step and the end, where it is a wait. */
    readonly delayMs: number;
    readonly how: KillHow;
    /** Boundaries that the market passes while nobody is there. */
    readonly down: number;
  };
}

type Draw = (stream: RandomStream) => Readonly<Record<string, unknown>>;
const between = (stream: RandomStream, least: number, most: number): number =>
  least + (most - least) * stream.uniform();
const ms = (stream: RandomStream, least: number, most: number): string =>
  `${Math.round(between(stream, least, most))}ms`;
const some = (stream: RandomStream): number => 1 + stream.integer(3);

/** Every kind that a fault file knows, in sizes that fit the scenario: wall time on the line, market time elsewhere. */
export const FAULTS: Readonly<Record<string, Draw>> = {
  disconnect: (s) => ({ how: (['clean', 'reset', 'half_open'] as const)[s.integer(3)], release: ms(s, 100, 800) }),
  stall: (s) => ({ duration: ms(s, 20, 600) }),
  silence: (s) => ({ duration: ms(s, 20, 600) }),
  latency: (s) => ({ delay: ms(s, 1, 40), jitter: ms(s, 0, 30), duration: ms(s, 100, 1_000) }),
  reorder: (s) => ({ window: 2 + s.integer(4), count: some(s) }),
  slow_reader: (s) => ({ bytes_per_second: 2_000 + s.integer(20_000), duration: ms(s, 100, 800) }),
  notice: (s) => ({ code: [2103, 2104, 2106, 2158, 399, 2109, 10349][s.integer(7)], message: 'a notice' }),
  restart: (s) => ({ down: ms(s, 50, 500), ...(s.uniform() < 0.5 ? { next_valid_id: 1 } : {}) }),
  connectivity_lost: (s) => ({ duration: ms(s, 5_000, 900_000), data: s.uniform() < 0.5 ? 'lost' : 'kept' }),
  farm_broken: (s) => ({
    farm: s.uniform() < 0.7 ? 'market_data' : 'historical',
    duration: ms(s, 5_000, 900_000),
    data_returns: s.uniform() < 0.7,
  }),
  server_link_broken: (s) => ({ duration: ms(s, 5_000, 600_000) }),
  lose_status: (s) => ({ count: some(s) }),
  duplicate_status: (s) => ({ count: some(s) }),
  lose_execution: (s) => ({ count: some(s) }),
  duplicate_execution: (s) => ({ count: some(s) }),
  lose_commission: (s) => ({ count: some(s) }),
  late_commission: (s) => ({ count: some(s), delay: ms(s, 20, 800) }),
  execution_before_status: (s) => ({ count: some(s) }),
  status_before_execution: (s) => ({ count: some(s) }),
  reject_order: (s) =>
    s.uniform() < 0.6 ? {} : { code: 110, message: 'The price does not conform', with_status: false },
  reject_stop: (s) => ({ with_status: s.uniform() < 0.7 }),
  reject_modify: () => ({}),
  partial_then_cancel: (s) => ({ fraction: Math.round(between(s, 0.2, 0.8) * 100) / 100 }),
  fill_after_cancel: (s) => ({ delay: ms(s, 500, 20_000) }),
  correct_execution: (s) => ({ delay: ms(s, 500, 60_000), price_offset: s.uniform() < 0.5 ? 0.01 : -0.02 }),
  stale_feed: (s) => ({ symbol: INSTRUMENT.symbol, duration: ms(s, 30_000, 900_000) }),
  market_data_type: () => ({ type: 3 }),
  rollback_next_valid_id: () => ({ order_id: 1 }),
};

/** All of a scenario, from its number. */
export function scriptOf(seed: number, options: { readonly processes: boolean; readonly minutes?: number }): Script {
  const stream = new RandomStream(seed, 'chaos/script');
  const minutes = options.minutes ?? 5;
  const sessions = 2;
  const replayed = seed % 10 === 0 ? SESSION_MINUTES : SHORT_MINUTES;
  const step = KILL_STEPS[stream.integer(KILL_STEPS.length)];
  const nth =
    step === 'at random'
      ? 1 + stream.integer(replayed / minutes - 2)
      : step.startsWith('while')
        ? 1
        : 1 + stream.integer(6);
  return {
    seed,
    minutes,
    sessions,
    replayed,
    exits: stream.integer(EXITS.length),
    direction: stream.uniform() < 0.5 ? 'long_only' : 'long_short',
    limit: stream.uniform() < 0.3,
    fills: stream.uniform() < 0.7 ? 'path' : 'backtest',
    faults: drawFaults(stream, replayed),
    kill: {
      step,
      nth,
      delayMs: stream.uniform() < 0.3 ? 0 : between(stream, 0, 8),
      how: options.processes && seed % 25 === 0 ? 'SIGKILL' : stream.uniform() < 0.5 ? 'reset' : 'end',
      down: stream.uniform() < 0.3 ? 0 : stream.integer(10),
    },
  };
}

/** A day of one-minute bars: the gateway is reset twice, the process dies once. */
export function soakScript(seed: number): Script {
  return {
    ...scriptOf(seed, { processes: false, minutes: 1 }),
    replayed: SESSION_MINUTES,
    faults: [
      { at: '61m', kind: 'restart', down: '1500ms', next_valid_id: 1 },
      { at: '200m', kind: 'connectivity_lost', duration: '10m', data: 'lost' },
      { at: '301m', kind: 'restart', down: '400ms' },
    ],
    kill: { step: 'at random', nth: 250, delayMs: 3, how: 'reset', down: 20 },
  };
}

/** One to five, in a third of the scenarios several at one moment; those on messages strike where they hurt. */
function drawFaults(stream: RandomStream, replayed: number): Script['faults'] {
  const last = replayed - 30;
  const kinds = Object.keys(FAULTS);
  const faults: Readonly<Record<string, unknown>>[] = [];
  const together = stream.uniform() < 0.33;
  const moment = `${Math.round(between(stream, 5, last))}m`;
  const count = 1 + stream.integer(5);
  for (let k = 0; k < count; k++) {
    const kind = kinds[stream.integer(kinds.length)];
    const at = together ? moment : `${Math.round(between(stream, 0, last))}m`;
    const onRequest = stream.uniform() < 0.35;
    const requests = ['placeOrder', 'placeOrder', 'cancelOrder', 'reqExecutions', 'reqHistoricalData', 'reqPositions'];
    const request = requests[stream.integer(requests.length)];
    const phase = stream.uniform() < 0.5 ? 'before' : 'after';
    const nth = 1 + stream.integer(request === 'placeOrder' ? 12 : 3);
    const trigger = onRequest ? { on: { request, nth, phase } } : { at };
    faults.push({ ...trigger, kind, ...FAULTS[kind](stream) });
    // the data is live again some time later, or the runner would rightly never enter again
    if (kind === 'market_data_type') faults.push({ at: `${replayed - 15}m`, kind, type: 1 });
  }
  return faults;
}

export const barsOf = ({ seed, minutes, sessions }: Script): Bars => syntheticSessions(seed, sessions, minutes);

export function configOf(script: Script, bars: Bars): TraderConfig {
  const market: MarketConfig = {
    ...DEFAULT_MARKET_CONFIG,
    initial_equity: INITIAL_CASH,
    direction: script.direction,
    exits: EXITS[script.exits],
    order: { type: script.limit ? 'limit' : 'market', buffer_bps: 2 },
  };
  return {
    account: ACCOUNT,
    tag: 'ob1',
    symbols: [{ symbol: INSTRUMENT.symbol, instrument: bars.instrument, sleeveEquity: INITIAL_CASH }],
    interval: bars.interval,
    calendar: bars.calendar,
    featureSet: 'v1',
    warmup: 30,
    anchorMs: null,
    market,
    risk: { ...DEFAULT_RISK, max_daily_loss: 0.3, max_drawdown: 0.5, max_orders_per_minute: 1e6 },
    care: { ...DEFAULT_CARE, quarantine_seconds: 5 },
  };
}
