import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import type { PolicyEngine, PolicySpec, TrainingBatch } from '../contract.js';
import { PLAIN_HYPERPARAMETERS, emptyLosses, randomBatch } from '../random-batch.js';
import { createSimdEngine } from './engine.js';

const SPEC: PolicySpec = {
  observationSize: 14,
  action: { kind: 'discrete', n: 3 },
  netArch: { pi: [64, 64], vf: [64, 64] },
  activation: 'tanh',
  orthoInit: true,
  logStdInit: 0,
};
const BOX: PolicySpec = { ...SPEC, action: { kind: 'box', size: 2 }, netArch: { pi: [21, 9], vf: [33] } };
const HYPER = { ...PLAIN_HYPERPARAMETERS, learningRate: 1e-3, entCoef: 0.01, clipRangeVf: 0.2 };

function train(engine: PolicyEngine, batch: TrainingBatch, updates: number, order: RandomStream): void {
  engine.setBatch(batch);
  const losses = emptyLosses();
  const indices = new Int32Array(batch.size);
  for (let i = 0; i < updates; i++) {
    order.permutation(indices);
    engine.update(losses, indices.slice(0, 70), HYPER);
    expect(losses.stepped).toBe(true);
  }
}

function fresh(spec: PolicySpec): { engine: PolicyEngine; batch: TrainingBatch } {
  const engine = createSimdEngine(spec, { init: new RandomStream(1, 'init') });
  return {
    engine,
    batch: randomBatch(engine, new RandomStream(1, 'batch'), 150, spec.action.kind === 'discrete', 0.1),
  };
}

const sha256 = (parameters: Float32Array): string =>
  createHash('sha256')
    .update(new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength))
    .digest('hex');

describe('the simd engine repeats itself to the bit', () => {
  // Committed: another machine, Node version or shape of the kernels' tiles must not change them.
  const GOLDEN = {
    discrete: 'c27a497818087612bad75cf89983ec716ac4f1b43a33850d1b962796cd048bf6',
    box: 'bbda7ec95bb1db756d77aa6a860ee27929758bd8156e91a2f9e64254d664bf06',
  };

  it.each([
    ['discrete', SPEC],
    ['box', BOX],
  ] as const)('ten updates end at the golden hash: %s', (kind, spec) => {
    const { engine, batch } = fresh(spec);
    train(engine, batch, 10, new RandomStream(1, 'order'));
    const hash = sha256(engine.getParameters());
    engine.dispose();
    const again = fresh(spec);
    train(again.engine, again.batch, 10, new RandomStream(1, 'order'));
    expect(sha256(again.engine.getParameters())).toBe(hash);
    expect(hash).toBe(GOLDEN[kind]);
  });

  it.each([
    ['discrete', SPEC],
    ['box', BOX],
  ] as const)('continues from its state: %s', (_, spec) => {
    const { engine, batch } = fresh(spec);
    const order = new RandomStream(1, 'order');
    train(engine, batch, 4, order);
    const state = engine.getState();
    const orderState = order.getState();
    train(engine, batch, 3, order);
    const other = createSimdEngine(spec, { init: new RandomStream(99, 'init') });
    other.setState(state);
    order.setState(orderState);
    train(other, batch, 3, order);
    expect(other.getState()).toEqual(engine.getState());
    expect(other.getState()).not.toEqual(state);
  });

  it('another seed is another policy', () => {
    const a = createSimdEngine(SPEC, { init: new RandomStream(1, 'init') });
    const b = createSimdEngine(SPEC, { init: new RandomStream(2, 'init') });
    expect(a.getParameters()).not.toEqual(b.getParameters());
  });
});

describe('acting and learning see the same probabilities', () => {
  it.each([
    ['discrete', SPEC],
    ['box', BOX],
  ] as const)('the first minibatch has a ratio of 1, acted one by one or together: %s', (kind, spec) => {
    const engine = createSimdEngine(spec, { init: new RandomStream(1, 'init') });
    const batch = randomBatch(engine, new RandomStream(1, 'batch'), 100, kind === 'discrete', 0);
    const K = batch.actions.length / batch.size;
    const one = { actions: new Float32Array(K), logProbs: new Float32Array(1), values: new Float32Array(1) };
    // acting again, alone, on the same observation with the mode's noise gives the same value
    for (let t = 0; t < 100; t++) {
      engine.act(
        one,
        batch.observations.subarray(t * 14, (t + 1) * 14),
        batch.masks?.subarray(t * 3, (t + 1) * 3) ?? null,
        null,
        1,
      );
      expect(one.values[0]).toBe(batch.values[t]);
    }
    engine.setBatch(batch);
    const losses = emptyLosses();
    const indices = Int32Array.from({ length: 77 }, (_, i) => i + 20);
    engine.gradients(new Float32Array(engine.parameterCount), losses, indices, { ...HYPER, clipRange: 1e-5 });
    expect(losses.approxKl).toBe(0);
    expect(losses.clipFraction).toBe(0);
  });

  it('draws actions as often as their probability says', () => {
    const engine = createSimdEngine(SPEC, { init: new RandomStream(1, 'init') });
    engine.setParameters(engine.getParameters().map((p, i) => p + 0.3 * new RandomStream(i, 'p').normal()));
    const observation = Float32Array.from({ length: 14 }, (_, i) => 0.1 * i - 0.6);
    const p = new Float32Array(3);
    engine.distribution(p, observation, null, 1);
    expect(p[0] + p[1] + p[2]).toBeCloseTo(1, 6);
    const stream = new RandomStream(3, 'noise');
    const out = { actions: new Float32Array(1), logProbs: new Float32Array(1), values: new Float32Array(1) };
    const counts = [0, 0, 0];
    const n = 20_000;
    for (let i = 0; i < n; i++) {
      engine.act(out, observation, null, Float64Array.of(stream.uniform()), 1);
      counts[out.actions[0]] += 1;
    }
    counts.forEach((count, j) =>
      expect(Math.abs(count / n - p[j])).toBeLessThan(5 * Math.sqrt((p[j] * (1 - p[j])) / n) + 1e-9),
    );
  });

  it('does not depend on how many rows act together', () => {
    const engine = createSimdEngine(BOX, { init: new RandomStream(1, 'init') });
    const observations = Float32Array.from({ length: 14 * 200 }, (_, i) => ((i * 37) % 101) / 50 - 1);
    const whole = new Float32Array(200);
    engine.predictValues(whole, observations, 200);
    for (const rows of [1, 2, 7, 64, 65, 130]) {
      const part = new Float32Array(rows);
      engine.predictValues(part, observations, rows);
      expect(part).toEqual(whole.slice(0, rows));
    }
  });
});

describe('a step is not taken', () => {
  it('where the divergence exceeds its limit', () => {
    const { engine, batch } = fresh(SPEC);
    engine.setBatch(batch);
    const before = engine.getState();
    const losses = emptyLosses();
    const indices = Int32Array.from({ length: 64 }, (_, i) => i);
    engine.update(losses, indices, { ...HYPER, klLimit: 1e-9 });
    expect(losses.approxKl).toBeGreaterThan(1e-9);
    expect(losses.stepped).toBe(false);
    expect(engine.getState()).toEqual(before);
    engine.update(losses, indices, { ...HYPER, klLimit: 10 });
    expect(losses.stepped).toBe(true);
  });

  it('where a number is not finite, and says in which tensor', () => {
    const { engine, batch } = fresh(SPEC);
    const losses = emptyLosses();
    const indices = Int32Array.from({ length: 64 }, (_, i) => i);
    const poisoned = { ...batch, returns: batch.returns.slice() };
    poisoned.returns[5] = Number.NaN;
    engine.setBatch(poisoned);
    const before = engine.getState();
    expect(engine.findNonFinite()).toBeNull();
    engine.update(losses, indices, HYPER);
    expect(losses.stepped).toBe(false);
    expect(losses.valueLoss).toBeNaN();
    expect(engine.getState()).toEqual(before);
    expect(engine.findNonFinite()).toMatchObject({ kind: 'gradient', tensor: 'vf.0.weight', value: Number.NaN });

    engine.setBatch({ ...batch, advantages: batch.advantages.map((a, i) => (i === 9 ? Infinity : a)) });
    engine.update(losses, indices, HYPER);
    expect(losses.stepped).toBe(false);
    expect(engine.findNonFinite()).toMatchObject({ kind: 'gradient', tensor: 'pi.0.weight' });

    engine.setBatch(batch);
    engine.update(losses, indices, HYPER);
    expect(losses.stepped).toBe(true);
    expect(engine.findNonFinite()).toBeNull();

    const slot = engine.layout.find(({ name }) => name === 'vf.1.bias');
    const broken = engine.getParameters();
    if (slot !== undefined) broken[slot.offset + 7] = -Infinity;
    engine.setParameters(broken);
    expect(engine.findNonFinite()).toEqual({ kind: 'parameter', tensor: 'vf.1.bias', index: 7, value: -Infinity });
  });
});

describe('bad input is refused', () => {
  it('names the value that was wrong', () => {
    const { engine, batch } = fresh(SPEC);
    const losses = emptyLosses();
    expect(() => engine.update(losses, Int32Array.of(0), HYPER)).toThrow(/POLICY_STATE minibatch index 0 0/);
    engine.setBatch(batch);
    expect(() => engine.update(losses, Int32Array.of(3, 150), HYPER)).toThrow(/POLICY_STATE minibatch index 1 150/);
    expect(() => engine.update(losses, new Int32Array(0), HYPER)).toThrow(/POLICY_STATE minibatch 0/);
    expect(() => engine.setBatch({ ...batch, returns: new Float32Array(3) })).toThrow(/POLICY_STATE batch.returns 3/);
    expect(() => engine.setBatch({ ...batch, actions: batch.actions.map(() => 3) })).toThrow(
      /POLICY_STATE batch.actions\[0\] 3/,
    );
    expect(() => engine.setParameters(new Float32Array(5))).toThrow(/POLICY_STATE policy parameters 5/);
    expect(() => engine.setState({})).toThrow(/POLICY_STATE/);
    engine.dispose();
    expect(() => engine.getParameters()).toThrow(/disposed/);
  });
});

it('keeps a rollout that grows and shrinks apart from everything else', () => {
  const { engine } = fresh(SPEC);
  const parameters = engine.getParameters();
  for (const size of [10, 5_000, 20, 300]) {
    const batch = randomBatch(engine, new RandomStream(size, 'batch'), size, false, 0);
    engine.setBatch(batch);
    const losses = emptyLosses();
    engine.gradients(
      new Float32Array(engine.parameterCount),
      losses,
      Int32Array.from({ length: size }, (_, i) => i),
      HYPER,
    );
    expect(losses.approxKl).toBe(0);
    const mean = batch.values.reduce((sum, v, i) => sum + (v - batch.returns[i]) ** 2, 0) / size;
    expect(losses.valueLoss).toBeCloseTo(mean, 4);
  }
  expect(engine.getParameters()).toEqual(parameters);
});
