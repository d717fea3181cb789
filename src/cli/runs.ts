/** `openbell runs list` */
import type { CommandModule } from 'yargs';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { listRuns, type ListedRun } from '#src/lab/run-directory.js';

interface ListArguments {
  experiment?: string | undefined;
  json: boolean;
}

const listCommand: CommandModule<object, ListArguments> = {
  command: 'list [experiment]',
  describe: 'List runs, newest last',
  builder: (yargs) =>
    yargs
      .positional('experiment', { type: 'string', describe: 'Only runs of this experiment' })
      .options({ json: { type: 'boolean', default: false, describe: 'Print JSON, a line a run' } }),
  handler: ({ experiment, json }) => {
    const { runsDir } = readRuntimeSettings(process.env);
    const all = listRuns(runsDir);
    const runs = all.filter(({ record }) => experiment === undefined || record.name === experiment);
    if (runs.length === 0 && !json) {
      const names = [...new Set(all.map(({ record }) => record.name))].join(', ');
      console.error(
        names === ''
          ? `no runs in ${runsDir}; openbell train experiments/quickstart.yaml makes one`
          : `no runs of ${experiment} in ${runsDir}; there are runs of ${names}`,
      );
    }
    for (const run of runs) console.log(json ? JSON.stringify({ path: run.path, ...run.record }) : describeRun(run));
  },
};

function describeRun({ id, record }: ListedRun): string {
  const score = record.result?.best?.score;
  const columns = [
    id.padEnd(48),
    record.status.padEnd(11),
    `${record.timesteps} steps`.padStart(16),
    score === undefined ? '' : `best ${score.toPrecision(4)}`.padEnd(14),
    record.result?.weights_sha256.slice(0, 12) ?? '',
  ];
  return columns.join('  ').trimEnd();
}

export const runsCommand: CommandModule<object, object> = {
  command: 'runs',
  describe: 'List training runs',
  builder: (yargs) => yargs.command(listCommand).demandCommand(1, 'say which: list'),
  handler: () => undefined,
};
