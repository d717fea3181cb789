/** What `openbell retrain ALIAS` does. */
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { recordedDatasets, retrain, retrainJson, type Retraining } from '#src/promotion/retrain.js';
import { loadRetrainSettings } from '#src/promotion/retrain/settings.js';
import { retrainText } from '#src/promotion/retrain/text.js';
import { Registry } from '#src/registry/registry.js';
import type { AliasName } from '#src/registry/aliases.js';
import { interruption } from '../interruption.js';
import { jobProgress } from '../job-progress.js';
import { parseCount } from '../parse-count.js';
import { stderrOutput } from '../progress.js';

export interface RetrainArguments {
  alias: AliasName;
  data: string[] | undefined;
  recorded: string | undefined;
  config: string | undefined;
  jobs: string | undefined;
  'dry-run': boolean;
  json: boolean;
}

export async function retrainAlias({
  alias,
  data = [],
  recorded,
  config,
  jobs,
  'dry-run': dryRun,
  json,
}: RetrainArguments): Promise<void> {
  const { runsDir, registryDir, logLevel } = readRuntimeSettings(process.env);
  const settings = loadRetrainSettings(config ?? null);
  const output = stderrOutput(logLevel);
  const speaks = logLevel !== 'warning' && logLevel !== 'error';
  const say = (line: string): void => void (speaks && output.write(`${line}\n`));
  if (recorded !== undefined && data.length > 0)
    fail('USAGE', { where: '--recorded', value: recorded, message: 'stands instead of --data: give one of them' });
  const datasets = recorded === undefined ? data : await namesOf(recorded, say);
  const progress = jobProgress(output, ({ config: { seed } }) => `seed ${seed}`);
  const outcome = await retrain({
    alias,
    datasets,
    registry: new Registry(registryDir),
    runsDir,
    settings,
    dryRun,
    jobs: jobs === undefined ? null : parseCount(jobs, '--jobs'),
    argv: process.argv.slice(2),
    signal: interruption('every training finishes its update and writes a checkpoint; nothing is moved'),
    onEvent: (event) => {
      if (event.kind === 'planned')
        progress.begin(`training ${event.incumbent.manifest.name} further`, event.plan.seeds.length);
      else if (event.kind === 'job') progress.onEvent(event.event);
      else if (event.kind === 'trained') progress.end();
      else if (event.kind === 'part') say(`judging: ${event.part}`);
    },
  }).finally(() => progress.end());
  if (json) console.log(JSON.stringify(retrainJson(outcome), null, 2));
  else for (const line of retrainText(outcome)) console.log(line);
  refuse(outcome);
}

async function namesOf(folder: string, say: (line: string) => void): Promise<string[]> {
  const written = await recordedDatasets(folder);
  for (const { manifestFile, bars, appended, conflicts } of written)
    say(
      `${manifestFile}: ${bars.length} bars of ${bars.instrument.symbol}, ${appended} of them new${conflicts === 0 ? '' : `; ${conflicts} were recorded twice, and the first word stands`}`,
    );
  return written.map(({ bars }) => bars.source);
}

function refuse({ alias, judged }: Retraining): void {
  const refusing = judged?.reports.find(({ passed }) => !passed);
  if (refusing === undefined) return;
  const gates = refusing.outcomes.filter(({ verdict, advisory }) => verdict !== 'pass' && !advisory);
  fail('GATE_REFUSED', {
    where: `openbell retrain ${alias}`,
    value: refusing.to,
    message: `${gates.map(({ gate, verdict }) => `${gate} ${verdict === 'missing' ? 'is missing' : 'fails'}`).join(', ')}; ${judged?.changes.length === 0 ? 'nothing was moved' : 'it was not moved'}`,
  });
}
