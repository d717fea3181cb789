/** From points of the unit cube to values of the keys, and to all combinations of a grid. */
import { exp, log } from '#env/math/index.js';
import { RandomStream } from '#env/seeding.js';
import { fail } from '#src/errors.js';
import type { SweepDefinition, SweepParameter } from './definition.js';
import { sobolPoints } from './sobol.js';

/** Key -> value, in the order of the space. */
export type TrialParameters = Readonly<Record<string, unknown>>;

export const MOST_TRIALS = 10_000;

/** What each trial tries, in order. The same definition gives the same trials on every machine. */
export function drawTrials({ space, method, trials = 0, seed }: SweepDefinition): TrialParameters[] {
  const keys = Object.keys(space);
  if (method === 'random') {
    const points = sobolPoints(trials, keys.length, new RandomStream(seed, 'sweep/sobol'));
    return Array.from({ length: trials }, (_, i) =>
      Object.fromEntries(keys.map((key, d) => [key, valueAt(space[key], points[i * keys.length + d])])),
    );
  }
  const axes = keys.map((key) => gridValues(space[key]));
  const count = axes.reduce((product, values) => product * values.length, 1);
  if (count > MOST_TRIALS) {
    const message = `make a grid of ${count} trials; at most ${MOST_TRIALS}: fewer points, or method random`;
    fail('CONFIG_VALUE', { where: 'space', value: axes.map((values) => values.length), message });
  }
  // the last key varies fastest
  return Array.from({ length: count }, (_, i) => {
    let rest = i;
    const values = axes.toReversed().map((axis) => {
      const value = axis[rest % axis.length];
      rest = Math.floor(rest / axis.length);
      return value;
    });
    return Object.fromEntries(keys.map((key, d) => [key, values[keys.length - 1 - d]]));
  });
}

/** `unit` in [0, 1). */
function valueAt(parameter: SweepParameter, unit: number): unknown {
  if ('values' in parameter) return parameter.values[Math.floor(unit * parameter.values.length)];
  const { min, max, scale, integer } = parameter;
  // each whole number has the same share: the ends reach half a step beyond themselves
  const low = integer ? min - 0.5 : min;
  const high = integer ? max + 0.5 : max;
  const drawn = scale === 'log' ? exp(log(low) + unit * (log(high) - log(low))) : low + unit * (high - low);
  return integer ? Math.min(max, Math.max(min, Math.round(drawn))) : rounded(Math.min(max, Math.max(min, drawn)));
}

function gridValues(parameter: SweepParameter): unknown[] {
  if ('values' in parameter) return [...parameter.values];
  const { min, max, scale, integer, points = 2 } = parameter;
  const values = Array.from({ length: points }, (_, k) => {
    if (k === 0) return min;
    if (k === points - 1) return max;
    const unit = k / (points - 1);
    const value = scale === 'log' ? exp(log(min) + unit * (log(max) - log(min))) : min + unit * (max - min);
    return integer ? Math.round(value) : rounded(value);
  });
  return [...new Set(values)];
}

/** Six digits: nobody needs a learning rate of 0.00034567890123456, and a file with it is hard to read. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
