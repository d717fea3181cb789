import { describe, expect, it } from 'vitest';
import { log, tanh } from '#env/math/index.js';
import { RandomStream } from '#env/seeding.js';
import { ACTIVATION, PANEL, createPolicyMemory, instantiatePolicyKernels, roundUp } from './kernels.js';
import * as twin from './twins.fixture.js';

const memory = createPolicyMemory(64);
const kernels = instantiatePolicyKernels(memory);
const f32 = new Float32Array(memory.buffer);
const f64 = new Float64Array(memory.buffer);
const stream = new RandomStream(2, 'kernels');

/** Places 256 KB apart. */
const at = (region: number): number => 1_048_576 + region * 262_144;
const normals = (n: number): Float32Array => Float32Array.from({ length: n }, () => stream.normal());
const GARBAGE = 1e30;

/** Writes a row-major (R,C) matrix into panels, over garbage that no kernel may read into a result. */
function toPanels(
  place: number,
  stride: number,
  matrix: Float32Array,
  R: number,
  C: number,
  rows = roundUp(R, PANEL),
): void {
  for (let c = 0; c < roundUp(C, PANEL); c++) {
    for (let r = 0; r < rows; r++) {
      const index = (place + (c >> 3) * stride + r * 32) / 4 + (c & 7);
      f32[index] = r < R && c < C ? matrix[r * C + c] : 0;
    }
  }
}

function fromPanels(place: number, stride: number, R: number, C: number): Float32Array {
  const matrix = new Float32Array(R * C);
  for (let r = 0; r < R; r++)
    for (let c = 0; c < C; c++) matrix[r * C + c] = f32[(place + (c >> 3) * stride + r * 32) / 4 + (c & 7)];
  return matrix;
}

const weightStride = (I: number): number => roundUp(I, PANEL) * 32;

const SHAPES: [number, number, number][] = [
  [1, 1, 1],
  [1, 14, 64],
  [1, 64, 3],
  [1, 5, 37],
  [8, 1, 1],
  [8, 14, 3],
  [24, 7, 9],
  [64, 14, 64],
  [64, 64, 64],
  [16, 33, 12],
  [40, 12, 33],
  [64, 64, 1],
  [56, 3, 4],
  [8, 4, 5],
  [64, 100, 71],
  [64, 64, 2],
  [24, 33, 3],
  [16, 13, 11],
  [8, 6, 18],
];

describe('kernels of a linear layer and their plain twins agree to the bit', () => {
  it.each(SHAPES)('forward %i x %i x %i', (B, I, O) => {
    const [x, w, b] = [normals(B * I), normals(I * O), normals(O)];
    const stride = (roundUp(B, PANEL) + 2) * 32;
    toPanels(at(1), stride, x, B, I);
    toPanels(at(2), weightStride(I), w, I, O);
    f32.fill(0, at(3) / 4, at(3) / 4 + roundUp(O, PANEL));
    f32.set(b, at(3) / 4);
    f32.fill(GARBAGE, at(0) / 4, at(1) / 4);
    kernels.linearForward(at(0), stride, at(1), stride, at(2), at(3), B, I, O);
    expect(fromPanels(at(0), stride, B, O)).toEqual(twin.linearForward(x, w, b, B, I, O));
  });

  it.each(SHAPES.filter(([B]) => B % 8 === 0))('backward %i x %i x %i', (B, I, O) => {
    const [x, w, dy] = [normals(B * I), normals(I * O), normals(B * O)];
    const stride = (B + 2) * 32;
    toPanels(at(1), stride, x, B, I);
    toPanels(at(2), weightStride(I), w, I, O);
    toPanels(at(3), stride, dy, B, O);
    kernels.transposeWeight(at(4), at(2), I, O);
    const transposed = fromPanels(at(4), weightStride(O), O, I);
    for (let i = 0; i < I; i++) for (let o = 0; o < O; o++) expect(transposed[o * I + i]).toBe(w[i * O + o]);
    for (const activation of ['tanh', 'relu'] as const) {
      f32.fill(GARBAGE, at(0) / 4, at(1) / 4);
      kernels.linearBackwardInput(at(0), at(1), stride, at(3), stride, at(4), B, I, O, ACTIVATION[activation]);
      expect(fromPanels(at(0), stride, B, I)).toEqual(
        twin.linearBackwardInput(x, dy, w, B, I, O, activation).map((d) => d + 0),
      );
    }
    f32.fill(GARBAGE, at(5) / 4, at(6) / 4);
    kernels.linearBackwardWeight(at(5), at(1), stride, at(3), stride, B, I, O, false);
    const once = twin.linearBackwardWeight(new Float32Array(I * O), x, dy, B, I, O);
    expect(fromPanels(at(5), weightStride(I), I, O)).toEqual(once);
    kernels.linearBackwardWeight(at(5), at(1), stride, at(3), stride, B, I, O, true);
    expect(fromPanels(at(5), weightStride(I), I, O)).toEqual(twin.linearBackwardWeight(once, x, dy, B, I, O));
    kernels.linearBackwardBias(at(6), at(3), stride, B, O, false);
    const bias = twin.linearBackwardBias(new Float32Array(O), dy, B, O);
    expect(f32.slice(at(6) / 4, at(6) / 4 + O)).toEqual(bias);
    kernels.linearBackwardBias(at(6), at(3), stride, B, O, true);
    expect(f32.slice(at(6) / 4, at(6) / 4 + O)).toEqual(twin.linearBackwardBias(bias, dy, B, O));
  });
});

describe('activations', () => {
  it('tanh is within 3.2e-7 of float64 everywhere, odd, and keeps a NaN', () => {
    const n = 64 * 64;
    let worst = 0;
    for (let block = 0; block < 40; block++) {
      const x = Float32Array.from({ length: n }, (_, i) => ((block * n + i) / (40 * n)) * 24 - 12);
      f32.set(x, at(0) / 4);
      kernels.activate(at(0), 64 * 32, 64, 64, ACTIVATION.tanh);
      for (let i = 0; i < n; i++) worst = Math.max(worst, Math.abs(f32[at(0) / 4 + i] - tanh(x[i])));
    }
    expect(worst).toBeLessThan(3.2e-7);
    f32.set([0.7, -0.7, Number.NaN, Infinity, -Infinity, 0, 1e-20, 50], at(0) / 4);
    kernels.activate(at(0), 32, 1, 8, ACTIVATION.tanh);
    const [a, b, nan, one, minusOne, zero, tiny, large] = f32.subarray(at(0) / 4, at(0) / 4 + 8);
    expect(a).toBe(-b);
    expect(nan).toBeNaN();
    expect([one, minusOne, zero, large].map((v) => Math.round(v * 1e6) / 1e6)).toEqual([1, -1, 0, 1]);
    expect(tiny / 1e-20).toBeCloseTo(1, 5);
  });

  it('relu cuts at 0 and keeps a NaN', () => {
    f32.set([0.7, -0.7, Number.NaN, Infinity, -Infinity, 0, 1e-20, -3], at(0) / 4);
    kernels.activate(at(0), 32, 1, 8, ACTIVATION.relu);
    expect([...f32.subarray(at(0) / 4, at(0) / 4 + 8)]).toEqual([
      Math.fround(0.7),
      0,
      Number.NaN,
      Infinity,
      0,
      0,
      Math.fround(1e-20),
      0,
    ]);
  });
});

describe('rows of the rollout', () => {
  it.each([1, 5, 8, 14, 19, 32])('gathers %i columns, with zeros around', (I) => {
    const [T, B, padded] = [30, 11, 16];
    const x = normals(T * I);
    f32.set(x, at(1) / 4);
    const indices = Int32Array.from({ length: B }, () => stream.integer(T));
    new Int32Array(memory.buffer).set(indices, at(2) / 4);
    f32.fill(GARBAGE, at(0) / 4, at(1) / 4);
    const stride = (padded + 2) * 32;
    kernels.gatherRows(at(0), stride, at(1), at(2), B, padded, I);
    const wide = roundUp(I, PANEL);
    const out = fromPanels(at(0), stride, padded, wide);
    for (let r = 0; r < padded; r++) {
      for (let c = 0; c < wide; c++) expect(out[r * wide + c]).toBe(r < B && c < I ? x[indices[r] * I + c] : 0);
    }
  });

  it('takes the unbiased deviation of the chosen advantages', () => {
    const advantages = normals(50);
    f32.set(advantages, at(1) / 4);
    const indices = Int32Array.from({ length: 23 }, () => stream.integer(50));
    new Int32Array(memory.buffer).set(indices, at(2) / 4);
    kernels.advantageMoments(at(0), at(1), at(2), 23);
    const [mean, deviation] = twin.moments(Array.from(indices, (i) => advantages[i]));
    expect(f64[at(0) / 8]).toBeCloseTo(mean, 12);
    expect(f64[at(0) / 8 + 1]).toBeCloseTo(deviation, 12);
  });
});

describe('optimiser', () => {
  it.each([16, 32, 48, 1024, 1040, 5008])('sums %i squares', (n) => {
    const g = normals(n);
    f32.set(g, at(0) / 4);
    const expected = g.reduce((sum, x) => sum + x * x, 0);
    expect(Math.abs(kernels.sumSquares(at(0), n) / expected - 1)).toBeLessThan(1e-6);
    f32[at(0) / 4 + n - 1] = Number.NaN;
    expect(kernels.sumSquares(at(0), n)).toBeNaN();
  });

  it('takes a step of Adam like its twin, to the bit, and leaves padding at 0', () => {
    const n = 48;
    const [p, g, m] = [normals(n), normals(n), normals(n)];
    const v = normals(n).map((x) => x * x);
    for (const array of [p, g, m, v]) array[n - 1] = 0;
    [p, g, m, v].forEach((array, i) => f32.set(array, at(i) / 4));
    kernels.adamStep(at(0), at(1), at(2), at(3), n, 0.7, 0.003, 31.6, 1e-5);
    for (let i = 0; i < n; i++) {
      const expected = twin.adamStep(p[i], g[i], m[i], v[i], 0.7, 0.003, 31.6, 1e-5);
      expect([f32[at(0) / 4 + i], f32[at(2) / 4 + i], f32[at(3) / 4 + i]]).toEqual(expected);
    }
    expect(f32[at(0) / 4 + n - 1]).toBe(0);
  });
});

describe('action distributions', () => {
  it.each([1, 2, 3, 8, 11])('%i actions: probabilities, choice and log-probability under masks', (A) => {
    const B = 40;
    const stride = (B + 2) * 32;
    const logits = normals(B * A).map((x) => 4 * x);
    const masks = Uint8Array.from({ length: B * A }, () => (stream.uniform() < 0.5 ? 1 : 0));
    for (let b = 0; b < B; b++) masks[b * A + stream.integer(A)] = 1;
    toPanels(at(1), stride, logits, B, A);
    new Uint8Array(memory.buffer).set(masks, at(2));
    kernels.categoricalProbabilities(at(0), at(1), stride, B, A, at(2), at(3));
    const noise = Float64Array.from({ length: B }, () => stream.uniform());
    f64.set(noise, at(4) / 8);
    kernels.categoricalAct(at(5), at(6), at(1), stride, B, A, at(2), at(4), at(3));
    const drawn = f32.slice(at(5) / 4, at(5) / 4 + B);
    const logProbs = f32.slice(at(6) / 4, at(6) / 4 + B);
    kernels.categoricalAct(at(5), at(6), at(1), stride, B, A, at(2), 0, at(3));
    for (let b = 0; b < B; b++) {
      const row = [...logits.subarray(b * A, (b + 1) * A)];
      const valid = [...masks.subarray(b * A, (b + 1) * A)].map(Boolean);
      const expected = twin.logSoftmax(row, valid);
      let below = 0;
      for (let j = 0; j < A; j++) {
        const p = f32[at(0) / 4 + b * A + j];
        const difference = valid[j] ? Math.abs(log(p) - expected[j]) : p;
        expect(difference).toBeLessThan(valid[j] ? 1e-5 : Number.MIN_VALUE);
        if (j < drawn[b]) below += p;
      }
      expect(valid[drawn[b]]).toBe(true);
      expect(noise[b]).toBeGreaterThanOrEqual(below - 1e-6);
      expect(noise[b]).toBeLessThanOrEqual(below + f32[at(0) / 4 + b * A + drawn[b]] + 1e-6);
      expect(Math.abs(logProbs[b] - expected[drawn[b]])).toBeLessThan(1e-5);
      const best = f32[at(5) / 4 + b];
      expect(expected[best]).toBe(Math.max(...expected));
    }
  });

  it('a row with every action masked is uniform, as in sb3-contrib', () => {
    toPanels(at(1), 10 * 32, Float32Array.of(3, -1, 0.5), 1, 3);
    new Uint8Array(memory.buffer).fill(0, at(2), at(2) + 3);
    kernels.categoricalProbabilities(at(0), at(1), 10 * 32, 1, 3, at(2), at(3));
    expect([...f32.subarray(at(0) / 4, at(0) / 4 + 3)]).toEqual([1 / 3, 1 / 3, 1 / 3].map(Math.fround));
  });

  it.each([2, 3, 4, 5])('categorical loss: sums and gradient of %i logits', (A) => {
    const [B, clip, ent] = [13, 0.2, 0.03];
    const stride = 18 * 32;
    const logits = normals(B * A);
    toPanels(at(1), stride, logits, B, A, 16);
    const actions = Float32Array.from({ length: B }, () => stream.integer(A));
    const old = normals(B).map((x) => -1.6 + 0.3 * x);
    const advantages = normals(B);
    f32.set(actions, at(2) / 4);
    f32.set(old, at(3) / 4);
    f32.set(advantages, at(4) / 4);
    new Int32Array(memory.buffer).set(
      Int32Array.from({ length: B }, (_, i) => i),
      at(5) / 4,
    );
    f64.fill(0, at(6) / 8, at(6) / 8 + 5);
    kernels.categoricalLoss(
      at(6),
      at(0),
      at(1),
      stride,
      at(5),
      B,
      16,
      A,
      at(2),
      0,
      at(3),
      at(4),
      0.1,
      2,
      clip,
      ent,
      1 / B,
      at(7),
    );
    let [policy, entropySum] = [0, 0];
    for (let b = 0; b < B; b++) {
      const logs = twin.logSoftmax(
        [...logits.subarray(b * A, (b + 1) * A)],
        Array.from({ length: A }, () => true),
      );
      const entropy = -logs.reduce((sum, l) => sum + softExp(l) * l, 0);
      const { loss, gradient } = twin.surrogate(logs[actions[b]], old[b], (advantages[b] - 0.1) * 2, clip);
      policy += loss;
      entropySum += entropy;
      for (let j = 0; j < A; j++) {
        const p = softExp(logs[j]);
        const expected = (gradient * ((j === actions[b] ? 1 : 0) - p) + ent * p * (logs[j] + entropy)) / B;
        expect(f32[(at(0) + b * 32) / 4 + j]).toBeCloseTo(expected, 6);
      }
    }
    expect(f64[at(6) / 8]).toBeCloseTo(policy, 5);
    expect(f64[at(6) / 8 + 1]).toBeCloseTo(entropySum, 5);
    // the padding rows pass no gradient on
    expect(
      fromPanels(at(0), stride, 16, 8)
        .subarray(B * 8)
        .every((d) => d === 0),
    ).toBe(true);
  });

  it.each([1, 2, 3, 4])('%i unmasked actions, four rows at a time: the bits of the rows one by one', (A) => {
    const B = 14;
    const stride = 18 * 32;
    const logits = normals(B * A).map((x, i) => (i === 2 * A ? Number.NaN : i === 5 * A ? -Infinity : 30 * x));
    toPanels(at(1), stride, logits, B, A, 16);
    f32.set(
      Float32Array.from({ length: B }, () => stream.integer(A)),
      at(2) / 4,
    );
    f32.set(normals(B), at(3) / 4);
    f32.set(normals(B), at(4) / 4);
    new Int32Array(memory.buffer).set([...Array(B).keys()], at(5) / 4);
    new Uint8Array(memory.buffer).fill(1, at(8), at(8) + B * A);
    // masks that forbid nothing lead through the rows one by one
    const [together, apart] = [0, at(8)].map((masks) => {
      f64.fill(0, at(6) / 8, at(6) / 8 + 5);
      kernels.categoricalLoss(
        at(6),
        at(0),
        at(1),
        stride,
        at(5),
        B,
        16,
        A,
        at(2),
        masks,
        at(3),
        at(4),
        0,
        1,
        0.2,
        0.01,
        1 / B,
        at(7),
      );
      return [...fromPanels(at(0), stride, 16, A), ...f64.subarray(at(6) / 8, at(6) / 8 + 5)];
    });
    expect(together).toEqual(apart);
    expect(together.some(Number.isNaN)).toBe(true);
  });
});

function softExp(x: number): number {
  return 1 / (1 / tanhHalf(x) - 1);
}

/** exp(x) = t / (1 - t) with t = (1 + tanh(x / 2)) / 2: an exponential from another function than the kernel's. */
function tanhHalf(x: number): number {
  return (1 + tanh(x / 2)) / 2;
}

describe('value loss', () => {
  it.each([
    ['plain', -1, false],
    ['clamped', 0.2, false],
    ['pessimistic', 0.2, true],
  ] as const)('%s', (_, clip, pessimistic) => {
    const B = 21;
    const stride = 26 * 32;
    const [values, targets, olds] = [normals(B), normals(B), normals(B)];
    toPanels(at(1), stride, values, B, 1, 24);
    f32.set(targets, at(2) / 4);
    f32.set(olds, at(3) / 4);
    new Int32Array(memory.buffer).set(
      Int32Array.from({ length: B }, (_unused, i) => i),
      at(5) / 4,
    );
    f64.fill(0, at(6) / 8, at(6) / 8 + 5);
    kernels.valueLoss(at(6), at(0), at(1), stride, at(5), B, 24, at(2), at(3), clip, pessimistic, 0.5, 1 / B);
    let total = 0;
    for (let b = 0; b < B; b++) {
      const loss = (v: number): number => {
        const clamped = olds[b] + Math.min(Math.max(v - olds[b], -clip), clip);
        const [free, bound] = [(v - targets[b]) ** 2, (clamped - targets[b]) ** 2];
        return clip < 0 ? free : pessimistic ? Math.max(free, bound) : bound;
      };
      total += loss(values[b]);
      const h = 1e-5;
      const slope = (loss(values[b] + h) - loss(values[b] - h)) / (2 * h);
      expect(f32[(at(0) + b * 32) / 4]).toBeCloseTo((0.5 * slope) / B, 5);
    }
    expect(f64[at(6) / 8 + 4]).toBeCloseTo(total, 4);
  });
});

describe('Gaussian', () => {
  it('acts by mean and deviation, and its loss has the gradient of its twin', () => {
    const [B, K] = [10, 3];
    const stride = 18 * 32;
    const means = normals(B * K);
    const logStd = Float32Array.of(-0.5, 0.1, 0.4);
    toPanels(at(1), stride, means, B, K, 16);
    f32.set(logStd, at(2) / 4);
    kernels.gaussianDeviations(at(3), at(2), K);
    const deviations = f64.slice(at(3) / 8, at(3) / 8 + K);
    deviations.forEach((d, k) => expect(d).toBeCloseTo(softExp(logStd[k]), 12));
    const noise = Float64Array.from({ length: B * K }, () => stream.normal());
    f64.set(noise, at(4) / 8);
    kernels.gaussianAct(at(5), at(6), at(1), stride, B, K, at(2), at(3), at(4));
    const actions = f32.slice(at(5) / 4, at(5) / 4 + B * K);
    const logProb = (b: number, shiftMean = 0, shiftLogStd = 0, which = -1): number => {
      let sum = 0;
      for (let k = 0; k < K; k++) {
        const s = logStd[k] + (k === which ? shiftLogStd : 0);
        const z = (actions[b * K + k] - means[b * K + k] - (k === which ? shiftMean : 0)) / softExp(s);
        sum -= 0.5 * z * z + s + 0.5 * log(2 * Math.PI);
      }
      return sum;
    };
    for (let b = 0; b < B; b++) {
      for (let k = 0; k < K; k++)
        expect(actions[b * K + k]).toBe(Math.fround(means[b * K + k] + deviations[k] * noise[b * K + k]));
      expect(f32[at(6) / 4 + b]).toBeCloseTo(logProb(b), 5);
    }
    const old = Float32Array.from({ length: B }, (_, b) => logProb(b) + 0.1 * stream.normal());
    const advantages = normals(B);
    f32.set(old, at(7) / 4);
    f32.set(advantages, at(8) / 4);
    new Int32Array(memory.buffer).set(
      Int32Array.from({ length: B }, (_, i) => i),
      at(9) / 4,
    );
    f64.fill(0, at(10) / 8, at(10) / 8 + 5);
    f64.fill(0, at(11) / 8, at(11) / 8 + K);
    kernels.gaussianLoss(
      at(10),
      at(11),
      at(0),
      at(1),
      stride,
      at(9),
      B,
      16,
      K,
      at(5),
      at(2),
      at(3),
      at(7),
      at(8),
      0,
      1,
      10,
      0.02,
      1 / B,
    );
    const h = 1e-4;
    const loss = (shiftMean: number, shiftLogStd: number, which: number, only = -1): number => {
      let sum = 0;
      for (let b = 0; b < B; b++) {
        const shifted = only < 0 || only === b;
        const lp = logProb(b, shifted ? shiftMean : 0, shifted ? shiftLogStd : 0, which);
        sum += twin.surrogate(lp, old[b], advantages[b], 10).loss / B - (0.02 * shiftLogStd) / B;
      }
      return sum;
    };
    for (let k = 0; k < K; k++) {
      expect(f64[at(11) / 8 + k]).toBeCloseTo((loss(0, h, k) - loss(0, -h, k)) / (2 * h), 5);
      for (let b = 0; b < B; b++) {
        expect(f32[(at(0) + b * 32) / 4 + k]).toBeCloseTo((loss(h, 0, k, b) - loss(-h, 0, k, b)) / (2 * h), 5);
      }
    }
  });
});
