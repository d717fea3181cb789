/** Whole trainings by phase: rollout (acting, environment, storing) and update, on MarketEnv and CartPole. */
import { TRAINING_CASES, type TrainingSample } from './cases.js';
import { type Child, interleaveChildren, openbellChild } from './child.js';
import { MOST_THREADS } from './engines.js';
import { percent, type Section, whole } from './report.js';
import { median } from './sampling.js';
import { UPDATE_SHARE_TARGET, type Verdict } from './targets.js';

interface Running {
  readonly name: string;
  readonly threads: number;
  readonly samples: readonly TrainingSample[];
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
    const best: number[] = [];
    for (let round = 0; round < rounds; round++) {
      best.push(await bestProduct(kernels));
      const train = (k: number): object => ({ do: 'train', updates: updates[k] });
      const samples = await interleaveChildren<TrainingSample>(children, train, 1);
      samples.forEach(([sample], k) => taken[k].push(sample));
    }
    const measured = runs.map(({ name, threads }, k) => ({ name, threads, samples: taken[k] }));
    return [rolloutSection(measured), updateSection(measured, median(best)), wholeSection(measured)];
  } finally {
    for (const child of [...children, kernels]) child.close();
  }
}

/** GFLOP/s of the fastest matrix product now, on one thread. */
export async function bestProduct(child: Child): Promise<number> {
  const rates = await child.ask<{ gflops: number }[]>({ do: 'products', rounds: 5, seconds: 0.002 });
  return Math.max(...rates.map(({ gflops }) => gflops));
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

function updateSection(runs: readonly Running[], best: number): Section {
  const rate = (run: Running): number =>
    medianOf(run.samples, ({ updateFlop, updateSeconds }) => updateFlop / updateSeconds / 1e9);
  return {
    name: 'update',
    title: 'Update: the epochs of minibatches',
    columns: ['training', 'threads', 'rows/s', 'GFLOP/s', 'of the best product'],
    rows: runs.map((run) => [
      run.name,
      String(run.threads),
      whole(medianOf(run.samples, ({ updateRows, updateSeconds }) => updateRows / updateSeconds)),
      rate(run).toFixed(1),
      percent(rate(run) / best),
    ]),
    notes: [
      `The best matrix product runs at ${best.toFixed(1)} GFLOP/s on one thread. Only what the networks need is counted: the first layer computes no gradient of its input; activations, losses, norms and Adam count as nothing but time.`,
    ],
    verdicts: updateVerdicts(runs.filter(({ threads }) => threads === 1).map((run) => [run.name, rate(run) / best])),
    samples: { runs, bestGflops: best },
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
