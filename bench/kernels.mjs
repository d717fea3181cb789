// How fast the policy engine's kernels are: the rate of each matrix product by shape, one minibatch by phase, the
// latency of acting. node bench/kernels.mjs (after npm run build)
import { RandomStream } from '#env/seeding.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { policyLayout } from '#agents/policy/layout.js';
import { backward, forward, transposeWeights } from '#agents/policy/simd/halves.js';
import { instantiatePolicyKernels, roundUp } from '#agents/policy/simd/kernels.js';
import { PolicyMemory } from '#agents/policy/simd/memory.js';
import { PLAIN_HYPERPARAMETERS, emptyLosses, randomBatch } from '#agents/policy/random-batch.js';

const REPEATS = 41;
const SECONDS_A_REPEAT = 0.002;

/** Median and fastest seconds of one call: on a machine with other work the fastest tells more. */
function time(run) {
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
  times.sort((a, b) => a - b);
  return { median: times[REPEATS >> 1], fastest: times[0] };
}

/** Prints microseconds and returns the fastest time in seconds. */
function show(name, run, flop = 0) {
  const { median, fastest } = time(run);
  const us = (s) => (s * 1e6).toFixed(2).padStart(10);
  const rate =
    flop > 0 ? `${(flop / median / 1e9).toFixed(1).padStart(7)} ${(flop / fastest / 1e9).toFixed(1).padStart(7)}` : '';
  console.log(`${name.padEnd(42)}${us(median)}${us(fastest)}${rate}`);
  return fastest;
}

const memory = new WebAssembly.Memory({ initial: 256 });
const kernels = instantiatePolicyKernels(memory);
const floats = new Float32Array(memory.buffer, 65536);
const stream = new RandomStream(1, 'bench');
for (let i = 0; i < floats.length; i++) floats[i] = 0.1 * stream.normal();

/** Places for a layer of that shape: regions of 2 MB from 1 MB on. */
const at = (region) => 1048576 + region * 2097152;
console.log(`${'median, fastest'.padEnd(42)}        us        us GFLOP/s GFLOP/s`);
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
  const forwards = () => kernels.linearForward(at(0), stride, at(1), stride, at(2), at(3), B, I, O);
  best = Math.max(best, flop / show(`forward ${shape}`, forwards, flop));
  if (B < 8) continue;
  const inputs = () => kernels.linearBackwardInput(at(0), at(1), stride, at(3), stride, at(2), B, I, O, 0);
  best = Math.max(best, flop / show(`gradient of the input ${shape}`, inputs, flop));
  const weights = () => kernels.linearBackwardWeight(at(4), at(1), stride, at(3), stride, B, I, O, false);
  best = Math.max(best, flop / show(`gradient of the weights ${shape}`, weights, flop));
}
{
  const stride = 66 * 32;
  console.log('elementwise');
  show('tanh 64 x 64', () => kernels.activate(at(0), stride, 64, 64, 0));
  show('relu 64 x 64', () => kernels.activate(at(0), stride, 64, 64, 1));
  show('transpose 64 x 64', () => kernels.transposeWeight(at(0), at(1), 64, 64));
  show('bias gradient 64 x 64', () => kernels.linearBackwardBias(at(0), at(1), stride, 64, 64, false));
  show('gather 64 rows of 14', () => kernels.gatherRows(at(0), stride, at(1), 0, 64, 64, 14));
  show('sum of squares, 5760', () => kernels.sumSquares(at(0), 5760));
  floats.fill(1e-6, (at(3) - 65536) >> 2, ((at(3) - 65536) >> 2) + 6000);
  show('Adam, 5760', () => kernels.adamStep(at(0), at(1), at(2), at(3), 5760, 1, 1e-6, 1, 1e-5));
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
  const whole = show(`[${width},${width}], ${rows} rows`, () => engine.update(losses, indices, hyper), flop);
  console.log(`  ${((100 * flop) / whole / best).toFixed(0)}% of the best product above`);
  if (rows !== 64) continue;

  const gradient = show('  without Adam', () => engine.update(losses, indices, gradientOnly));
  const memory = new PolicyMemory(spec, policyLayout(spec));
  const { observations, indices: rowsAt } = memory.reserveBatch(64);
  const halves = [memory.actor, memory.critic];
  const forwards = show('  forward', () => {
    for (const half of halves) forward(memory, half, observations, rowsAt, 64);
  });
  const backwards = show('  backward', () => {
    for (const half of halves) {
      transposeWeights(memory, half);
      backward(memory, half, 64, false);
    }
  });
  const us = (s) => (s * 1e6).toFixed(1);
  console.log(`  so losses and norm take ${us(gradient - forwards - backwards)} us, Adam ${us(whole - gradient)} us`);
  for (const n of [1, 8, 64]) {
    const out = { actions: new Float32Array(n), logProbs: new Float32Array(n), values: new Float32Array(n) };
    const noise = Float64Array.from({ length: n }, () => stream.uniform());
    const seen = batch.observations.slice(0, 14 * n);
    show(`  act, ${n} observations`, () => engine.act(out, seen, null, noise, n));
  }
}
