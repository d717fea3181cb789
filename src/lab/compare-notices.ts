/** What stands against comparing groups at all, said before any figure. */
import type { CompareNotice } from '#src/report/compare-model.js';
import { SEEDS_NEEDED } from '#src/stats/contrast.js';
import type { CompareGroup } from './compare-table.js';

/** What the market charges and allows is part of the question, not of the answer. */
const MARKET_KEYS =
  /^env\.(costs|order|rules|exits|direction|initial_equity|position_fraction|sleeves|minimum_equity|allow_fractional)\b/;

export function comparabilityNotices(groups: readonly CompareGroup[], tasks: readonly string[]): CompareNotice[] {
  const trained = groups.filter(({ runs }) => runs.length > 0);
  return [
    ...environmentNotices(trained),
    ...barsNotices(groups, tasks),
    ...marketNotices(trained),
    ...seenNotices(trained),
    ...seedNotices(trained, tasks),
    ...provenanceNotices(trained),
    ...shortNotices(groups, tasks),
  ];
}

const warning = (code: string, message: string): CompareNotice => ({ level: 'warning', code, message });
const note = (code: string, message: string): CompareNotice => ({ level: 'note', code, message });

function valuesOf({ runs }: CompareGroup, key: string): string[] {
  return [...new Set(runs.map(({ config }) => config.get(key) ?? 'none'))];
}

function environmentNotices(groups: readonly CompareGroup[]): CompareNotice[] {
  const ids = [...new Set(groups.flatMap((group) => valuesOf(group, 'env.id')))];
  if (ids.length < 2) return [];
  return [warning('environment', `the groups were trained in different environments: ${ids.join(', ')}`)];
}

function barsNotices(groups: readonly CompareGroup[], tasks: readonly string[]): CompareNotice[] {
  return tasks.flatMap((task) => {
    const judged = groups.flatMap(({ name, judged: own }) =>
      own.filter((bars) => bars.task === task).map(({ identity, label }) => ({ name, identity, label })),
    );
    const identities = new Set(judged.map(({ identity }) => identity));
    if (identities.size < 2) return [];
    const seen = [...new Set(judged.map(({ name, label }) => `${name} on ${label}`))];
    return [warning('bars', `the groups were judged on different bars: ${seen.join('; ')}`)];
  });
}

function marketNotices(groups: readonly CompareGroup[]): CompareNotice[] {
  const keys = new Set(groups.flatMap(({ runs }) => runs.flatMap(({ config }) => [...config.keys()])));
  const differing = [...keys]
    .filter((key) => MARKET_KEYS.test(key))
    .flatMap((key) => {
      const values = groups.map((group) => valuesOf(group, key).join(' or '));
      const each = values.map((value, k) => `${groups[k].name} ${value}`).join(', ');
      return new Set(values).size > 1 || values.some((value) => value.includes(' or ')) ? [`${key}: ${each}`] : [];
    });
  if (differing.length === 0) return [];
  return [
    warning(
      'market',
      `each group was judged under its own costs, orders and rules, and they differ in ${differing.join('; ')}`,
    ),
  ];
}

function seenNotices(groups: readonly CompareGroup[]): CompareNotice[] {
  const notices = groups.flatMap(({ name, runs }) => {
    const seen = runs.filter(({ inSample }) => inSample).length;
    return seen === 0
      ? []
      : [
          warning(
            'in-sample',
            `${name}: ${seen} of ${runs.length} runs were judged on bars that training, or the choice of the checkpoint, had seen`,
          ),
        ];
  });
  const synthetic = groups.filter(({ runs }) => runs.some((run) => run.synthetic)).map(({ name }) => name);
  return synthetic.length === 0
    ? notices
    : [...notices, note('synthetic', `SYNTHETIC DATA: the bars of ${synthetic.join(', ')} were made by a generator`)];
}

function seedNotices(groups: readonly CompareGroup[], tasks: readonly string[]): CompareNotice[] {
  return groups.flatMap(({ name, rows }) => {
    const counts = tasks.map((task) => rows.filter((row) => row.task === task).length);
    const fewest = Math.min(...counts);
    const uneven = Math.max(...counts) !== fewest;
    return [
      ...(fewest < SEEDS_NEEDED
        ? [
            warning(
              'seeds',
              `${name} has ${fewest === 1 ? 'one seed' : `${fewest} seeds`}: intervals over so few are too narrow, and no verdict is given under ${SEEDS_NEEDED}; openbell train --seeds ${SEEDS_NEEDED} trains more`,
            ),
          ]
        : []),
      ...(uneven
        ? [warning('uneven', `${name} has between ${fewest} and ${Math.max(...counts)} runs a task: some are missing`)]
        : []),
    ];
  });
}

/** A Sharpe ratio of days, a year of them: as wide as it is large. */
const SHORT_YEARS = 0.25;

function shortNotices(groups: readonly CompareGroup[], tasks: readonly string[]): CompareNotice[] {
  const years = groups.flatMap(({ rows }) =>
    rows.flatMap(({ task, metrics }) => (tasks.includes(task) ? (metrics['years'] ?? []) : [])),
  );
  const least = Math.min(...years);
  if (years.length === 0 || least >= SHORT_YEARS) return [];
  return [
    note(
      'short',
      `the shortest window has ${(252 * least).toFixed(1)} trading days: figures a year are extrapolated from it`,
    ),
  ];
}

function provenanceNotices(groups: readonly CompareGroup[]): CompareNotice[] {
  const notices: CompareNotice[] = [];
  const checkpoints = groups.map(({ runs }) => [...new Set(runs.map(({ checkpoint }) => checkpoint))].join(' or '));
  if (new Set(checkpoints).size > 1 || checkpoints.some((name) => name.includes(' or '))) {
    const each = groups.map(({ name }, k) => `${name} ${checkpoints[k]}`).join(', ');
    notices.push(warning('checkpoints', `not the same checkpoint was judged everywhere: ${each}`));
  }
  const codes = [...new Set(groups.flatMap(({ runs }) => runs.map(({ code }) => code)))];
  if (codes.length > 1)
    notices.push(note('code', `runs come from ${codes.length} states of the code: ${codes.join(', ')}`));
  for (const { name, runs } of groups) {
    const hashes = new Set(runs.map(({ configHash }) => configHash));
    if (hashes.size > 1)
      notices.push(warning('mixed', `${name} mixes runs of ${hashes.size} configurations: see what differs`));
  }
  return notices;
}
