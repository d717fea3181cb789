/** The trainings that are measured, alike for all of `bench` and for the peers. */
import { type PpoConfig, SB3_PPO } from '#agents/ppo/config.js';
import { policySpec } from '#agents/ppo/policy-spec.js';
import { Ppo } from '#agents/ppo/ppo.js';
import type { VectorEnv } from '#env/vector-env.js';
import { makeEngine } from './engines.js';
import { updateFlopsPerRow } from './flops.js';

export type CaseKey = 'defaults' | 'envs8' | 'envs64' | 'envs64wide';

export interface TrainingCase {
  readonly key: CaseKey;
  readonly title: string;
  readonly nEnvs: number;
  readonly config: PpoConfig;
}

const WIDE = { pi: [256, 256], vf: [256, 256] };

/** All else is as stable-baselines3 has it by default. */
export const TRAINING_CASES: readonly TrainingCase[] = [
  { key: 'defaults', title: 'defaults: 1 env, batch 64', nEnvs: 1, config: SB3_PPO },
  { key: 'envs8', title: '8 envs, batch 256', nEnvs: 8, config: { ...SB3_PPO, n_steps: 256, batch_size: 256 } },
  { key: 'envs64', title: '64 envs, batch 2048', nEnvs: 64, config: { ...SB3_PPO, n_steps: 128, batch_size: 2048 } },
  {
    key: 'envs64wide',
    title: '64 envs, batch 2048, nets [256,256]',
    nEnvs: 64,
    config: { ...SB3_PPO, n_steps: 128, batch_size: 2048, net_arch: WIDE },
  },
];

export function trainingCase(key: CaseKey): TrainingCase {
  const found = TRAINING_CASES.find((which) => which.key === key);
  if (found === undefined) throw new RangeError(`there is no case ${key}`);
  return found;
}

/** One stretch of a training. */
export interface TrainingSample {
  readonly steps: number;
  readonly seconds: number;
  readonly actSeconds: number;
  readonly envSeconds: number;
  readonly collectSeconds: number;
  readonly updateSeconds: number;
  /** True floating-point operations of the update phase. */
  readonly updateFlop: number;
}

/** A training under way, measured in stretches of whole updates. */
export class RunningTraining {
  readonly #ppo: Ppo;
  readonly #flopAnUpdate: number;

  private constructor(ppo: Ppo, flopAnUpdate: number) {
    this.#ppo = ppo;
    this.#flopAnUpdate = flopAnUpdate;
  }

  static async start({ config }: TrainingCase, env: VectorEnv, threads: number): Promise<RunningTraining> {
    const spec = policySpec(config, env.singleObservationSpace, env.singleActionSpace);
    const engine = await makeEngine(spec, threads);
    const clock = { nowMs: (): number => performance.now() };
    const ppo = new Ppo({ env, engine, config, seed: 1, totalTimesteps: 1e9, clock });
    return new RunningTraining(ppo, updateFlopsPerRow(spec) * config.n_epochs * config.n_steps * env.numEnvs);
  }

  run(updates: number): TrainingSample {
    const ppo = this.#ppo;
    const before = ppo.timesteps;
    const sums = { actMs: 0, envMs: 0, collectMs: 0, updateMs: 0 };
    const start = performance.now();
    for (let i = 0; i < updates; i++) {
      ppo.update();
      sums.actMs += ppo.phaseTimes.actMs;
      sums.envMs += ppo.phaseTimes.envMs;
      sums.collectMs += ppo.phaseTimes.collectMs;
      sums.updateMs += ppo.phaseTimes.updateMs;
    }
    return {
      seconds: (performance.now() - start) / 1000,
      steps: ppo.timesteps - before,
      actSeconds: sums.actMs / 1000,
      envSeconds: sums.envMs / 1000,
      collectSeconds: sums.collectMs / 1000,
      updateSeconds: sums.updateMs / 1000,
      updateFlop: this.#flopAnUpdate * updates,
    };
  }

  /** Updates that take about so many seconds, after a warm-up. */
  updatesIn(seconds: number): number {
    this.run(2);
    const sample = this.run(1);
    return Math.max(1, Math.round(seconds / sample.seconds));
  }

  dispose(): void {
    this.#ppo.engine.dispose();
  }
}
