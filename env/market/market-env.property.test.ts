/** MarketEnv against its slow twin, on wild markets under drawn configurations. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import type { TradingWindow } from './bars.js';
import { DEFAULT_MARKET_CONFIG } from './config.js';
import type { MarketConfig } from './config.js';
import { MarketEnv } from './market-env.js';
import type { BarRecord, Fill } from './recorder.js';
import { slowEpisode } from './slow-market.fixture.js';
import { wholeWindow, wildBars } from './test-bars.fixture.js';

const LENGTH = 60;
const FIRST = 12;
const RUNS = Number(process.env['OPENBELL_PROPERTY_RUNS'] ?? 400);

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });
const share = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: 1000 }).map((k) => (k * max) / 1000);

const scenario = fc
  .record({
    seed: fc.nat(1_000_000),
    daily: fc.boolean(),
    adjusted: fc.boolean(),
    actions: fc.constantFrom('discrete' as const, 'target' as const),
    direction: fc.constantFrom('long_only' as const, 'long_short' as const),
    positionFraction: fc.constantFrom(0.3, 0.95, 1),
    initialEquity: fc.constantFrom(500, 20_000, 1_000_000),
    minimumEquity: fc.constantFrom(0, 0.2, 0.95),
    order: fc.record({
      type: fc.constantFrom('market' as const, 'limit' as const),
      buffer_bps: fc.constantFrom(0, 5, 100),
    }),
    windows: maybe(
      fc.constantFrom<[string, string][]>(
        [['09:30', '12:00']],
        [
          ['10:15', '11:45'],
          ['14:00', '16:00'],
        ],
        [['15:00', '10:30']],
      ),
    ),
    cycles: maybe(fc.integer({ min: 1, max: 2 })),
    flat: maybe(fc.constantFrom(0, 5, 45)),
    costs: fc.record({
      model: fc.constantFrom('none' as const, 'percent' as const, 'ibkr_fixed' as const),
      percent_bps: fc.constantFrom(0, 7),
      spread_bps: fc.constantFrom(0, 4, 100),
      slippage_bps: fc.constantFrom(0, 3),
      borrow_rate: fc.constantFrom(0, 0.05),
    }),
    exits: fc.record({
      initial_stop: maybe(share(0.04)),
      trailing_stop: maybe(share(0.04)),
      take_profit: fc.uniqueArray(fc.record({ gain: share(0.04), fraction: fc.constantFrom(0.25, 0.3, 0.5) }), {
        maxLength: 2,
        selector: ({ gain }) => gain,
      }),
      fixed_stop: maybe(share(0.03).map((gain) => ({ gain, level: gain / 3 }))),
      ema_rule: maybe(
        fc.record({
          period: fc.integer({ min: 2, max: 20 }),
          action: fc.constantFrom('exit' as const, 'tighten' as const),
          tighten_to: fc.constantFrom(0.97, 0.995),
        }),
      ),
      ratchet: fc.constant('close' as const),
    }),
    late: fc.boolean(),
    restlessness: fc.constantFrom(0.2, 0.6, 1),
  })
  .map((drawn) => {
    const config: MarketConfig = {
      ...DEFAULT_MARKET_CONFIG,
      initial_equity: drawn.initialEquity,
      minimum_equity: drawn.minimumEquity,
      position_fraction: drawn.positionFraction,
      direction: drawn.direction,
      actions: drawn.actions,
      order: drawn.order,
      rules: {
        trading_windows: drawn.daily ? null : drawn.windows,
        max_cycles_per_day: drawn.cycles,
        flat_before_close_minutes: drawn.daily ? null : drawn.flat,
      },
      costs: drawn.costs,
      exits: drawn.exits,
      noise: { ...DEFAULT_MARKET_CONFIG.noise, delay: drawn.late ? 1 : 0 },
      episode: { length: null, minimum_length: 1, random_start: false },
    };
    const stream = new RandomStream(drawn.seed, 'test/actions');
    const actions = Array.from({ length: LENGTH }, () => {
      if (stream.uniform() > drawn.restlessness) return 0;
      return drawn.actions === 'discrete' ? 1 + stream.integer(2) : Math.fround(2.4 * stream.uniform() - 1.2);
    }).map((action) =>
      Math.min(Math.max(action, drawn.actions === 'discrete' ? 0 : -1), drawn.actions === 'discrete' ? 2 : 1),
    );
    const bars = wildBars(drawn.seed, LENGTH, drawn.daily, drawn.adjusted);
    return { config, actions, window: wholeWindow(bars, FIRST) };
  });

interface FastStep {
  fills: Fill[];
  bar: BarRecord;
  terminated: boolean;
  truncated: boolean;
  observation: number[];
}

/** The first episode, step by step. */
function fastEpisode(window: TradingWindow, config: MarketConfig, actions: readonly number[]): FastStep[] {
  let fills: Fill[] = [];
  const records: BarRecord[] = [];
  const recorder = { onFill: (fill: Fill) => fills.push(fill), onBar: (record: BarRecord) => records.push(record) };
  const env = new MarketEnv({ windows: [window], config, numEnvs: 1, seed: 3, recorder });
  env.reset();
  const steps: FastStep[] = [];
  for (const action of actions) {
    env.step(config.actions === 'discrete' ? Int32Array.of(action) : Float32Array.of(action));
    const [terminated, truncated] = [env.terminations[0] === 1, env.truncations[0] === 1];
    const ended = terminated || truncated;
    steps.push({
      fills,
      bar: records[records.length - 1],
      terminated,
      truncated,
      observation: [...(ended ? env.finalObservations : env.observations)],
    });
    fills = [];
    if (ended) break;
  }
  return steps;
}

const near = (a: number, b: number, scale: number): boolean => Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(scale));

describe('MarketEnv and its slow twin', () => {
  it('agree on every fill, and on equity, costs and position at every close', () => {
    let fills = 0;
    const reasons = new Set<string>();
    fc.assert(
      fc.property(scenario, ({ config, actions, window }) => {
        const fast = fastEpisode(window, config, actions);
        const slow = slowEpisode(window, config, config.initial_equity, actions, window.start, window.end - 1);
        expect(fast.length).toBe(slow.length);
        fast.forEach((step, k) => {
          const twin = slow[k];
          const scale = Math.max(Math.abs(twin.equity), config.initial_equity);
          const brief = (f: { quantity: number; price: number; reason: string }): string =>
            `${f.reason} ${f.quantity.toFixed(6)} @ ${f.price.toFixed(8)}`;
          expect(step.fills.map(brief), `fills of step ${k}`).toEqual(twin.fills.map(brief));
          step.fills.forEach((fill, n) => expect(near(fill.commission, twin.fills[n].commission, scale)).toBe(true));
          if (!near(step.bar.equity, twin.equity, scale))
            throw new Error(`equity of step ${k}: ${step.bar.equity} and ${twin.equity}`);
          if (!near(step.bar.costs, twin.costs, scale))
            throw new Error(`costs of step ${k}: ${step.bar.costs} and ${twin.costs}`);
          if (!near(step.bar.position, twin.position, twin.position))
            throw new Error(`position of step ${k}: ${step.bar.position} and ${twin.position}`);
          expect([step.terminated, step.truncated]).toEqual([twin.terminated, twin.truncated]);
          fills += twin.fills.length;
          for (const { reason } of twin.fills) reasons.add(reason);
        });
      }),
      { numRuns: RUNS, seed: 20_180_604 },
    );
    // the draws must have met what they are meant to test
    expect(fills).toBeGreaterThan(RUNS * 5);
    expect([...reasons].sort()).toEqual([
      'buy',
      'ema',
      'end-of-data',
      'flat-before-close',
      'ruin',
      'sell',
      'stop',
      'take-profit',
      'target',
    ]);
  });

  it('keep the accounts: equity change = P&L - costs, base prices within the bar, positions within limits', () => {
    fc.assert(
      fc.property(scenario, ({ config, actions, window }) => {
        const { bars } = window;
        const fast = fastEpisode(window, config, actions);
        const slow = slowEpisode(window, config, config.initial_equity, actions, window.start, window.end - 1);
        let equity = config.initial_equity;
        fast.forEach(({ bar, fills }, k) => {
          const change = slow[k].profit - bar.costs;
          if (!near(bar.equity - equity, change, Math.max(equity, config.initial_equity))) {
            throw new Error(`step ${k}: equity changed by ${bar.equity - equity}, P&L less costs is ${change}`);
          }
          const t = bar.barIndex;
          const factor = bars.factor === null ? 1 : bars.factor[t];
          for (const { base } of slow[k].fills) {
            expect(base * factor).toBeGreaterThanOrEqual(bars.low[t] * (1 - 1e-12));
            expect(base * factor).toBeLessThanOrEqual(bars.high[t] * (1 + 1e-12));
          }
          // sized at the decision's close: no fill may leave a position that costs more than its budget did there
          const split = bars.factor === null ? 1 : bars.factor[t] / bars.factor[t - 1];
          const before = k === 0 ? 0 : fast[k - 1].bar.position * split;
          for (const fill of fills) {
            const grown = Math.abs(fill.positionAfter) > Math.abs(before) + 1e-6;
            const late = config.noise.delay === 1;
            const decisionClose = bars.close[t - 1] / (bars.factor === null ? 1 : bars.factor[t - 1]) / split;
            const cost = Math.abs(fill.positionAfter) * decisionClose;
            const budget = config.position_fraction * equity * (1 + 1e-6) + decisionClose * 1e-5;
            if (grown && !late && cost > budget)
              throw new Error(`step ${k}: a position of ${cost} in a budget of ${budget}`);
          }
          if (config.direction === 'long_only' && bar.position < 0) throw new Error(`step ${k}: short in long_only`);
          equity = bar.equity;
        });
      }),
      { numRuns: Math.ceil(RUNS / 2), seed: 20_180_605 },
    );
  });

  it('see nothing of the future: cut off after t, everything up to t is the same', () => {
    fc.assert(
      fc.property(scenario, fc.integer({ min: FIRST + 2, max: LENGTH - 1 }), ({ config, actions, window }, cut) => {
        const whole = fastEpisode(window, config, actions);
        const { bars } = window;
        const shorter = {
          ...bars,
          length: cut,
          openTimeMs: bars.openTimeMs.slice(0, cut),
          open: bars.open.slice(0, cut),
          high: bars.high.slice(0, cut),
          low: bars.low.slice(0, cut),
          close: bars.close.slice(0, cut),
          volume: bars.volume.slice(0, cut),
          factor: bars.factor === null ? null : bars.factor.slice(0, cut),
          segments: [{ start: 0, end: cut }],
        };
        const part = fastEpisode(wholeWindow(shorter, FIRST), config, actions);
        // the last step of the shorter one closes its position: that is its end of data
        const common = Math.min(part.length, whole.length) - 1;
        expect(part.slice(0, common)).toEqual(whole.slice(0, common));
      }),
      { numRuns: Math.ceil(RUNS / 4), seed: 20_180_606 },
    );
  });
});
