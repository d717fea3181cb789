/** Whole trainings by phase: rollout (acting, environment, storing) and update, on MarketEnv and CartPole. */
import { TRAINING_CASES, type TrainingSample } from './cases.js';
import { type Child, openbellChild } from './child.js';
import { MOST_THREADS } from './engines.js';
import { percent, type Section, whole } from './report.js';
import { median } from './sampling.js';
import { UPDATE_SHARE_TARGET, type Verdict } from './targets.js';

interface Running {
  readonly name: string;
  readonly threads: number;
  readonly samples: readonly TrainingSample[];
  /** GFLOP/s of the best product in a stretch as long, just before each sample. */
  readonly bestGflops: readonly number[];
}

interface Effort {
  readonly rounds: number;
  readonly seconds: number;
  readonly quick: boolean;
}

/** The sections `rollout`, `update` and `training`, from one measurement. */
export async function training({ rounds, seconds, quick }: Effort): Promise<Section[]> {
  const threadCounts = Array.from({ length: MOST_THREADS }, (_, k) => k + 1);
  const [defaults] = TRAINING_CASES;
  const runs = [
    ...TRAINING_CASES.flatMap(({ key, title }) =>
      threadCounts.map((threads) => ({ name: `MarketEnv, ${title}`, world: 'market', key, threads })),
    ),
    { name: `CartPole-v1, ${defaults.title}`, world: 'cartpole', key: defaults.key, threads: 1 },
  ];
  const children = runs.map(() => openbellChild());
  const kernels = openbellChild();
  try {
    const product = await BestProduct.find(kernels);
    const updates: number[] = [];
    for (const [k, { world, key, threads }] of runs.entries()) {
      const prepared = await children[k].ask<{ updates: number }>({
        do: 'training',
        world,
        key,
        threads,
        seconds,
        quick,
      });
      updates.push(prepared.updates);
    }
    const taken: TrainingSample[][] = runs.map(() => []);
    const best: number[][] = runs.map(() => []);
    for (let round = 0; round < rounds; round++) {
      for (const [k, child] of children.entries()) {
        best[k].push(await product.gflops(seconds));
        taken[k].push(await child.ask<TrainingSample>({ do: 'train', updates: updates[k] }));
      }
    }
    const measured = runs.map(({ name, threads }, k) => ({
      name,
      threads,
      samples: taken[k],
      bestGflops: best[k],
    }));
    return [rolloutSection(measured), updateSection(measured), wholeSection(measured)];
  } finally {
    for (const child of [...children, kernels]) child.close();
  }
}

/**
 * The kernels' fastest matrix product on one thread, among all their shapes. It is measured in stretches as long as
 * the training's beside it: on a busy machine a short one would often slip through undisturbed, and a long one never.
 */
export class BestProduct {
  readonly #child: Child;
  readonly #name: string;

  private constructor(child: Child, name: string) {
    this.#child = child;
    this.#name = name;
  }

  static async find(child: Child): Promise<BestProduct> {
    const all = { do: 'products', rounds: 15, seconds: 0.002, names: null };
    const rates = await child.ask<{ name: string; gflops: number }[]>(all);
    return new BestProduct(child, rates.reduce((a, b) => (b.gflops > a.gflops ? b : a)).name);
  }

  /** GFLOP/s now; works for about `seconds`. */
  async gflops(seconds: number): Promise<number> {
    const request = { do: 'products', rounds: 1, seconds, names: [this.#name] };
    const [{ gflops }] = await this.#child.ask<{ gflops: number }[]>(request);
    return gflops;
  }
}

/**
 * Share of the best product's rate in the update phase of one thread, both a second of processor time: median over the
 * rounds of the ratio inside a round.
 */
export function updateShare(samples: readonly Partial<TrainingSample>[], bestGflops: readonly number[]): number {
  return median(
    samples.map(
      ({ updateFlop = 0, updateSeconds = Number.NaN, processorShare = 1 }, k) =>
        updateFlop / (updateSeconds * processorShare) / 1e9 / bestGflops[k],
    ),
  );
}

const medianOf = (samples: readonly TrainingSample[], value: (sample: TrainingSample) => number): number =>
  median(samples.map(value));

const rolloutSeconds = ({ seconds, updateSeconds }: TrainingSample): number => seconds - updateSeconds;

function rolloutSection(runs: readonly Running[]): Section {
  const share = (run: Running, part: (sample: TrainingSample) => number): string =>
    percent(medianOf(run.samples, (sample) => part(sample) / rolloutSeconds(sample)));
  return {
    name: 'rollout',
    title: 'Rollout',
    columns: ['training', 'threads', 'steps/s', 'acting', 'environment', 'storing'],
    rows: runs.map((run) => [
      run.name,
      String(run.threads),
      whole(medianOf(run.samples, (sample) => sample.steps / rolloutSeconds(sample))),
      share(run, ({ actSeconds }) => actSeconds),
      share(run, ({ envSeconds }) => envSeconds),
      share(run, ({ collectSeconds }) => collectSeconds),
    ]),
    notes: [],
    verdicts: [],
    samples: runs,
  };
}

function updateSection(runs: readonly Running[]): Section {
  const best = median(runs.flatMap(({ bestGflops }) => bestGflops));
  const shares = runs.map(({ samples, bestGflops }) => updateShare(samples, bestGflops));
  const rate = (run: Running): number =>
    medianOf(run.samples, ({ updateFlop, updateSeconds }) => updateFlop / updateSeconds / 1e9);
  return {
    name: 'update',
    title: 'Update: the epochs of minibatches',
    columns: ['training', 'threads', 'rows/s', 'GFLOP/s', 'of the best product'],
    rows: runs.map((run, k) => [
      run.name,
      String(run.threads),
      whole(medianOf(run.samples, ({ updateRows, updateSeconds }) => updateRows / updateSeconds)),
      rate(run).toFixed(1),
      percent(shares[k]),
    ]),
    notes: [
      `The best matrix product runs at ${best.toFixed(1)} GFLOP/s on one thread, measured before each stretch of training and as long; a share is the median of the ratios, both a second of processor time. Only what the networks need is counted: the first layer computes no gradient of its input; activations, losses, norms and Adam count as nothing but time.`,
    ],
    verdicts: updateVerdicts(
      runs.flatMap(({ name, threads }, k): [string, number][] => (threads === 1 ? [[name, shares[k]]] : [])),
    ),
    samples: runs,
  };
}

/** One verdict a training: its update's share of the best product's rate. */
export function updateVerdicts(shares: readonly (readonly [name: string, share: number])[]): Verdict[] {
  return shares.map(([name, share]) => ({
    what: `update phase, share of the best matrix product: ${name}`,
    unit: '%',
    target: UPDATE_SHARE_TARGET,
    sense: 'at least',
    measured: 100 * share,
  }));
}

function wholeSection(runs: readonly Running[]): Section {
  return {
    name: 'training',
    title: 'Whole training',
    columns: ['training', 'threads', 'steps/s', 'rollout', 'update'],
    rows: runs.map((run) => [
      run.name,
      String(run.threads),
      whole(medianOf(run.samples, ({ steps, seconds }) => steps / seconds)),
      percent(medianOf(run.samples, (sample) => rolloutSeconds(sample) / sample.seconds)),
      percent(medianOf(run.samples, ({ updateSeconds, seconds }) => updateSeconds / seconds)),
    ]),
    notes: [],
    verdicts: [],
    samples: runs,
  };
}
