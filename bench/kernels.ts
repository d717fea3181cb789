/** The policy engine's kernels: matrix products by shape, elementwise work, one minibatch by phase, acting. */
import { RandomStream } from '#env/seeding.js';
import type { PolicySpec } from '#agents/policy/contract.js';
import { policyLayout } from '#agents/policy/layout.js';
import { emptyLosses, PLAIN_HYPERPARAMETERS, randomBatch } from '#agents/policy/random-batch.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { backward, forward, transposeWeights } from '#agents/policy/simd/halves.js';
import { PolicyMemory } from '#agents/policy/simd/memory.js';
import { KernelBench, type Product, SHAPES, updateFlopsPerRow } from './flops.js';
import type { Section } from './report.js';
import { interleave, median, processorShare, processorTime, timed } from './sampling.js';

interface Effort {
  readonly rounds: number;
  /** Of one stretch. */
  readonly seconds: number;
}

let productBench: KernelBench | null = null;

/** Medians of the products' rates a second of processor time, of all or of the named ones; the best is what the update phase is compared with. */
export function productRates(
  { rounds, seconds }: Effort,
  names: readonly string[] | null = null,
): { name: string; gflops: number }[] {
  productBench ??= new KernelBench(6);
  const bench = productBench;
  const all = SHAPES.flatMap((shape) => bench.products(shape));
  const products = names === null ? all : all.filter(({ name }) => names.includes(name));
  const tasks = products.map(({ run }) => {
    const stretch = timed(run, seconds);
    return (): number => {
      const processor = processorTime();
      return stretch() * processorShare(processor);
    };
  });
  const samples = interleave(tasks, rounds);
  return products.map(({ name, flop }, k) => ({ name, gflops: flop / median(samples[k]) / 1e9 }));
}

export function kernels(effort: Effort): Section {
  const stream = new RandomStream(1, 'bench/minibatch');
  const works: Product[] = [...layers(), ...minibatches(stream), ...phases(stream)];
  const tasks = works.map(({ run }) => timed(run, effort.seconds));
  const samples = interleave(tasks, effort.rounds);
  const best = Math.max(...works.slice(0, layers().length).map(({ flop }, k) => flop / median(samples[k])));
  const rows = works.map(({ name, flop }, k) => {
    const seconds = median(samples[k]);
    const rate = flop === 0 ? '' : (flop / seconds / 1e9).toFixed(1);
    const share = flop === 0 ? '' : `${((100 * flop) / seconds / best).toFixed(0)}%`;
    return [name, (seconds * 1e6).toFixed(2), (Math.min(...samples[k]) * 1e6).toFixed(2), rate, share];
  });
  return {
    name: 'kernels',
    title: 'Kernels',
    columns: ['kernel', 'median us', 'fastest us', 'GFLOP/s', 'of the best product'],
    rows,
    notes: [],
    verdicts: [],
    samples: works.map(({ name, flop }, k) => ({ name, flop, seconds: samples[k] })),
  };
}

function layers(): Product[] {
  const bench = new KernelBench(14);
  const { kernels } = bench;
  const stride = 66 * 32;
  // Adam at work on tensors of its own: a steady gradient of a millionth, moments from 0
  const [parameters, gradient, first, second] = [8, 9, 10, 11].map((place) => bench.at(place));
  bench.fill(9, 6000, 1e-6);
  bench.fill(10, 6000, 0);
  bench.fill(11, 6000, 0);
  const plain = (name: string, run: () => void): Product => ({ name, flop: 0, run });
  return [
    ...SHAPES.flatMap((shape) => bench.products(shape)),
    plain('tanh 64 x 64', () => kernels.activate(bench.at(6), stride, 64, 64, 0)),
    plain('relu 64 x 64', () => kernels.activate(bench.at(7), stride, 64, 64, 1)),
    plain('transpose 64 x 64', () => kernels.transposeWeight(bench.at(12), bench.at(3), 64, 64)),
    plain('gradient of the bias 64 x 64', () =>
      kernels.linearBackwardBias(bench.at(12), bench.at(1), stride, 64, 64, false),
    ),
    plain('gather 64 rows of 14', () => kernels.gatherRows(bench.at(12), stride, bench.at(1), 0, 64, 64, 14)),
    plain('sum of squares, 5760', () => kernels.sumSquares(bench.at(13), 5760)),
    plain('Adam, 5760', () => kernels.adamStep(parameters, gradient, first, second, 5760, 1, 1e-6, 1, 1e-5)),
  ];
}

const specOf = (width: number): PolicySpec => ({
  observationSize: 14,
  action: { kind: 'discrete', n: 3 },
  netArch: { pi: [width, width], vf: [width, width] },
  activation: 'tanh',
  orthoInit: true,
  logStdInit: 0,
});

/** A step so small that thousands of them leave the policy where it was. */
const HYPER = { ...PLAIN_HYPERPARAMETERS, learningRate: 1e-7 };

/** Whole minibatches: gather, forward, loss, backward, clipping, Adam; true operations. */
function minibatches(stream: RandomStream): Product[] {
  return [
    [64, 64],
    [64, 256],
    [64, 2048],
    [256, 64],
    [256, 2048],
  ].map(([width, rows]) => {
    const spec = specOf(width);
    const engine = createSimdEngine(spec, { init: new RandomStream(1, 'init') });
    engine.setBatch(randomBatch(engine, stream, 2048, false, 0));
    const order = new Int32Array(2048);
    stream.permutation(order);
    const indices = order.slice(0, rows);
    const losses = emptyLosses();
    return {
      name: `minibatch of ${rows}, nets [${width},${width}]`,
      flop: rows * updateFlopsPerRow(spec),
      run: () => engine.update(losses, indices, HYPER),
    };
  });
}

/** A minibatch of 64 in parts, and acting. */
function phases(stream: RandomStream): Product[] {
  return [64, 256].flatMap((width) => {
    const spec = specOf(width);
    const nets = `nets [${width},${width}]`;
    const engine = createSimdEngine(spec, { init: new RandomStream(1, 'init') });
    const batch = randomBatch(engine, stream, 64, false, 0);
    engine.setBatch(batch);
    const indices = Int32Array.from({ length: 64 }, (_, i) => i);
    const losses = emptyLosses();
    const memory = new PolicyMemory(spec, policyLayout(spec));
    const { observations, indices: rowsAt } = memory.reserveBatch(64);
    const halves = [memory.actor, memory.critic];
    const plain = (name: string, run: () => void): Product => ({ name: `${name}, ${nets}`, flop: 0, run });
    return [
      // a limit that every KL exceeds: all but the step
      plain('minibatch of 64 without Adam', () => engine.update(losses, indices, { ...HYPER, klLimit: -1 })),
      plain('forward of 64', () => {
        for (const half of halves) forward(memory, half, observations, rowsAt, 64);
      }),
      plain('backward of 64', () => {
        for (const half of halves) {
          transposeWeights(memory, half);
          backward(memory, half, 64, false);
        }
      }),
      ...[1, 8, 64].map((n) => {
        const out = { actions: new Float32Array(n), logProbs: new Float32Array(n), values: new Float32Array(n) };
        const noise = Float64Array.from({ length: n }, () => stream.uniform());
        const seen = batch.observations.slice(0, 14 * n);
        return plain(`act on ${n}`, () => engine.act(out, seen, null, noise, n));
      }),
    ];
  });
}
