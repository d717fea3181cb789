/** Keys and values of a trial as people read them. */
import { isTree } from '#src/config/yaml-source.js';
import { decimal } from '#src/report/format.js';
import type { TrialParameters } from './space.js';

/** 0.0000111041 as 1.11e-5; four digits, since what was tried is in trials.csv. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return `[${value.map(showValue).join(', ')}]`;
  if (isTree(value))
    return Object.entries(value)
      .map(([key, own]) => `${key} ${showValue(own)}`)
      .join(' ');
  if (typeof value !== 'number') return JSON.stringify(value);
  const short = Number(value.toPrecision(4));
  const size = Math.abs(short);
  return size !== 0 && (size < 1e-3 || size >= 1e9) ? short.toExponential() : String(short);
}

/** "gamma 0.98, learning_rate 1.11e-5" */
export function describeValues(parameters: TrialParameters): string {
  const keys = Object.keys(parameters);
  const names = shortKeys(keys);
  return keys.map((key, k) => `${names[k]} ${showValue(parameters[key])}`).join(', ');
}

/** The last part of each dotted key, or the whole key where two end alike. */
export function shortKeys(keys: readonly string[]): string[] {
  const leaves = keys.map((key) => key.slice(key.lastIndexOf('.') + 1));
  return keys.map((key, k) => (leaves.filter((leaf) => leaf === leaves[k]).length > 1 ? key : leaves[k]));
}

/** About four digits that say something; null as a dash. */
export function showScore(score: number | null): string {
  return decimal(score, score === null || Math.abs(score) < 10 ? 4 : Math.abs(score) < 1000 ? 1 : 0);
}
