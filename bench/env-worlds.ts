/** The environments that are measured alone: MarketEnv with and without rules, exits and noise; the classic tasks. */
import { CLASSIC_IDS, makeClassicVector } from '#env/classic/index.js';
import { DEFAULT_MARKET_CONFIG, type MarketConfig } from '#env/market/config.js';
import { RandomStream } from '#env/seeding.js';
import type { VectorEnv } from '#env/vector-env.js';
import { type Stretch, timed } from './sampling.js';
import type { MARKET_TARGETS } from './targets.js';
import { marketOn, minuteBars } from './worlds.js';

export const ACCOUNTS = 64;

const plain: MarketConfig = {
  ...DEFAULT_MARKET_CONFIG,
  episode: { length: 2000, minimum_length: 20, random_start: true },
};
const allExits: MarketConfig = {
  ...plain,
  direction: 'long_short',
  rules: { trading_windows: [['09:35', '15:45']], max_cycles_per_day: 50, flat_before_close_minutes: 5 },
  exits: {
    initial_stop: 0.003,
    trailing_stop: 0.004,
    take_profit: [
      { gain: 0.003, fraction: 0.5 },
      { gain: 0.006, fraction: 0.5 },
    ],
    fixed_stop: { gain: 0.002, level: 0.0005 },
    ema_rule: { period: 20, action: 'tighten', tighten_to: 0.998 },
    ratchet: 'close',
  },
};
const noise = { fill_price_bps: 2, observation: 0.05, cost: 0.3, delay: 0.1, price_bps: 2, price_replicas: 4 };

export interface World {
  readonly name: string;
  /** Share of the steps at which an account buys or sells. */
  readonly orders: number;
  readonly judged?: keyof typeof MARKET_TARGETS;
  readonly make: () => VectorEnv;
}

const market = (config: MarketConfig) => (): VectorEnv => marketOn(minuteBars(), ACCOUNTS, config);

export const WORLDS: readonly World[] = [
  { name: 'MarketEnv, uniform actions', make: market(plain), orders: 2 / 3, judged: 'plain' },
  { name: 'MarketEnv, an order every 10 steps', make: market(plain), orders: 0.1 },
  { name: 'MarketEnv, rules and all exits', make: market(allExits), orders: 2 / 3 },
  { name: 'MarketEnv, all noise', make: market({ ...plain, noise }), orders: 2 / 3, judged: 'noisy' },
  { name: 'MarketEnv, rules, all exits, all noise', make: market({ ...allExits, noise }), orders: 2 / 3 },
  ...CLASSIC_IDS.map((id) => ({ name: id, make: () => makeClassicVector(id, ACCOUNTS), orders: 2 / 3 })),
];

export function worldAt(index: number): World {
  if (!(index in WORLDS)) throw new RangeError(`there is no world ${index}`);
  return WORLDS[index];
}

/** Steps with actions drawn beforehand; a stretch returns seconds a vector step. */
export function stepping(env: VectorEnv, orders: number, seconds: number): Stretch<number> {
  const stream = new RandomStream(2, 'bench/actions');
  const space = env.singleActionSpace;
  const draw = (): number => (stream.uniform() < orders ? 1 + stream.integer(2) : 0);
  const batches = Array.from({ length: 512 }, () =>
    space.kind === 'discrete'
      ? Int32Array.from({ length: env.numEnvs }, () => Math.min(draw(), space.n - 1))
      : Float32Array.from({ length: env.numEnvs }, () => stream.uniform()),
  );
  env.reset({ seed: 1 });
  let k = 0;
  const step = (): void => env.step(batches[k++ & 511]);
  for (let n = 0; n < 20_000; n++) step();
  return timed(step, seconds);
}
