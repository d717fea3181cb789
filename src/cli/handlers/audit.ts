/** What `openbell audit RUN|EXPERIMENT` does. */
import { loadExperiment } from '#src/config/load.js';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { auditExperiment, auditRun } from '#src/lab/audit/audit-experiment.js';
import { auditText } from '#src/lab/audit/audit-text.js';
import { findRun } from '#src/lab/run-directory.js';
import { stderrOutput } from '../progress.js';

export interface AuditArguments {
  target: string;
  overrides?: string[] | undefined;
  json: boolean;
}

export async function audit({ target, overrides = [], json }: AuditArguments): Promise<void> {
  const settings = readRuntimeSettings(process.env);
  const { level, write } = stderrOutput(settings.logLevel);
  const onPart = (part: string): void => {
    if (level !== 'warning' && level !== 'error') write(`auditing ${part}\n`);
  };
  const isFile = /\.ya?ml$/i.test(target);
  if (!isFile && overrides.length > 0) {
    fail('USAGE', {
      where: 'openbell audit',
      value: overrides,
      message: 'a run is audited with its own configuration: leave the overrides out, or name an experiment file',
    });
  }
  const report = isFile
    ? await auditExperiment(loadExperiment(target, { overrides, environment: process.env }).config, { onPart })
    : await auditRun(findRun(target, settings.runsDir).directory, { onPart });
  if (json) console.log(JSON.stringify({ target, ...report }, null, 2));
  else for (const text of auditText(report)) console.log(text);
  if (!report.clean) process.exitCode = 1;
}
