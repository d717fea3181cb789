/** What `openbell runs list` does. */
import { utcInstant } from '#env/market/window.js';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { nearestName } from '#src/config/suggest.js';
import { fail } from '#src/errors.js';
import { listStoredRuns, type RunFilter, type StoredRun } from '#src/lab/store/list-runs.js';
import { RUN_STATES, type RunState, type SortKey } from '#src/lab/store/run-states.js';
import { parseCount } from '../parse-count.js';

export interface ListArguments {
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

export async function listRuns(args: ListArguments): Promise<void> {
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
}

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
