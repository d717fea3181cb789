/** Which tensors a policy has, by name, and where they stand in the flat parameter vector: the same for every engine. */
import type { ParameterSlot, PolicySpec } from './contract.js';
import { fail } from '#src/errors.js';

/** Columns of the action head: action values to choose from, or the means of a Box. */
export function headSize(spec: PolicySpec): number {
  return spec.action.kind === 'discrete' ? spec.action.n : spec.action.size;
}

/** K: numbers an action takes. */
export function actionColumns(spec: PolicySpec): number {
  return spec.action.kind === 'discrete' ? 1 : spec.action.size;
}

/** Throws POLICY_SPEC unless every size is a positive integer. */
export function checkSpec(spec: PolicySpec): void {
  const sizes: [string, number][] = [
    ['observationSize', spec.observationSize],
    [spec.action.kind === 'discrete' ? 'action.n' : 'action.size', headSize(spec)],
    ...spec.netArch.pi.map((width, i): [string, number] => [`netArch.pi[${i}]`, width]),
    ...spec.netArch.vf.map((width, i): [string, number] => [`netArch.vf[${i}]`, width]),
  ];
  for (const [where, size] of sizes) {
    if (!Number.isInteger(size) || size < 1 || size > 65_536) {
      fail('POLICY_SPEC', { where, value: size, message: 'a layer size is an integer from 1 to 65536' });
    }
  }
  if (!Number.isFinite(spec.logStdInit)) {
    fail('POLICY_SPEC', {
      where: 'logStdInit',
      value: spec.logStdInit,
      message: 'the initial log standard deviation is a finite number',
    });
  }
}

/** One linear layer y = x W + b and the names of its tensors. */
export interface LinearLayer {
  readonly weight: ParameterSlot;
  readonly bias: ParameterSlot;
  readonly inputs: number;
  readonly outputs: number;
  readonly role: 'hidden' | 'action' | 'value';
}

export interface PolicyLayout {
  readonly slots: readonly ParameterSlot[];
  readonly parameterCount: number;
  readonly actor: readonly LinearLayer[];
  readonly critic: readonly LinearLayer[];
  /** Box only. */
  readonly logStd: ParameterSlot | null;
}

/** The actor's tensors come first, then the critic's, so that each half is one contiguous range. */
export function policyLayout(spec: PolicySpec): PolicyLayout {
  checkSpec(spec);
  const slots: ParameterSlot[] = [];
  let offset = 0;
  const slot = (name: string, shape: readonly number[]): ParameterSlot => {
    const size = shape.reduce((product, n) => product * n, 1);
    const made = { name, shape, offset, size };
    slots.push(made);
    offset += size;
    return made;
  };
  const tower = (
    prefix: string,
    head: 'action' | 'value',
    hidden: readonly number[],
    outputs: number,
  ): LinearLayer[] => {
    const widths = [spec.observationSize, ...hidden, outputs];
    return widths.slice(1).map((width, i) => {
      const isHead = i === hidden.length;
      const name = isHead ? head : `${prefix}.${i}`;
      const weight = slot(`${name}.weight`, [widths[i], width]);
      const bias = slot(`${name}.bias`, [width]);
      return { weight, bias, inputs: widths[i], outputs: width, role: isHead ? head : 'hidden' };
    });
  };
  const actor = tower('pi', 'action', spec.netArch.pi, headSize(spec));
  const logStd = spec.action.kind === 'box' ? slot('log_std', [spec.action.size]) : null;
  const critic = tower('vf', 'value', spec.netArch.vf, 1);
  return { slots, parameterCount: offset, actor, critic, logStd };
}
