/** What is trained to see whether its bits hold: a classic environment, and a market with all that a state can consist of. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface Subject {
  readonly name: string;
  readonly title: string;
  /** The experiment's file in the workplace. */
  readonly file: string;
}

interface Definition {
  readonly name: string;
  readonly title: string;
  readonly yaml: (steps: number) => string;
  readonly steps: number;
  readonly quickSteps: number;
}

const DEFINITIONS: readonly Definition[] = [
  {
    name: 'cart-pole',
    title: 'CartPole-v1, normalised, 8 environments',
    steps: 24_000,
    quickSteps: 8_000,
    yaml: (steps) => `
env: { id: CartPole-v1 }
agent: { n_steps: 32, batch_size: 64, n_epochs: 10, normalize: {} }
training: { total_timesteps: ${steps}, n_envs: 8, evaluate_every: 3000, evaluate_episodes: 3, checkpoint_every: 2000, keep_checkpoints: 2 }
`,
  },
  {
    name: 'market',
    title: 'MarketEnv: two symbols, long and short, every noise, exits, normaliser, best checkpoint by validation',
    steps: 20_000,
    quickSteps: 6_000,
    yaml: (steps) => `
data:
  datasets: [bits-one, bits-two]
  train: { to: 2020-01-17 }
  validation: { from: 2020-01-17, to: 2020-01-22 }
env:
  sleeves: equal
  direction: long_short
  rules: { flat_before_close_minutes: 5 }
  episode: { length: 90, random_start: true }
  exits: { initial_stop: 0.03, trailing_stop: 0.02, take_profit: [{ gain: 0.01, fraction: 0.5 }] }
  noise: { fill_price_bps: 5, observation: 0.001, cost: 0.2, delay: 0.1, price_bps: 10, price_replicas: 3 }
agent: { n_steps: 64, batch_size: 64, n_epochs: 10, normalize: {}, learning_rate: { schedule: linear, initial: 3e-4, final: 3e-5 } }
training: { total_timesteps: ${steps}, n_envs: 4, evaluate_every: 2500, checkpoint_every: 1500 }
`,
  },
];

/** Makes a folder to run in, with the experiments' files and the data sets that they name. */
export function prepareWorkplace(folder: string, quick: boolean): Subject[] {
  mkdirSync(path.join(folder, 'datasets'), { recursive: true });
  for (const [name, symbol, seed] of [
    ['bits-one', 'ONE', 1],
    ['bits-two', 'TWO', 2],
  ] as const) {
    writeFileSync(
      path.join(folder, 'datasets', `${name}.yaml`),
      `name: ${name}
title: SYNTHETIC one-minute bars, 14 sessions
source: OpenBell's generator (src/data/synthetic.ts); no real market
licence: MIT
synthetic: { seed: ${seed}, from: 2020-01-02, sessions: 14, start_price: 100 }
interval: 1m
calendar: XNYS
instrument: { symbol: ${symbol}, type: STK }
adjustments: { prices: none }
`,
    );
  }
  return DEFINITIONS.map(({ name, title, yaml, steps, quickSteps }) => {
    const file = path.join(folder, `${name}.yaml`);
    writeFileSync(file, yaml(quick ? quickSteps : steps));
    return { name, title, file };
  });
}
