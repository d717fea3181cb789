import { describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import type { ParameterSlot, PolicySpec, UpdateHyperparameters, UpdateLosses } from '../contract.js';
import { PLAIN_HYPERPARAMETERS, emptyLosses, randomBatch } from '../random-batch.js';
import { createSimdEngine } from '../simd/engine.js';
import { createTfjsEngine } from './engine.js';

const DISCRETE: PolicySpec = {
  observationSize: 14,
  action: { kind: 'discrete', n: 3 },
  netArch: { pi: [64, 64], vf: [64, 64] },
  activation: 'tanh',
  orthoInit: true,
  logStdInit: 0,
};
const BOX: PolicySpec = { ...DISCRETE, action: { kind: 'box', size: 2 }, logStdInit: -0.3 };

interface Case {
  name: string;
  spec: PolicySpec;
  hyper?: Partial<UpdateHyperparameters>;
  masked?: boolean;
  rows?: number;
}

const CASES: Case[] = [
  { name: 'defaults', spec: DISCRETE },
  { name: 'masks', spec: DISCRETE, masked: true },
  { name: 'masks and entropy', spec: DISCRETE, masked: true, hyper: { entCoef: 0.05 } },
  { name: 'entropy', spec: DISCRETE, hyper: { entCoef: 0.05 } },
  { name: 'value clipping', spec: DISCRETE, hyper: { clipRangeVf: 0.2 } },
  { name: 'pessimistic value clipping', spec: DISCRETE, hyper: { clipRangeVf: 0.2, valueClipping: 'pessimistic' } },
  { name: 'advantages as they are', spec: DISCRETE, hyper: { normalizeAdvantage: false } },
  { name: 'no gradient clipping', spec: DISCRETE, hyper: { maxGradNorm: null } },
  { name: 'strong gradient clipping', spec: DISCRETE, hyper: { maxGradNorm: 0.01 } },
  { name: 'relu', spec: { ...DISCRETE, activation: 'relu', orthoInit: false } },
  { name: 'linear', spec: { ...DISCRETE, netArch: { pi: [], vf: [] } } },
  {
    name: 'odd sizes',
    spec: {
      ...DISCRETE,
      observationSize: 5,
      action: { kind: 'discrete', n: 7 },
      netArch: { pi: [13, 3, 21], vf: [1] },
    },
  },
  {
    name: 'many actions',
    spec: { ...DISCRETE, action: { kind: 'discrete', n: 19 }, netArch: { pi: [9], vf: [33, 12] } },
    masked: true,
  },
  { name: 'remainder minibatch', spec: DISCRETE, rows: 37 },
  { name: 'one row', spec: DISCRETE, rows: 1 },
  { name: 'two rows', spec: DISCRETE, rows: 2 },
  { name: 'several chunks', spec: DISCRETE, rows: 203 },
  { name: 'wide', spec: { ...DISCRETE, netArch: { pi: [256, 256], vf: [256, 256] } }, rows: 100 },
  { name: 'Box', spec: BOX },
  { name: 'Box with entropy and value clipping', spec: BOX, hyper: { entCoef: 0.02, clipRangeVf: 0.1 } },
  {
    name: 'Box of 11, relu',
    spec: { ...BOX, activation: 'relu', action: { kind: 'box', size: 11 }, netArch: { pi: [20], vf: [30, 7] } },
    rows: 70,
  },
  {
    name: 'Box of 1, PyTorch default initialisation',
    spec: { ...BOX, orthoInit: false, action: { kind: 'box', size: 1 } },
    rows: 50,
  },
];

function distance(a: Float32Array, b: Float32Array): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < a.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    size += b[i] ** 2;
  }
  return Math.sqrt(difference) / Math.max(Math.sqrt(size), 1e-12);
}

/** Names of the tensors in which the two differ by more than `tolerance`, relative to their norm. */
function differing(
  layout: readonly ParameterSlot[],
  a: Float32Array,
  b: Float32Array,
  tolerance: number,
): { name: string; difference: number }[] {
  return layout
    .map(({ name, offset, size }) => ({
      name,
      difference: distance(a.subarray(offset, offset + size), b.subarray(offset, offset + size)),
    }))
    .filter(({ difference }) => !(difference < tolerance));
}

function expectLossesAgree(simd: UpdateLosses, tfjs: UpdateLosses): void {
  const keys = ['policyLoss', 'valueLoss', 'entropy', 'approxKl', 'gradNorm'] as const;
  const apart = keys.filter((key) => !(Math.abs(simd[key] - tfjs[key]) < 1e-4 * Math.max(Math.abs(tfjs[key]), 1e-2)));
  expect(apart).toEqual([]);
  expect(simd.clipFraction).toBeCloseTo(tfjs.clipFraction, 6);
}

describe('the simd engine and automatic differentiation', () => {
  it.each(CASES)(
    'agree on losses, gradients and five steps of Adam: $name',
    ({ spec, hyper: changed, masked = false, rows = 64 }) => {
      const hyper = { ...PLAIN_HYPERPARAMETERS, learningRate: 1e-3, ...changed };
      const stream = new RandomStream(11, 'oracle');
      const simd = createSimdEngine(spec, { init: new RandomStream(3, 'init') });
      const tfjs = createTfjsEngine(spec, { init: new RandomStream(3, 'init') });
      expect(simd.getParameters()).toEqual(tfjs.getParameters());
      // Away from the small initial head, so that every tensor has a gradient to compare.
      const moved = simd.getParameters().map((p) => p + 0.2 * stream.normal());
      simd.setParameters(moved);
      tfjs.setParameters(moved);
      const size = 2 * rows + 5;
      const batch = randomBatch(simd, stream, size, masked, 0.3);
      simd.setBatch(batch);
      tfjs.setBatch(batch);
      const order = new Int32Array(size);
      const [a, b] = [emptyLosses(), emptyLosses()];
      const [ga, gb] = [new Float32Array(simd.parameterCount), new Float32Array(simd.parameterCount)];
      stream.permutation(order);
      simd.gradients(ga, a, order.slice(0, rows), hyper);
      tfjs.gradients(gb, b, order.slice(0, rows), hyper);
      expectLossesAgree(a, b);
      expect(differing(simd.layout, ga, gb, 1e-4)).toEqual([]);
      for (let step = 0; step < 5; step++) {
        simd.update(a, order.slice(0, rows), hyper);
        tfjs.update(b, order.slice(0, rows), hyper);
        expect(a.stepped && b.stepped).toBe(true);
        expectLossesAgree(a, b);
        stream.permutation(order);
      }
      // Adam divides by the gradient's own size, so that rounding weighs more in the steps than in the gradients.
      const change = (flat: Float32Array): Float32Array => flat.map((p, i) => p - moved[i]);
      expect(differing(simd.layout, change(simd.getParameters()), change(tfjs.getParameters()), 1e-2)).toEqual([]);
      expect(distance(simd.getParameters(), tfjs.getParameters())).toBeLessThan(1e-5);
    },
  );

  it('act alike', () => {
    for (const spec of [DISCRETE, BOX]) {
      const stream = new RandomStream(5, 'act');
      const simd = createSimdEngine(spec, { init: new RandomStream(3, 'init') });
      const tfjs = createTfjsEngine(spec, { init: new RandomStream(3, 'init') });
      const moved = simd.getParameters().map((p) => p + 0.2 * stream.normal());
      simd.setParameters(moved);
      tfjs.setParameters(moved);
      const B = 150;
      const masks =
        spec.action.kind === 'discrete' ? Uint8Array.from({ length: B * 3 }, (_, i) => (i % 4 === 0 ? 0 : 1)) : null;
      const observations = Float32Array.from({ length: B * 14 }, () => stream.normal());
      for (const noise of [null, Float64Array.from({ length: B * 2 }, () => stream.uniform())]) {
        const outs = [simd, tfjs].map((engine) => {
          const out = { actions: new Float32Array(B * 2), logProbs: new Float32Array(B), values: new Float32Array(B) };
          engine.act(out, observations, masks, noise, B);
          return out;
        });
        expect(distance(outs[0].actions, outs[1].actions)).toBeLessThan(1e-5);
        expect(distance(outs[0].logProbs, outs[1].logProbs)).toBeLessThan(1e-5);
        expect(distance(outs[0].values, outs[1].values)).toBeLessThan(1e-5);
      }
      const shown = [simd, tfjs].map((engine) => {
        const out = new Float32Array(B * (spec.action.kind === 'discrete' ? 3 : 2));
        engine.distribution(out, observations, masks, B);
        return out;
      });
      expect(distance(shown[0], shown[1])).toBeLessThan(1e-5);
    }
  });
});
