/** `openbell runs list` */
import type { CommandModule } from 'yargs';
import { utcInstant } from '#env/market/window.js';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { nearestName } from '#src/config/suggest.js';
import { fail } from '#src/errors.js';
import {
  listStoredRuns,
  RUN_STATES,
  SORT_KEYS,
  type RunFilter,
  type RunState,
  type SortKey,
  type StoredRun,
} from '#src/lab/store/list-runs.js';
import { parseCount } from './parse-count.js';

interface ListArguments {
  experiment?: string | undefined;
  status?: string | undefined;
  tag?: string | undefined;
  seed?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  sweep?: string | boolean | undefined;
  dataset?: string | undefined;
  note?: string | undefined;
  archived: boolean;
  all: boolean;
  sort: SortKey;
  reverse: boolean;
  limit?: string | undefined;
  json: boolean;
}

const text = (describe: string) => ({ type: 'string', requiresArg: true, describe }) as const;
const flag = (describe: string) => ({ type: 'boolean', default: false, describe }) as const;

export const listCommand: CommandModule<object, ListArguments> = {
  command: 'list [experiment]',
  describe: 'List runs, newest last',
  builder: (yargs) =>
    yargs
      .positional('experiment', { type: 'string', describe: 'Only runs of this experiment' })
      .options({
        status: text(`Only these, with commas between: ${RUN_STATES.join(', ')}`),
        tag: text('Only runs with this tag; several, with commas between: with all of them'),
        seed: text('Only these seeds, e.g. 3, 0-9 or 1,5,9'),
        since: text('Started then or later, e.g. 2026-03-01 (00:00 UTC) or 2026-03-01T14:30Z'),
        until: text('Started before then'),
        sweep: {
          type: 'string',
          coerce: (given: unknown): string | boolean | undefined =>
            typeof given === 'boolean' ? given : given === undefined ? undefined : String(given),
          describe: "Only trials of this sweep, by its name or id; --no-sweep: only runs that are no sweep's",
        },
        dataset: text('Only runs that learned from this data set or symbol'),
        note: text('Only runs whose note has this text'),
        archived: flag('Only archived runs'),
        all: flag('Archived runs too'),
        sort: { choices: SORT_KEYS, default: 'started' as const, requiresArg: true, describe: 'Order; greatest last' },
        reverse: flag('Greatest first'),
        limit: text('Only the last so many'),
        json: flag('Print JSON, a line a run'),
      })
      .example('$0 runs list --sort score --limit 10', 'The ten best on their validation windows')
      .example('$0 runs list --status dead,interrupted', 'What can be resumed'),
  handler: async (args) => {
    const { runsDir } = readRuntimeSettings(process.env);
    const { sort, reverse, json, limit } = args;
    const list = listStoredRuns(runsDir, {
      filter: await filterOf(args),
      sort,
      reverse,
      limit: limit === undefined ? undefined : parseCount(limit, '--limit'),
    });
    const lines = list.runs.map((run) => `${json ? JSON.stringify(run) : describeRun(run)}\n`);
    if (lines.length > 0) process.stdout.write(lines.join(''));
    if (json) return;
    if (list.total === 0) console.error(`no runs in ${runsDir}; openbell train experiments/quickstart.yaml makes one`);
    else if (list.runs.length === 0) console.error(`none of the ${list.total} runs in ${runsDir} is like that`);
    if (list.archived > 0) console.error(`${list.archived} archived: --all shows them too`);
    if (list.unreadable.length > 0) {
      const states = [...new Set(list.unreadable.map(({ state }) => state))].join(',');
      console.error(`${list.unreadable.length} that cannot be read as runs: openbell runs list --status ${states}`);
    }
  },
};

async function filterOf(args: ListArguments): Promise<RunFilter> {
  const { experiment, status, tag, seed, since, until, sweep, dataset, note, archived, all } = args;
  if (sweep === true || sweep === '')
    fail('USAGE', { where: '--sweep', message: "give a sweep's name or id, or --no-sweep" });
  return {
    experiment,
    states: status === undefined ? undefined : listed(status).map(stateOf),
    tags: tag === undefined ? undefined : listed(tag),
    seeds: seed === undefined ? undefined : await seedsOf(seed),
    sinceMs: since === undefined ? undefined : utcInstant(since, '--since'),
    untilMs: until === undefined ? undefined : utcInstant(until, '--until'),
    sweep: sweep === false ? null : sweep,
    dataset,
    text: note,
    archived: archived ? 'only' : all,
  };
}

const listed = (value: string): string[] =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

function stateOf(name: string): RunState {
  const state = RUN_STATES.find((known) => known === name);
  if (state !== undefined) return state;
  const near = nearestName(name, RUN_STATES);
  return fail('USAGE', {
    where: '--status',
    value: name,
    message: near === null ? `there is: ${RUN_STATES.join(', ')}` : `did you mean "${near}"?`,
  });
}

/** A number alone is that seed here, and no count. Loaded where it is needed: it knows all of training. */
async function seedsOf(seed: string): Promise<number[]> {
  const { parseSeeds } = await import('#src/lab/seeds.js');
  const text = seed.trim();
  return parseSeeds(/^\d+$/.test(text) ? `${text}-${text}` : text, 0);
}

function describeRun(run: StoredRun): string {
  const { id, state, timesteps, score, metrics, weights_sha256: weights, tags, archived_at: archived, problem } = run;
  const figure =
    metrics?.total_return !== null && metrics?.total_return !== undefined
      ? `test ${(100 * metrics.total_return).toFixed(1)}%`
      : metrics?.mean_return !== null && metrics?.mean_return !== undefined
        ? `test ${metrics.mean_return.toPrecision(4)}`
        : '';
  const columns = [
    id.padEnd(48),
    state.padEnd(12),
    (timesteps === null ? '' : `${timesteps} steps`).padStart(16),
    (score === null ? '' : `best ${score.toPrecision(4)}`).padEnd(14),
    figure.padEnd(12),
    weights?.slice(0, 12) ?? '',
    tags.map((tag) => `#${tag}`).join(' '),
    archived === null ? '' : 'archived',
  ];
  const line = columns.join('  ').trimEnd();
  return run.kind === 'run' && problem === null
    ? line
    : `${run.kind === 'run' ? line : `${id.padEnd(48)}  ${state.padEnd(12)}`}  ${problem}`;
}
