/** Gymnasium's spaces, as far as OpenBell's environments use them: Discrete, and Box of one dimension in float32. */
import { log } from './math/index.js';
import type { RandomStream } from './seeding.js';
import { fail } from '#src/errors.js';

export interface DiscreteSpace {
  readonly kind: 'discrete';
  /** Actions are 0 .. n - 1. */
  readonly n: number;
}

export interface BoxSpace {
  readonly kind: 'box';
  readonly shape: readonly [number];
  /** Per element; may be infinite. */
  readonly low: Float64Array;
  readonly high: Float64Array;
}

export type ActionSpace = DiscreteSpace | BoxSpace;
export type ObservationSpace = BoxSpace;

/** The integers 0 .. n - 1. Throws ENV_CONFIG unless n is a positive integer. */
export function discrete(n: number): DiscreteSpace {
  if (!Number.isSafeInteger(n) || n < 1) {
    fail('ENV_CONFIG', { where: 'discrete(n)', value: n, message: 'n must be a positive integer' });
  }
  return { kind: 'discrete', n };
}

/**
 * A box of `size` numbers, low[i] <= x[i] <= high[i]. A bound given as one number holds for every element; the
 * size may be left out where a bound is a list. Throws ENV_CONFIG where sizes differ or a low exceeds its high.
 */
export function box(low: number | ArrayLike<number>, high: number | ArrayLike<number>, size?: number): BoxSpace {
  const length = size ?? (typeof low === 'number' ? (typeof high === 'number' ? undefined : high.length) : low.length);
  if (length === undefined || !Number.isSafeInteger(length) || length < 1) {
    fail('ENV_CONFIG', {
      where: 'box(low, high, size)',
      value: length,
      message: 'give the size, a positive integer, or a list of bounds',
    });
  }
  const lows = bounds(low, length, 'low');
  const highs = bounds(high, length, 'high');
  for (let i = 0; i < length; i++) {
    if (!(lows[i] <= highs[i])) {
      fail('ENV_CONFIG', {
        where: `box(low, high) index ${i}`,
        value: [lows[i], highs[i]].join(' .. '),
        message: 'low must be at most high, and neither NaN',
      });
    }
  }
  return { kind: 'box', shape: [length], low: lows, high: highs };
}

function bounds(given: number | ArrayLike<number>, length: number, name: string): Float64Array {
  if (typeof given === 'number') return new Float64Array(length).fill(given);
  if (given.length !== length) {
    fail('ENV_CONFIG', {
      where: `box(low, high, size) ${name}`,
      value: given.length,
      message: `expected ${length} bounds`,
    });
  }
  return Float64Array.from(given);
}

/** Number of columns that a space takes in a vector environment's action array: 1 for Discrete. */
export function spaceSize(space: ActionSpace): number {
  return space.kind === 'discrete' ? 1 : space.shape[0];
}

/** Whether `value` (an integer for Discrete, a Float32Array for Box) lies in the space. */
export function contains(space: ActionSpace, value: unknown): boolean {
  if (space.kind === 'discrete') return Number.isInteger(value) && Number(value) >= 0 && Number(value) < space.n;
  if (!(value instanceof Float32Array) || value.length !== space.shape[0]) return false;
  for (let i = 0; i < value.length; i++) if (!inside(space, i, value[i])) return false;
  return true;
}

/** Why `value` is not in the space: one sentence for every bad index. Empty where it is inside. */
export function violations(space: ActionSpace, value: unknown): string[] {
  if (space.kind === 'discrete') {
    return contains(space, value) ? [] : [`${describe(value)} is not an integer in 0 .. ${space.n - 1}`];
  }
  if (!(value instanceof Float32Array)) return [`${describe(value)} is not a Float32Array`];
  if (value.length !== space.shape[0]) return [`length ${value.length}, but the space has ${space.shape[0]}`];
  const found: string[] = [];
  for (let i = 0; i < value.length; i++) {
    if (!inside(space, i, value[i]))
      found.push(`index ${i}: ${value[i]} is not in [${space.low[i]}, ${space.high[i]}]`);
  }
  return found;
}

/** Throws ENV_CONTRACT, naming every bad index, unless `action` lies in the space. */
export function requireAction(space: ActionSpace, action: number | Float32Array, where: string): void {
  if (contains(space, action)) return;
  const value = typeof action === 'number' ? String(action) : Array.from(action, String).join(', ');
  fail('ENV_CONTRACT', { where, value, message: `action outside the space: ${violations(space, action).join('; ')}` });
}

/** Values are float32, so the bounds are compared as float32 too: 0.07 rounded must lie in [-0.07, 0.07]. NaN never does. */
function inside(space: BoxSpace, i: number, value: number): boolean {
  return value >= Math.fround(space.low[i]) && value <= Math.fround(space.high[i]);
}

function describe(value: unknown): string {
  if (typeof value === 'number' || value === null || value === undefined) return String(value);
  if (typeof value === 'object') return value.constructor?.name ?? 'an object';
  return `${typeof value} ${String(value)}`;
}

/**
 * A random element. Discrete: uniform, among those that the mask (n) allows where one is given. Box, element by
 * element as Gymnasium does: uniform where both bounds are finite, shifted exponential where one is, standard
 * normal where none is. Throws SPACE_VALUE where the mask allows nothing.
 */
export function sample(space: DiscreteSpace, stream: RandomStream, mask?: Uint8Array | null): number;
export function sample(space: BoxSpace, stream: RandomStream, mask?: Uint8Array | null): Float32Array;
export function sample(space: ActionSpace, stream: RandomStream, mask?: Uint8Array | null): number | Float32Array;
export function sample(space: ActionSpace, stream: RandomStream, mask?: Uint8Array | null): number | Float32Array {
  return space.kind === 'discrete' ? sampleDiscrete(space, stream, mask ?? null) : sampleBox(space, stream);
}

function sampleDiscrete(space: DiscreteSpace, stream: RandomStream, mask: Uint8Array | null): number {
  if (mask === null) return stream.integer(space.n);
  let allowed = 0;
  for (let a = 0; a < space.n; a++) if (mask[a] === 1) allowed++;
  if (allowed === 0) {
    fail('SPACE_VALUE', {
      where: 'action mask',
      value: Array.from(mask),
      message: 'at least one action must be allowed',
    });
  }
  let left = stream.integer(allowed);
  for (let a = 0; a < space.n; a++) {
    if (mask[a] === 1 && left-- === 0) return a;
  }
  return space.n - 1;
}

function sampleBox(space: BoxSpace, stream: RandomStream): Float32Array {
  const out = new Float32Array(space.shape[0]);
  for (let i = 0; i < out.length; i++) {
    const low = space.low[i];
    const high = space.high[i];
    if (Number.isFinite(low) && Number.isFinite(high)) out[i] = low + (high - low) * stream.uniform();
    else if (Number.isFinite(low)) out[i] = low - log(1 - stream.uniform());
    else if (Number.isFinite(high)) out[i] = high + log(1 - stream.uniform());
    else out[i] = stream.normal();
  }
  return out;
}

/** Clips values (B,A) into the Box in place. NaN stays NaN, so that an environment can refuse it. */
export function clip(space: BoxSpace, values: Float32Array, batch = 1): void {
  const size = space.shape[0];
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < size; i++) {
      const at = b * size + i;
      values[at] = Math.min(Math.max(values[at], space.low[i]), space.high[i]);
    }
  }
}

/** Whether two spaces are the same set. */
export function sameSpace(a: ActionSpace, b: ActionSpace): boolean {
  if (a.kind === 'discrete' || b.kind === 'discrete')
    return a.kind === 'discrete' && b.kind === 'discrete' && a.n === b.n;
  return a.shape[0] === b.shape[0] && a.low.every((x, i) => x === b.low[i]) && a.high.every((x, i) => x === b.high[i]);
}
