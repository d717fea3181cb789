// PPO's speed at stable-baselines3's defaults (1 environment, n_steps 2048, batch 64, 10 epochs, two nets of 64, 64),
// one thread: environment steps a second and the share of each phase. The best of many updates,
// since other work on the machine only ever slows one down.
//   node bench/ppo.mjs [updates 20]      (after npm run build)
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { SB3_PPO } from '#agents/ppo/config.js';
import { policySpec } from '#agents/ppo/policy-spec.js';
import { Ppo } from '#agents/ppo/ppo.js';
import { makeClassicVector } from '#env/classic/index.js';
import { calendarNamed } from '#env/market/calendar.js';
import { DEFAULT_MARKET_CONFIG } from '#env/market/config.js';
import { MarketEnv } from '#env/market/market-env.js';
import { RandomStream } from '#env/seeding.js';

const updates = Number(process.argv[2] ?? 20);
const clock = { nowMs: () => performance.now() };

/** A random walk on tick over about 20 years of New York sessions, one bar each. */
function dailyBars() {
  const stream = new RandomStream(1, 'bench/ppo');
  const sessions = calendarNamed('XNYS').sessionsBetween(Date.UTC(2000, 0, 1), Date.UTC(2020, 0, 1));
  const length = sessions.length;
  const [open, high, low, close, volume] = Array.from({ length: 5 }, () => new Float64Array(length));
  const onTick = (value) => Math.round(value * 100) / 100;
  let price = 100;
  for (let t = 0; t < length; t++) {
    open[t] = price;
    price = onTick(Math.min(Math.max(price * (1 + 0.01 * stream.normal()), 20), 500));
    close[t] = price;
    high[t] = onTick(Math.max(open[t], price) * (1 + 0.005 * stream.uniform()));
    low[t] = onTick(Math.min(open[t], price) * (1 - 0.005 * stream.uniform()));
    volume[t] = stream.integer(1_000_000);
  }
  const ticks = [{ lowEdge: 0, increment: 0.01 }];
  return {
    instrument: { symbol: 'BENCH', securityType: 'STK', currency: 'USD', exchange: 'SMART', ticks, lotSize: 1 },
    interval: { label: '1d', ms: 86_400_000 },
    calendar: 'XNYS',
    length,
    openTimeMs: Float64Array.from(sessions, ({ openMs }) => openMs),
    open,
    high,
    low,
    close,
    volume,
    factor: null,
    segments: [{ start: 0, end: length }],
    source: 'bench',
    synthetic: true,
    sha256: 'bench',
  };
}

const bars = dailyBars();
const windows = [{ bars, segment: bars.segments[0], start: 300, end: bars.length }];
const market = (numEnvs) => new MarketEnv({ windows, config: DEFAULT_MARKET_CONFIG, numEnvs, seed: 1 });
const cartPole = (numEnvs) => makeClassicVector('CartPole-v1', numEnvs);
const CASES = [
  ['MarketEnv, defaults (1 env, batch 64)', market, 1, {}],
  ['CartPole-v1, defaults (1 env, batch 64)', cartPole, 1, {}],
  ['MarketEnv, 8 envs, batch 64', market, 8, { n_steps: 256 }],
  ['MarketEnv, 8 envs, batch 256', market, 8, { n_steps: 256, batch_size: 256 }],
  ['MarketEnv, 64 envs, batch 2048', market, 64, { n_steps: 128, batch_size: 2048 }],
  [
    'MarketEnv, 64 envs, batch 2048, nets [256,256]',
    market,
    64,
    { n_steps: 128, batch_size: 2048, net_arch: { pi: [256, 256], vf: [256, 256] } },
  ],
];

for (const [name, make, n_envs, change] of CASES) {
  const config = { ...SB3_PPO, ...change };
  const env = make(n_envs);
  const spec = policySpec(config, env.singleObservationSpace, env.singleActionSpace);
  const engine = createSimdEngine(spec, { init: new RandomStream(1, 'policy/init') });
  const ppo = new Ppo({ env, engine, config, seed: 1, totalTimesteps: 1e9, clock });
  const steps = config.n_steps * n_envs;
  let best = Number.POSITIVE_INFINITY;
  let phases = null;
  for (let i = 0; i < updates; i++) {
    const start = performance.now();
    ppo.update();
    const elapsed = performance.now() - start;
    if (elapsed >= best) continue;
    best = elapsed;
    phases = { ...ppo.phaseTimes };
  }
  const share = (ms) => `${((100 * ms) / best).toFixed(1)}%`;
  const { actMs, envMs, collectMs, updateMs } = phases;
  const speed = Math.round((steps * 1000) / best)
    .toLocaleString('en')
    .padStart(8);
  console.log(
    `${speed} steps/s  ${name}: act ${share(actMs)}, env ${share(envMs)}, collect ${share(collectMs)}, update ${share(updateMs)}`,
  );
  engine.dispose();
}
