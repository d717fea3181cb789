import { expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import type { PolicySpec } from './contract.js';
import { initialParameters, orthogonalMatrix } from './initialization.js';
import { policyLayout } from './layout.js';

const SPEC: PolicySpec = {
  observationSize: 14,
  action: { kind: 'box', size: 3 },
  netArch: { pi: [64, 32], vf: [10] },
  activation: 'tanh',
  orthoInit: true,
  logStdInit: -0.7,
};

it.each([
  [64, 64],
  [14, 64],
  [64, 3],
  [1, 1],
  [5, 5],
  [33, 1],
])('a %i x %i matrix is orthonormal along its shorter side', (rows, columns) => {
  const q = orthogonalMatrix(rows, columns, new RandomStream(1, 'q'));
  const count = Math.min(rows, columns);
  const element = (vector: number, i: number): number =>
    rows >= columns ? q[i * columns + vector] : q[vector * columns + i];
  for (let a = 0; a < count; a++) {
    for (let b = 0; b <= a; b++) {
      let dot = 0;
      for (let i = 0; i < Math.max(rows, columns); i++) dot += element(a, i) * element(b, i);
      expect(Math.abs(dot - (a === b ? 1 : 0))).toBeLessThan(1e-13);
    }
  }
});

it('gives hidden layers gain sqrt 2, the action head 0.01, the value head 1, and no biases', () => {
  const layout = policyLayout(SPEC);
  const parameters = initialParameters(SPEC, new RandomStream(4, 'init'));
  for (const { weight, bias, inputs, outputs, role } of [...layout.actor, ...layout.critic]) {
    const gain = { hidden: 2, action: 1e-4, value: 1 }[role];
    let squares = 0;
    for (let i = 0; i < weight.size; i++) squares += parameters[weight.offset + i] ** 2;
    // the trace of W^T W: gain^2 for each orthonormal vector
    expect(squares / (gain * Math.min(inputs, outputs))).toBeCloseTo(1, 5);
    expect(parameters.subarray(bias.offset, bias.offset + bias.size).every((b) => b === 0)).toBe(true);
  }
  const logStd = layout.slots.filter(({ name }) => name === 'log_std').map(({ offset }) => parameters[offset + 2]);
  expect(logStd).toEqual([Math.fround(-0.7)]);
});

it('without orthogonality draws weights and biases within 1 / sqrt(inputs), as PyTorch does', () => {
  const spec = { ...SPEC, orthoInit: false };
  const parameters = initialParameters(spec, new RandomStream(4, 'init'));
  for (const { weight, bias, inputs } of policyLayout(spec).actor) {
    const both = parameters.subarray(weight.offset, bias.offset + bias.size);
    const largest = Math.max(...both.map(Math.abs));
    expect(largest).toBeLessThanOrEqual(Math.fround(1 / Math.sqrt(inputs)));
    expect(largest).toBeGreaterThan(0.9 / Math.sqrt(inputs));
  }
});

it('refuses a layer of no width by name', () => {
  expect(() => policyLayout({ ...SPEC, netArch: { pi: [64, 0], vf: [] } })).toThrow(/POLICY_SPEC netArch.pi\[1\] 0/);
  expect(() => policyLayout({ ...SPEC, action: { kind: 'discrete', n: 2.5 } })).toThrow(/POLICY_SPEC action.n 2.5/);
});

it('names the tensors in order, the actor first', () => {
  expect(policyLayout(SPEC).slots.map((slot) => slot.name)).toEqual([
    'pi.0.weight',
    'pi.0.bias',
    'pi.1.weight',
    'pi.1.bias',
    'action.weight',
    'action.bias',
    'log_std',
    'vf.0.weight',
    'vf.0.bias',
    'value.weight',
    'value.bias',
  ]);
});
