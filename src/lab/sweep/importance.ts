/**
 * How much a key mattered: the share of the variance of the trials' ranks that the key explains alone, beside what
 * chance would give. Ranks, so that one disastrous trial does not decide; all trials at the first rung, where all were
 * trained alike. A number enters as a quadratic of its place in its range (log where the space is), so that a best value
 * in the middle is seen; a choice enters as the means of its values. Since Sobol' points are nearly uncorrelated, the
 * shares of several keys add up to little more than 1, and come near the first-order indices of Sobol'. What keys do
 * only together is not seen.
 */
import { log } from '#env/math/index.js';
import { RandomStream } from '#env/seeding.js';
import { quantile } from '#src/stats/bootstrap.js';
import type { SweepDefinition, SweepParameter } from './definition.js';
import type { TrialRow } from './trial-table.js';

export interface KeyImportance {
  readonly key: string;
  /** R squared, 0 to 1. */
  readonly share: number;
  /** 95% of shuffles of the scores explain less: below it the key cannot be told from chance. */
  readonly chance: number;
}

/** Fewer trials say nothing. */
const LEAST_TRIALS = 8;
const SHUFFLES = 1000;

/** Most important first; empty where too few trials have a score. */
export function keyImportance(rows: readonly TrialRow[], { space, seed }: SweepDefinition): KeyImportance[] {
  const known = rows.filter(({ rungs }) => rungs.length > 0);
  if (known.length < LEAST_TRIALS) return [];
  // a failed trial is the worst there is
  const ranks = ranksOf(known.map(({ rungs }) => rungs[0].score ?? Number.NEGATIVE_INFINITY));
  if (new Set(ranks).size < 2) return [];
  const shuffled = Float64Array.from(ranks);
  const order = new Int32Array(ranks.length);
  return Object.entries(space)
    .map(([key, parameter]) => {
      const basis = orthonormalBasis(columnsOf(known, key, parameter));
      const random = new RandomStream(seed, `sweep/importance/${key}`);
      const byChance = Float64Array.from({ length: SHUFFLES }, () => {
        random.permutation(order);
        for (const [i, from] of order.entries()) shuffled[i] = ranks[from];
        return explainedShare(basis, shuffled);
      });
      return { key, share: explainedShare(basis, ranks), chance: quantile(byChance.sort(), 0.95) };
    })
    .sort((a, b) => b.share - a.share);
}

/** 1 for the lowest; ties share their mean. */
function ranksOf(values: readonly number[]): Float64Array {
  const order = values
    .map((_, i) => i)
    .sort((a, b) => (values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : a - b));
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let k = from; k < to; k++) ranks[order[k]] = (from + to + 1) / 2;
    from = to;
  }
  return ranks;
}

/** Columns of (trials) that the key's values enter as. */
function columnsOf(rows: readonly TrialRow[], key: string, parameter: SweepParameter): Float64Array[] {
  if ('values' in parameter) {
    const names = parameter.values.map((value) => JSON.stringify(value));
    return names.map((name) =>
      Float64Array.from(rows, ({ parameters }) => Number(JSON.stringify(parameters[key]) === name)),
    );
  }
  const { min, max, scale } = parameter;
  const place = (value: number): number =>
    scale === 'log' ? log(value / min) / log(max / min) : (value - min) / (max - min);
  const unit = Float64Array.from(rows, ({ parameters }) => 2 * place(Number(parameters[key])) - 1);
  return [unit, unit.map((x) => x * x)];
}

const NO_LENGTH = 1e-9;

/** Gram-Schmidt of the centred columns; what depends on others is left out. */
function orthonormalBasis(columns: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const column of columns) {
    const mean = column.reduce((sum, x) => sum + x, 0) / column.length;
    const rest = column.map((x) => x - mean);
    for (const direction of basis) {
      const along = dot(rest, direction);
      for (const [i, x] of direction.entries()) rest[i] -= along * x;
    }
    const length = Math.sqrt(dot(rest, rest));
    if (length > NO_LENGTH) basis.push(rest.map((x) => x / length));
  }
  return basis;
}

function explainedShare(basis: readonly Float64Array[], values: Float64Array): number {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const centred = values.map((x) => x - mean);
  const explained = basis.reduce((sum, direction) => sum + dot(direction, centred) ** 2, 0);
  return Math.min(1, explained / dot(centred, centred));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
