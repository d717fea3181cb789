import { describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import { ActingPolicy } from './acting-policy.js';
import type { ActingEngine } from './acting-policy.js';
import type { PolicySpec } from './contract.js';
import { Normalizer } from './normalizer.js';

const SIZE = 3;
const BATCH = 11;

function spec(action: PolicySpec['action']): PolicySpec {
  const netArch = { pi: [], vf: [] };
  return { observationSize: SIZE, action, netArch, activation: 'tanh', orthoInit: false, logStdInit: 0 };
}

/** Discrete(3): observation k is the weight of action k; draws in proportion to it, or takes the largest. */
const proportional: ActingEngine = {
  spec: spec({ kind: 'discrete', n: 3 }),
  act(out, observations, masks, noise, batch) {
    for (let row = 0; row < batch; row++) {
      const weight = (k: number): number => (masks === null ? 1 : masks[row * 3 + k]) * observations[row * 3 + k];
      const [a, b, c] = [weight(0), weight(1), weight(2)];
      const mode = a >= b && a >= c ? 0 : b >= c ? 1 : 2;
      const draw = noise === null ? 0 : noise[row] * (a + b + c);
      out.actions[row] = noise === null ? mode : draw < a ? 0 : draw < a + b ? 1 : 2;
      out.values[row] = a;
      out.logProbs[row] = 0;
    }
  },
};

/** Box(2): the mean is the first two numbers of the observation, the deviation 1. */
const shifted: ActingEngine = {
  spec: spec({ kind: 'box', size: 2 }),
  act(out, observations, _masks, noise, batch) {
    for (let row = 0; row < batch; row++) {
      for (let k = 0; k < 2; k++) {
        out.actions[row * 2 + k] = observations[row * 3 + k] + (noise === null ? 0 : noise[row * 2 + k]);
      }
    }
  },
};

function positive(count: number): Float32Array {
  const random = new RandomStream(1, 'observations');
  return Float32Array.from({ length: count }, () => random.uniform());
}

function chosen(policy: ActingPolicy, observations: Float32Array, masks: Uint8Array | null = null): number[] {
  const actions = new Int32Array(observations.length / SIZE);
  policy.act(actions, observations, masks, actions.length);
  return [...actions];
}

function learnedNormalizer(observations: Float32Array): Normalizer {
  const config = { observation: true, reward: true, clip_obs: 10, clip_reward: 10, epsilon: 1e-8 };
  const normalizer = new Normalizer(config, SIZE, 1, 0.99);
  normalizer.updateObservations(observations, observations.length / SIZE);
  return Normalizer.frozen(normalizer.getState());
}

describe('ActingPolicy', () => {
  const observations = positive(BATCH * SIZE);

  it('takes the mode without a random stream, and draws with one, whatever the size of its pieces', () => {
    const modes = Array.from({ length: BATCH }, (_, row) => {
      const weights = observations.slice(row * SIZE, row * SIZE + SIZE);
      return weights.indexOf(Math.max(...weights));
    });
    const noise = new RandomStream(2, 'acting');
    const draws = Array.from({ length: BATCH }, (_, row) => {
      const [a, b, c] = observations.slice(row * SIZE, row * SIZE + SIZE);
      const draw = noise.uniform() * (a + b + c);
      return draw < a ? 0 : draw < a + b ? 1 : 2;
    });
    expect(draws).not.toEqual(modes);
    for (const chunkSize of [1, 4, 11, 256]) {
      const policy = new ActingPolicy({ engine: proportional, normalizer: null, chunkSize });
      expect(chosen(policy, observations)).toEqual(modes);
      const random = new RandomStream(2, 'acting');
      const drawing = new ActingPolicy({ engine: proportional, normalizer: null, chunkSize, random });
      expect(chosen(drawing, observations)).toEqual(draws);
    }
  });

  it('hands every row its own mask', () => {
    const masks = new Uint8Array(BATCH * 3);
    for (let row = 0; row < BATCH; row++) masks[row * 3 + (row % 3)] = 1;
    const policy = new ActingPolicy({ engine: proportional, normalizer: null, chunkSize: 4 });
    expect(chosen(policy, observations, masks)).toEqual(Array.from({ length: BATCH }, (_, row) => row % 3));
  });

  it('normalises what the engine sees, and neither learns from it nor changes it', () => {
    const normalizer = learnedNormalizer(positive(300));
    const before = normalizer.getState();
    const raw = observations.slice();
    const normalized = new Float32Array(observations.length);
    normalizer.normalizeObservations(normalized, observations, BATCH);
    const acted = chosen(new ActingPolicy({ engine: proportional, normalizer, chunkSize: 4 }), raw);
    expect(acted).toEqual(chosen(new ActingPolicy({ engine: proportional, normalizer: null }), normalized));
    expect(raw).toEqual(observations);
    expect(normalizer.getState()).toEqual(before);
  });

  it('clips Box actions to the bounds, element by element', () => {
    const wild = Float32Array.of(5, -5, 0, 0.25, -0.5, 0);
    const actions = new Float32Array(4);
    new ActingPolicy({ engine: shifted, normalizer: null, chunkSize: 1 }).act(actions, wild, null, 2);
    expect([...actions]).toEqual([1, -1, 0.25, -0.5]);
    const bounds = { low: Float64Array.of(-2, 0), high: Float64Array.of(2, 3) };
    new ActingPolicy({ engine: shifted, normalizer: null, bounds }).act(actions, wild, null, 2);
    expect([...actions]).toEqual([2, 0, 0.25, 0]);
  });

  it('draws Box actions with standard normals from its stream', () => {
    const random = new RandomStream(3, 'acting');
    const bounds = { low: Float64Array.of(-9, -9), high: Float64Array.of(9, 9) };
    const policy = new ActingPolicy({ engine: shifted, normalizer: null, bounds, random, chunkSize: 2 });
    const actions = new Float32Array(6);
    policy.act(actions, new Float32Array(9), null, 3);
    const same = new RandomStream(3, 'acting');
    expect(actions).toEqual(Float32Array.from({ length: 6 }, () => same.normal()));
  });

  it('refuses a normaliser that still learns, or one of another size, and bounds that do not fit', () => {
    const config = { observation: true, reward: false, clip_obs: 10, clip_reward: 10, epsilon: 1e-8 };
    const learning = new Normalizer(config, SIZE, 1, 0.99);
    expect(() => new ActingPolicy({ engine: shifted, normalizer: learning })).toThrow('must not learn');
    const other = Normalizer.frozen(new Normalizer(config, 5, 1, 0.99).getState());
    expect(() => new ActingPolicy({ engine: shifted, normalizer: other })).toThrow('POLICY_SPEC normalizer 5');
    const bounds = { low: Float64Array.of(-1), high: Float64Array.of(1) };
    expect(() => new ActingPolicy({ engine: shifted, normalizer: null, bounds })).toThrow('POLICY_SPEC bounds 1');
  });
});
