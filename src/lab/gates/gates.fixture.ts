/** A market whose edge a small network finds in a second: the price goes up and down in twenty bars. */
import { exp, sin } from '#env/math/index.js';
import { RandomStream } from '#env/seeding.js';
import { parseExperiment } from '#src/config/load.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import type { Row } from '../walk-forward/walk-forward.fixture.js';

const CYCLE_BARS = 20;

/** Weekdays from 2015-01-01 on. */
export function cycleRows(count: number, seed = 1): Row[] {
  const stream = new RandomStream(seed, 'test/gates');
  const rows: Row[] = [];
  for (let day = Date.UTC(2015, 0, 1); rows.length < count; day += 86_400_000) {
    const weekday = new Date(day).getUTCDay();
    if (weekday === 0 || weekday === 6) continue;
    const close = 100 * exp(0.1 * sin((2 * Math.PI * rows.length) / CYCLE_BARS) + 0.005 * stream.normal());
    rows.push({
      date: new Date(day).toISOString().slice(0, 10),
      close,
      volume: 1000 + Math.floor(500 * stream.uniform()),
    });
  }
  return rows;
}

/** Learns from the first years of WALK.yaml, chooses on 2018, is judged on what follows. */
export function gatedExperiment(folder: string, more = ''): ExperimentConfig {
  return parseExperiment(gatedYaml(folder, more), 'gated.yaml').config;
}

export const gatedYaml = (folder: string, more = ''): string => `
name: gated
seed: 1
env: { id: market, episode: { length: 100 }, costs: { model: percent, percent_bps: 1 }, reward: { type: logReturn, scale: 100 } }
data:
  datasets: [${JSON.stringify(`${folder}/WALK.yaml`)}]
  train: { to: 2018-01-01 }
  validation: { from: 2018-01-01, to: 2018-07-01 }
  test: { from: 2018-07-01 }
observation: { warmup: 60 }
agent: { n_steps: 64, batch_size: 128, n_epochs: 5, learning_rate: 2e-3, gamma: 0.9, net_arch: { pi: [16], vf: [16] }, normalize: {} }
training: { total_timesteps: 20480, n_envs: 8, evaluate_every: 5120 }
${more}`;
