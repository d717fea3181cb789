/** Three groups or more, and the best is taken: how much of its lead is the taking? */
import type { Selection } from '#src/report/compare-model.js';
import { sampleDeviation } from '#src/stats/aggregate.js';
import { momentsOf, NO_DEVIATION } from '#src/stats/moments.js';
import { backtestOverfitting } from '#src/stats/overfitting.js';
import { deflatedSharpe, sharpeRecord } from '#src/stats/sharpe-significance.js';
import { growthReturns } from './compare-equity.js';
import type { CompareGroup } from './compare-table.js';

const FEWEST_GROUPS = 3;
/** Bars a chunk at the least: a Sharpe ratio of fewer says nothing. */
const BARS_PER_CHUNK = 10;
const CHUNKS = 16;
const FEWEST_CHUNKS = 4;

/**
 * PBO and the deflated Sharpe ratio over the groups' mean accounts. The groups compared are all the trials that are
 * known here: where more were tried and left out, both flatter.
 */
export function selectionOf(
  groups: readonly CompareGroup[],
  tasks: readonly string[],
  by: 'symbol' | 'window' | null,
): Selection | null {
  const accounts = groups
    .filter(({ runs }) => runs.length > 0)
    .map((group) => ({ name: group.name, seeds: growthReturns(group, tasks, by) }));
  if (accounts.length < FEWEST_GROUPS || accounts.some(({ seeds }) => seeds.length === 0)) return null;
  const bars = accounts[0].seeds[0].length;
  const chunks = Math.min(CHUNKS, 2 * Math.floor(bars / BARS_PER_CHUNK / 2));
  if (chunks < FEWEST_CHUNKS || accounts.some(({ seeds }) => seeds[0].length !== bars)) return null;
  const means = accounts.map(({ seeds }) => meanOf(seeds));
  const sharpes = Float64Array.from(means, sharpeOf);
  const best = sharpes.indexOf(Math.max(...sharpes));
  const { pbo, splits } = backtestOverfitting(means, chunks);
  const record = sharpeRecord(means[best]);
  return {
    groups: accounts.length,
    best: accounts[best].name,
    pbo,
    splits,
    deflatedSharpe: record === null ? null : deflatedSharpe(record, accounts.length, sampleDeviation(sharpes) ?? 0),
  };
}

function meanOf(seeds: readonly Float64Array[]): Float64Array {
  return seeds[0].map((_, t) => seeds.reduce((sum, returns) => sum + returns[t], 0) / seeds.length);
}

function sharpeOf(returns: Float64Array): number {
  const { mean, deviation } = momentsOf(returns);
  return deviation === null || deviation < NO_DEVIATION ? 0 : mean / deviation;
}
