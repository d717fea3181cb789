// How fast the policy engine's kernels are: the rate of each matrix product by shape, one minibatch by phase, the
// latency of acting. Medians of repeated runs. node bench/kernels.mjs (after npm run build)
import { RandomStream } from '#env/seeding.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { instantiatePolicyKernels, roundUp } from '#agents/policy/simd/kernels.js';
import { PLAIN_HYPERPARAMETERS, emptyLosses, randomBatch } from '#agents/policy/random-batch.js';

const REPEATS = 15;
const SECONDS_A_REPEAT = 0.02;

/** Median seconds of one call. */
function seconds(run) {
  for (let i = 0; i < 300; i++) run();
  let count = 1;
  for (;;) {
    const start = performance.now();
    for (let i = 0; i < count; i++) run();
    if (performance.now() - start > 1000 * SECONDS_A_REPEAT) break;
    count *= 2;
  }
  const times = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const start = performance.now();
    for (let i = 0; i < count; i++) run();
    times.push((performance.now() - start) / 1000 / count);
  }
  return times.sort((a, b) => a - b)[REPEATS >> 1];
}

const memory = new WebAssembly.Memory({ initial: 256 });
const kernels = instantiatePolicyKernels(memory);
const floats = new Float32Array(memory.buffer, 65536);
const stream = new RandomStream(1, 'bench');
for (let i = 0; i < floats.length; i++) floats[i] = 0.1 * stream.normal();

/** Places for a layer of that shape: regions of 2 MB from 1 MB on. */
const at = (region) => 1048576 + region * 2097152;
const rate = (name, flop, run) => {
  const s = seconds(run);
  console.log(
    `${name.padEnd(44)} ${(s * 1e6).toFixed(2).padStart(9)} us ${(flop / s / 1e9).toFixed(1).padStart(6)} GFLOP/s`,
  );
  return flop / s / 1e9;
};

console.log('products (B x I x O)');
let best = 0;
for (const [B, I, O] of [
  [64, 64, 64],
  [64, 14, 64],
  [64, 64, 3],
  [64, 64, 1],
  [64, 256, 256],
  [64, 14, 256],
  [1, 64, 64],
  [8, 64, 64],
]) {
  const stride = (roundUp(B, 8) + 2) * 32;
  const flop = 2 * B * I * O;
  const shape = `${B} x ${I} x ${O}`;
  best = Math.max(
    best,
    rate(`forward ${shape}`, flop, () => kernels.linearForward(at(0), stride, at(1), stride, at(2), at(3), B, I, O)),
  );
  if (B < 8) continue;
  rate(`gradient of the input ${shape}`, flop, () =>
    kernels.linearBackwardInput(at(0), at(1), stride, at(3), stride, at(2), B, I, O, 0),
  );
  rate(`gradient of the weights ${shape}`, flop, () =>
    kernels.linearBackwardWeight(at(2), at(1), stride, at(3), stride, B, I, O, false),
  );
}
{
  const stride = 66 * 32;
  const us = (name, run) => console.log(`${name.padEnd(44)} ${(seconds(run) * 1e6).toFixed(2).padStart(9)} us`);
  console.log('elementwise');
  us('tanh 64 x 64', () => kernels.activate(at(0), stride, 64, 64, 0));
  us('relu 64 x 64', () => kernels.activate(at(0), stride, 64, 64, 1));
  us('transpose 64 x 64', () => kernels.transposeWeight(at(0), at(1), 64, 64));
  us('bias gradient 64 x 64', () => kernels.linearBackwardBias(at(0), at(1), stride, 64, 64, false));
  us('gather 64 rows of 14', () => kernels.gatherRows(at(0), stride, at(1), 0, 64, 64, 14));
  us('sum of squares, 5760', () => kernels.sumSquares(at(0), 5760));
  floats.fill(1e-6, (at(3) - 65536) >> 2, ((at(3) - 65536) >> 2) + 6000);
  us('Adam, 5760', () => kernels.adamStep(at(0), at(1), at(2), at(3), 5760, 1, 1e-6, 1, 1e-5));
}

/** FLOPs that the networks need: the first layer computes no gradient of its input. */
function trueFlops(spec, rows) {
  const tower = (hidden, outputs) => {
    const widths = [spec.observationSize, ...hidden, outputs];
    let macs = 0;
    for (let i = 0; i + 1 < widths.length; i++) macs += (i === 0 ? 2 : 3) * widths[i] * widths[i + 1];
    return macs;
  };
  return 2 * rows * (tower(spec.netArch.pi, spec.action.n) + tower(spec.netArch.vf, 1));
}

console.log('minibatch: gather, forward, loss, backward, clipping, Adam');
for (const [width, rows] of [
  [64, 64],
  [64, 256],
  [64, 2048],
  [256, 64],
  [256, 2048],
]) {
  const spec = {
    observationSize: 14,
    action: { kind: 'discrete', n: 3 },
    netArch: { pi: [width, width], vf: [width, width] },
    activation: 'tanh',
    orthoInit: true,
    logStdInit: 0,
  };
  const engine = createSimdEngine(spec, { init: new RandomStream(1, 'init') });
  const batch = randomBatch(engine, stream, 2048, false, 0);
  engine.setBatch(batch);
  const order = new Int32Array(2048);
  stream.permutation(order);
  const indices = order.slice(0, rows);
  const losses = emptyLosses();
  const hyper = { ...PLAIN_HYPERPARAMETERS, learningRate: 1e-7 };
  const gradientOnly = { ...hyper, klLimit: -1 };
  const flop = trueFlops(spec, rows);
  const whole = rate(`[${width},${width}], ${rows} rows: update`, flop, () => engine.update(losses, indices, hyper));
  rate(`[${width},${width}], ${rows} rows: without Adam`, flop, () => engine.update(losses, indices, gradientOnly));
  console.log(`  ${((100 * whole) / best).toFixed(0)}% of the best product above`);
  if (rows === 64) {
    for (const n of [1, 8, 64]) {
      const out = { actions: new Float32Array(n), logProbs: new Float32Array(n), values: new Float32Array(n) };
      const noise = Float64Array.from({ length: n }, () => stream.uniform());
      const observations = batch.observations.slice(0, 14 * n);
      const s = seconds(() => engine.act(out, observations, null, noise, n));
      console.log(`  act, ${n} observations: ${(s * 1e6).toFixed(2)} us`);
    }
  }
}
