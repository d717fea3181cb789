/** What `openbell runs show RUN` does. */
import { readRuntimeSettings } from '#src/config/runtime.js';
import { runBytes } from '#src/lab/store/delete-run.js';
import { findStoredRun, type StoredRun } from '#src/lab/store/list-runs.js';
import { alignedLines } from '#src/report/text-table.js';

export interface ShowArguments {
  run: string;
  json: boolean;
}

export function showRun({ run: reference, json }: ShowArguments): void {
  const { runsDir } = readRuntimeSettings(process.env);
  const { run } = findStoredRun(reference, runsDir);
  const bytes = runBytes(run.path);
  if (json) console.log(JSON.stringify({ ...run, bytes }));
  else for (const line of alignedLines(null, factsOf(run, bytes))) console.log(line);
}

function factsOf(run: StoredRun, bytes: number): [string, string][] {
  const facts: [string, string | number | null][] = [
    ['run', run.id],
    ['folder', run.path],
    ['state', EXPLAINED[run.state] ?? run.state],
    ['problem', run.problem],
    ['description', run.description === '' ? null : run.description],
    ['seed', run.seed],
    ['steps', run.timesteps?.toLocaleString('en-US') ?? null],
    ['started', run.started_at],
    ['finished', run.finished_at],
    ['error', run.error],
    ['sweep', run.sweep_id === null ? null : `${run.sweep_id}, trial ${run.trial} of ${run.trials}`],
    ['data', run.datasets.length === 0 ? null : run.datasets.join(', ')],
    ['best score', run.score === null ? null : `${run.score.toPrecision(6)} at step ${run.score_timesteps}`],
    ['weights', run.weights_sha256],
    [
      'code',
      run.openbell === null
        ? null
        : `openbell ${run.openbell}${run.git_commit === null ? '' : `, commit ${run.git_commit}`}`,
    ],
    ...Object.entries(run.metrics ?? {}).map(([key, value]): [string, string | null] => [
      `test ${key.replaceAll('_', ' ')}`,
      value === null ? null : typeof value === 'number' ? String(Number(value.toPrecision(6))) : String(value),
    ]),
    ['tags', run.tags.length === 0 ? null : run.tags.join(', ')],
    ['note', run.note],
    ['archived', run.archived_at],
    ['size', run.kind === 'foreign' ? null : `${(bytes / 1e6).toFixed(1)} MB`],
  ];
  return facts.flatMap(([name, value]): [string, string][] => (value === null ? [] : [[name, `${value}`]]));
}

const EXPLAINED: Readonly<Partial<Record<StoredRun['state'], string>>> = {
  dead: 'dead: it was running, and no process is at work; openbell train --resume goes on',
  stopped: 'stopped by the sweep, which found other trials better',
  interrupted: 'interrupted; openbell train --resume goes on',
};
