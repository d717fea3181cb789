/**
 * Combinatorial purged cross-validation: Lopez de Prado (2018), "Advances in Financial Machine Learning", chapter 12.
 * The bars are cut into N groups; each of the C(N, k) ways to take k of them is once the test, and the rest the
 * training. Every group is judged by C(N - 1, k - 1) policies, from which as many paths over all bars are put together.
 */
import type { WalkForwardConfig } from '#src/config/schema.js';
import { fail } from '#src/errors.js';
import type { Part, Parts } from './plan.js';

/** How many bars of a group are left, for it to be worth anything. */
const FEWEST_BARS = 4;

/**
 * @param length bars on the clock
 * @throws DATA_WINDOW where groups are too short for their purge and embargo
 */
export function combinatorialParts(
  length: number,
  {
    groups,
    test_groups: taken,
    purge,
    embargo,
  }: Pick<WalkForwardConfig, 'groups' | 'test_groups' | 'purge' | 'embargo'>,
): { parts: Parts[]; paths: { window: number; part: number }[][] } {
  const edges = Array.from({ length: groups + 1 }, (_, k) => Math.floor((k * length) / groups));
  const shortest = Math.floor(length / groups) - 2 * purge - embargo;
  if (shortest < FEWEST_BARS) {
    fail('DATA_WINDOW', {
      where: 'walk_forward',
      value: length,
      message: `so many bars in ${groups} groups leave ${shortest} in each after purge and embargo: take fewer groups, or a smaller purge`,
    });
  }
  const splits = combinations(groups, taken);
  const parts = splits.map((chosen): Parts => {
    const test = chosen.map((group): Part => ({ from: edges[group], to: edges[group + 1] }));
    // purged before a test group, purged and embargoed behind it. Excluded even where it lies at an end: what follows
    // a group that merely lay before the training would still be warmed up by its bars
    const hidden = test.map((part): Part => ({
      from: Math.max(0, part.from - purge),
      to: Math.min(length, part.to + purge + embargo),
    }));
    return { train: { from: 0, to: length }, validation: null, test, exclude: joined(hidden) };
  });
  const paths = Array.from({ length: (splits.length * taken) / groups }, (_, path) =>
    Array.from({ length: groups }, (__, group) => {
      const judges = splits.flatMap((chosen, window) => (chosen.includes(group) ? [window] : []));
      const window = judges[path];
      return { window, part: splits[window].indexOf(group) };
    }),
  );
  return { parts, paths };
}

/** Every way to take `taken` of `count`, in lexicographic order. */
export function combinations(count: number, taken: number): number[][] {
  const found: number[][] = [];
  const extend = (chosen: readonly number[], next: number): void => {
    if (chosen.length === taken) {
      found.push([...chosen]);
      return;
    }
    for (let item = next; item <= count - (taken - chosen.length); item++) extend([...chosen, item], item + 1);
  };
  extend([], 0);
  return found;
}

/** Neighbours and overlaps become one; what is empty goes. In order. */
function joined(parts: readonly Part[]): Part[] {
  const all: Part[] = [];
  for (const part of parts) {
    if (part.to <= part.from) continue;
    const last = all.at(-1);
    if (last !== undefined && part.from <= last.to)
      all[all.length - 1] = { from: last.from, to: Math.max(last.to, part.to) };
    else all.push(part);
  }
  return all;
}
