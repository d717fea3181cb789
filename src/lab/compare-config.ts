/** How the configurations of groups differ: before any figure, what was done differently. */
import { isTree } from '#src/config/yaml-source.js';
import type { ConfigDifference } from '#src/report/compare-model.js';
import type { CompareGroup } from './compare-table.js';

/** They name a run or change no bit. */
const IGNORED = new Set(['name', 'description', 'seed', 'training.threads', 'sweep']);
const ABSENT = '–';

/** A configuration as one line a value: "env.costs.spread_bps" -> "1". Lists stay whole. */
export function flatConfig(config: object): Map<string, string> {
  const flat = new Map<string, string>();
  const visit = (value: unknown, keys: readonly string[]): void => {
    const name = keys.join('.');
    if (IGNORED.has(name)) return;
    if (isTree(value)) {
      for (const [key, inner] of Object.entries(value)) visit(inner, [...keys, key]);
      return;
    }
    flat.set(name, typeof value === 'string' ? value : JSON.stringify(value ?? null));
  };
  visit(config, []);
  return flat;
}

/** Keys on which the groups do not all agree, in the order of the configuration; a group that varies says so. */
export function configDifferences(groups: readonly CompareGroup[]): ConfigDifference[] {
  const configured = groups.filter(({ runs }) => runs.length > 0);
  const keys = new Set(configured.flatMap(({ runs }) => runs.flatMap(({ config }) => [...config.keys()])));
  return [...keys].flatMap((key) => {
    const values = configured.map(({ runs }) => {
      const own = [...new Set(runs.map(({ config }) => config.get(key) ?? ABSENT))];
      return own.length === 1 ? own[0] : own.join(' | ');
    });
    return new Set(values).size > 1 || values.some((value) => value.includes(' | ')) ? [{ key, values }] : [];
  });
}
