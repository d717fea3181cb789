import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import type { PolicyEngine, PolicySpec } from '../contract.js';
import { policyLayout } from '../layout.js';
import { emptyLosses, PLAIN_HYPERPARAMETERS, randomBatch } from '../random-batch.js';
import { createSimdEngine } from '../simd/engine.js';
import { createTfjsEngine } from './engine.js';

const DISCRETE: PolicySpec = {
  observationSize: 5,
  action: { kind: 'discrete', n: 3 },
  netArch: { pi: [8, 6], vf: [7] },
  activation: 'tanh',
  orthoInit: true,
  logStdInit: -0.3,
};
const BOX: PolicySpec = { ...DISCRETE, action: { kind: 'box', size: 2 } };

const dense = (units: number, rest: object = {}): tf.layers.Layer => tf.layers.dense({ units, ...rest });
const stack = (...layers: tf.layers.Layer[]): tf.LayersModel => tf.sequential({ layers });
const first = { inputShape: [5] };
const critic = (): tf.LayersModel => stack(dense(4, { ...first, activation: 'tanh' }), dense(1));

function engineOf(models: () => unknown, spec: PolicySpec = DISCRETE): PolicyEngine {
  return createTfjsEngine(spec, { init: new RandomStream(3, 'init'), policy: { models, where: 'my-policy.ts' } });
}

/** Losses, and the gradient of a random batch. */
function gradientOf(engine: PolicyEngine, masked = false): { gradient: Float32Array; losses: object } {
  const batch = randomBatch(engine, new RandomStream(7, 'batch'), 40, masked, 0.3);
  const gradient = new Float32Array(engine.parameterCount);
  const losses = emptyLosses();
  engine.setBatch(batch);
  engine.gradients(
    gradient,
    losses,
    Int32Array.from({ length: 40 }, (_, i) => i),
    PLAIN_HYPERPARAMETERS,
  );
  return { gradient, losses };
}

function steps(engine: PolicyEngine, count: number): void {
  const losses = emptyLosses();
  engine.setBatch(randomBatch(engine, new RandomStream(9, 'batch'), 40, false, 0.3));
  const rows = Int32Array.from({ length: 40 }, (_, i) => i);
  for (let i = 0; i < count; i++) engine.update(losses, rows, { ...PLAIN_HYPERPARAMETERS, learningRate: 0.01 });
}

const slotOf = (engine: PolicyEngine, name: string): Float32Array => {
  const slot = engine.layout.find((candidate) => candidate.name === name);
  if (slot === undefined) throw new Error(`no ${name} among ${engine.layout.map((own) => own.name).join(', ')}`);
  return engine.getParameters().subarray(slot.offset, slot.offset + slot.size);
};

describe("the MLP as a user's LayersModels", () => {
  it.each([
    { name: 'discrete with masks', spec: DISCRETE, masked: true },
    { name: 'Box', spec: BOX, masked: false },
  ])('agrees with the simd engine on losses and gradients: $name', ({ spec, masked }) => {
    const outputs = spec.action.kind === 'box' ? spec.action.size : spec.action.n;
    const own = engineOf(
      () => ({
        actor: stack(dense(8, { ...first, activation: 'tanh' }), dense(6, { activation: 'tanh' }), dense(outputs)),
        critic: stack(dense(7, { ...first, activation: 'tanh' }), dense(1)),
      }),
      spec,
    );
    const simd = createSimdEngine(spec, { init: new RandomStream(3, 'init') });
    expect(own.parameterCount).toBe(simd.parameterCount);
    expect(own.layout.map(({ shape }) => shape)).toEqual(policyLayout(spec).slots.map(({ shape }) => shape));
    const stream = new RandomStream(1, 'weights');
    const parameters = simd.getParameters().map((p) => p + 0.2 * stream.normal());
    simd.setParameters(parameters);
    own.setParameters(parameters);
    const [a, b] = [gradientOf(simd, masked), gradientOf(own, masked)];
    for (const [key, value] of Object.entries(a.losses))
      expect({ [key]: Math.abs(Number(Reflect.get(b.losses, key)) - Number(value)) < 1e-4 }).toEqual({ [key]: true });
    const apart = a.gradient.reduce((sum, g, i) => sum + (g - b.gradient[i]) ** 2, 0);
    const size = a.gradient.reduce((sum, g) => sum + g ** 2, 0);
    expect(Math.sqrt(apart / size)).toBeLessThan(1e-4);
  });
});

describe('networks of all shapes', () => {
  it('take the gradients of both heads through a shared trunk', () => {
    const inputs = tf.input({ shape: [5] });
    const symbolic = (layer: tf.layers.Layer, x: tf.SymbolicTensor): tf.SymbolicTensor => {
      const y = layer.apply(x);
      if (!(y instanceof tf.SymbolicTensor)) throw new Error('symbolic');
      return y;
    };
    const trunk = symbolic(dense(6, { name: 'trunk', activation: 'elu' }), inputs);
    const logits = symbolic(dense(3, { name: 'logits' }), trunk);
    const value = symbolic(dense(1, { name: 'value' }), trunk);
    const actorCritic = tf.model({ inputs, outputs: [logits, value] });
    const actor = tf.model({ inputs, outputs: logits });
    const valueModel = tf.model({ inputs, outputs: value });
    const one = engineOf(() => ({ actorCritic }));
    const two = engineOf(() => ({ actor, critic: valueModel }));
    expect(one.layout.map(({ name }) => name)).toEqual([
      'trunk/kernel',
      'trunk/bias',
      'logits/kernel',
      'logits/bias',
      'value/kernel',
      'value/bias',
    ]);
    expect(two.layout.map(({ name }) => name)).toEqual([
      'shared/trunk/kernel',
      'shared/trunk/bias',
      'actor/logits/kernel',
      'actor/logits/bias',
      'critic/value/kernel',
      'critic/value/bias',
    ]);
    const [a, b] = [gradientOf(one).gradient, gradientOf(two).gradient];
    // the trunk's two gradients are summed in another order
    a.forEach((g, i) => expect(Math.abs(g - b[i])).toBeLessThan(1e-5));
    // the trunk learns from the value too: the actor's own gradient alone would be of the order of one
    expect(Math.max(...a.subarray(0, 36))).toBeGreaterThan(0);
  });

  it('name the weights alike in every build, though tfjs counts its layers on', () => {
    const build = (): object => ({ actor: stack(dense(4, first), dense(3)), critic: critic() });
    const names = engineOf(build).layout.map(({ name }) => name);
    expect(names).toContain('actor/dense_Dense2/bias');
    expect(names).toContain('critic/dense_Dense4/kernel');
    expect(engineOf(build).layout.map(({ name }) => name)).toEqual(names);
  });

  it('leave frozen weights as they are, in the state too', () => {
    const engine = engineOf(() => ({
      actor: stack(dense(4, { ...first, name: 'frozen', trainable: false }), dense(3, { name: 'learns' })),
      critic: critic(),
    }));
    const before = [slotOf(engine, 'actor/frozen/kernel').slice(), slotOf(engine, 'actor/learns/kernel').slice()];
    steps(engine, 3);
    expect(slotOf(engine, 'actor/frozen/kernel')).toEqual(before[0]);
    expect(slotOf(engine, 'actor/learns/kernel')).not.toEqual(before[1]);
  });

  it("keep a layer's constraint after every step", () => {
    const engine = engineOf(() => ({
      actor: stack(dense(4, { ...first, name: 'bounded', kernelConstraint: 'nonNeg' }), dense(3)),
      critic: critic(),
    }));
    steps(engine, 3);
    const kernel = slotOf(engine, 'actor/bounded/kernel');
    expect(Math.min(...kernel)).toBe(0);
    expect(Math.max(...kernel)).toBeGreaterThan(0);
  });

  it("add a layer's regulariser to the gradient: twice the rate times the weight for l2", () => {
    const build = (l2: number) => (): object => ({
      actor: stack(dense(4, { ...first, name: 'own', kernelRegularizer: tf.regularizers.l2({ l2 }) }), dense(3)),
      critic: critic(),
    });
    const [plain, decayed] = [engineOf(build(0)), engineOf(build(0.5))];
    decayed.setParameters(plain.getParameters());
    const [a, b] = [gradientOf(plain).gradient, gradientOf(decayed).gradient];
    const kernel = slotOf(plain, 'actor/own/kernel');
    for (let i = 0; i < kernel.length; i++) expect(b[i] - a[i]).toBeCloseTo(2 * 0.5 * kernel[i], 4);
  });

  it('go on from a saved state to the same bits', () => {
    const build = (): object => ({
      actor: stack(dense(4, { ...first, activation: 'elu' }), dense(2)),
      critic: critic(),
    });
    const [engine, other] = [engineOf(build, BOX), engineOf(build, BOX)];
    steps(engine, 3);
    other.setState(engine.getState());
    steps(engine, 2);
    steps(other, 2);
    expect(other.getState()).toEqual(engine.getState());
  });

  it('refuse the state of another network, naming the weight', () => {
    const engine = engineOf(() => ({ actor: stack(dense(4, first), dense(3)), critic: critic() }));
    const wider = engineOf(() => ({ actor: stack(dense(6, first), dense(3)), critic: critic() }));
    const deeper = engineOf(() => ({ actor: stack(dense(4, first), dense(3)), critic: stack(dense(1, first)) }));
    expect(() => engine.setState(wider.getState())).toThrow(/actor\/dense_Dense1\/kernel 30: this policy has 20/);
    expect(() => deeper.setState(engine.getState())).toThrow(/POLICY_STATE .*critic\/dense_Dense/);
  });

  it('hold as many tensors after ten steps as after one, and none once disposed of', () => {
    const engine = engineOf(() => ({ actor: stack(dense(4, first), dense(3)), critic: critic() }));
    steps(engine, 1);
    const before = tf.memory().numTensors;
    steps(engine, 10);
    expect(tf.memory().numTensors).toBe(before);
    engine.dispose();
    expect(tf.memory().numTensors).toBe(before - 8);
  });
});

describe('memory', () => {
  it('is given back where actor and critic share layers, or are one model', () => {
    const before = tf.memory().numTensors;
    const trunk = dense(4, first);
    const inputs = tf.input({ shape: [5] });
    const shared = trunk.apply(inputs);
    const branch = (): tf.LayersModel => {
      const outputs = dense(1).apply(shared);
      if (!(outputs instanceof tf.SymbolicTensor)) throw new Error('symbolic');
      return tf.model({ inputs, outputs });
    };
    const one = stack(dense(1, first));
    const spec: PolicySpec = { ...DISCRETE, action: { kind: 'box', size: 1 } };
    const engines = [
      engineOf(() => ({ actor: branch(), critic: branch() }), spec),
      engineOf(() => ({ actor: one, critic: one }), spec),
    ];
    for (const engine of engines) {
      steps(engine, 1);
      engine.dispose();
    }
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('what does not fit is refused with what was expected and what was there', () => {
  const actor = (): tf.LayersModel => stack(dense(3, first));
  const mixing = (): tf.LayersModel => {
    class MixRows extends tf.layers.Layer {
      static className = 'MixRows';
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        const x = Array.isArray(inputs) ? inputs[0] : inputs;
        return tf.sub(x, tf.mean(x, 0, true));
      }
    }
    return stack(dense(4, first), new MixRows({}), dense(3));
  };
  const nan = (): tf.LayersModel =>
    stack(dense(3, { ...first, biasInitializer: tf.initializers.constant({ value: NaN }) }));

  it.each<[string, () => unknown, RegExp]>([
    [
      'nothing',
      () => undefined,
      /^POLICY_MODULE my-policy\.ts "undefined": the function must return \{ actor, critic \}/,
    ],
    ['a promise', async () => ({ actor: actor() }), /"Promise": .*synchronous/],
    ['no critic', () => ({ actor: actor() }), /"undefined": critic must be a tf\.LayersModel/],
    ['a layer', () => ({ actor: dense(3), critic: critic() }), /actor must be a tf\.LayersModel/],
    [
      'outputs',
      () => ({ actor: stack(dense(4, first)), critic: critic() }),
      /"\[batch, 4\]": actor must put out logits \[batch, 3\]/,
    ],
    ['values', () => ({ actor: actor(), critic: actor() }), /"\[batch, 3\]": critic must put out value \[batch, 1\]/],
    [
      'inputs',
      () => ({ actor: stack(dense(3, { inputShape: [4] })), critic: critic() }),
      /"\[batch, 4\]": actor must take one input of shape \[batch, 5\]/,
    ],
    [
      'one output',
      () => ({ actorCritic: actor() }),
      /actorCritic must put out logits \[batch, 3\] and value \[batch, 1\]/,
    ],
    [
      'frozen',
      () => ({ actor: stack(dense(3, { ...first, trainable: false })), critic: critic() }),
      /no trainable weights/,
    ],
    [
      'dropout',
      () => ({ actor: stack(dense(4, first), tf.layers.dropout({ rate: 0.5 }), dense(3)), critic: critic() }),
      /actor has a layer of Dropout: it would never drop anything/,
    ],
    [
      'batch normalisation',
      () => ({ actor: stack(dense(4, first), tf.layers.batchNormalization(), dense(3)), critic: critic() }),
      /BatchNormalization: its statistics would never be learned; take tf\.layers\.layerNormalization/,
    ],
    [
      'NaN',
      () => ({ actor: nan(), critic: critic() }),
      /"NaN": the initial actor\/dense_Dense1\/bias\[0\] is not finite/,
    ],
    ['mixed rows', () => ({ actor: mixing(), critic: critic() }), /rows must not be mixed/],
  ])('%s', (_, models, message) => {
    expect(() => engineOf(models)).toThrow(message);
  });
});
