/** The trainings that are measured, alike for all of `bench` and for the peers. */
import { type PpoConfig, SB3_PPO } from '#agents/ppo/config.js';
import { policySpec } from '#agents/ppo/policy-spec.js';
import { Ppo } from '#agents/ppo/ppo.js';
import type { VectorEnv } from '#env/vector-env.js';
import { makeEngine, makeTfjsEngine, type TfjsChoice } from './engines.js';
import { updateFlopsPerRow } from './flops.js';
import { processorShare, processorTime } from './sampling.js';

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

/** `quick`: a short rollout and two epochs, to see that everything runs. */
export function trainingCase(key: CaseKey, quick: boolean): TrainingCase {
  const found = TRAINING_CASES.find((which) => which.key === key);
  if (found === undefined) throw new RangeError(`there is no case ${key}`);
  if (!quick) return found;
  return { ...found, config: { ...found.config, n_steps: found.config.n_steps / 4, n_epochs: 2 } };
}

/** One stretch of a training. */
export interface TrainingSample {
  readonly steps: number;
  readonly seconds: number;
  readonly actSeconds: number;
  readonly envSeconds: number;
  readonly collectSeconds: number;
  readonly updateSeconds: number;
  /** Rows of all minibatches of the update phase, and their true floating-point operations. */
  readonly updateRows: number;
  readonly updateFlop: number;
  /** Share of the stretch in which the process had a processor. */
  readonly processorShare: number;
}

/** A training under way, measured in stretches of whole updates. */
export class RunningTraining {
  readonly #ppo: Ppo;
  readonly #rowsAnUpdate: number;
  readonly #flopARow: number;

  private constructor(ppo: Ppo, rowsAnUpdate: number, flopARow: number) {
    this.#ppo = ppo;
    this.#rowsAnUpdate = rowsAnUpdate;
    this.#flopARow = flopARow;
  }

  /** `tfjs`: that engine instead of simd. */
  static async start(
    { config }: TrainingCase,
    env: VectorEnv,
    threads: number,
    tfjs: TfjsChoice | null = null,
  ): Promise<RunningTraining> {
    const spec = policySpec(config, env.singleObservationSpace, env.singleActionSpace);
    const engine = tfjs === null ? await makeEngine(spec, threads) : await makeTfjsEngine(spec, tfjs);
    const clock = { nowMs: (): number => performance.now() };
    const ppo = new Ppo({ env, engine, config, seed: 1, totalTimesteps: 1e9, clock });
    return new RunningTraining(ppo, config.n_epochs * config.n_steps * env.numEnvs, updateFlopsPerRow(spec));
  }

  run(updates: number): TrainingSample {
    const ppo = this.#ppo;
    const before = ppo.timesteps;
    const sums = { actMs: 0, envMs: 0, collectMs: 0, updateMs: 0 };
    const processor = processorTime();
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
      updateRows: this.#rowsAnUpdate * updates,
      updateFlop: this.#flopARow * this.#rowsAnUpdate * updates,
      processorShare: processorShare(processor),
    };
  }

  /** Updates that take about so many seconds, after a warm-up. */
  updatesIn(seconds: number): number {
    this.run(1);
    const sample = this.run(1);
    return Math.max(1, Math.round(seconds / sample.seconds));
  }

  dispose(): void {
    this.#ppo.engine.dispose();
  }
}
