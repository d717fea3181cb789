/** What `openbell promote RUN|BUNDLE --to ALIAS` does. */
import { existsSync } from 'node:fs';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { loadGates } from '#src/lab/gates/definition.js';
import { gatesText, wrapped } from '#src/lab/gates/gates-text.js';
import { findRun } from '#src/lab/run-directory.js';
import { promote, type Candidate, type Promotion } from '#src/promotion/promote.js';
import { shortId } from '#src/registry/bundle.js';
import { Registry } from '#src/registry/registry.js';
import { ALIASES, type AliasName } from '#src/registry/aliases.js';
import { interruption } from '../interruption.js';
import { progressListener, stderrOutput } from '../progress.js';

export interface PromoteArguments {
  candidate: string;
  to: AliasName;
  gates: string | undefined;
  force: string | undefined;
  confirm: string | undefined;
  checkpoint: 'best' | 'last' | undefined;
  reason: string;
  'dry-run': boolean;
  json: boolean;
}

export async function promoteCandidate({
  candidate: reference,
  to,
  gates,
  force,
  confirm,
  checkpoint,
  reason,
  'dry-run': dryRun,
  json,
}: PromoteArguments): Promise<void> {
  const { runsDir, registryDir, tradingDir, logLevel } = readRuntimeSettings(process.env);
  const registry = new Registry(registryDir);
  const output = stderrOutput(logLevel);
  const speaks = logLevel !== 'warning' && logLevel !== 'error';
  const outcome = await promote({
    candidate: candidateOf(reference, checkpoint, registry, runsDir),
    registry,
    runsDir,
    tradingDir,
    to,
    reason,
    gates: loadGates(gates ?? null),
    force: force ?? null,
    account: confirm ?? null,
    dryRun,
    signal: interruption('nothing has been moved'),
    onPart: (part) => void (speaks && output.write(`judging: ${part}\n`)),
    // a line that moves on a terminal; elsewhere the parts tell enough
    ...(output.isTerminal ? { onReplay: progressListener(output) } : {}),
  });
  if (json) console.log(JSON.stringify(jsonOf(outcome, registry, dryRun), null, 2));
  else for (const line of textOf(outcome, registry, dryRun)) console.log(line);
  if (!outcome.report.passed)
    fail('GATE_REFUSED', {
      where: outcome.subject,
      value: to,
      message: `${refusing(outcome)}; nothing was moved`,
    });
}

/** An alias, an id or a bundle's file; otherwise a run. */
function candidateOf(
  reference: string,
  checkpoint: 'best' | 'last' | undefined,
  registry: Registry,
  runsDir: string,
): Candidate {
  const isAlias = ALIASES.some((name) => name === reference);
  const isFile =
    reference.endsWith('.safetensors') && existsSync(reference) && !/checkpoints[/\\][^/\\]+$/.test(reference);
  const isId = /^[0-9a-f]{8,64}$/.test(reference) && registry.ids().some((id) => id.startsWith(reference.slice(0, 16)));
  if (!isAlias && !isFile && !isId) {
    const { directory, checkpoint: file } = findRun(reference, runsDir);
    if (file !== null && checkpoint === undefined) {
      const name = /(best|last)\.safetensors$/.exec(file)?.[1];
      if (name !== 'best' && name !== 'last')
        fail('USAGE', {
          where: 'candidate',
          value: reference,
          message: 'only the checkpoints best and last are promoted',
        });
      return { kind: 'run', directory, checkpoint: name };
    }
    return checkpoint === undefined ? { kind: 'run', directory } : { kind: 'run', directory, checkpoint };
  }
  if (checkpoint !== undefined)
    fail('USAGE', { where: '--checkpoint', value: checkpoint, message: 'a bundle holds one checkpoint: leave it out' });
  const bundle = registry.load(reference);
  return isFile ? { kind: 'bundle', bundle, file: reference } : { kind: 'bundle', bundle };
}

function refusing({ report }: Promotion): string {
  const names = report.outcomes
    .filter(({ verdict, advisory, forced }) => verdict !== 'pass' && !advisory && !forced)
    .map(({ gate, verdict }) => `${gate} ${verdict === 'missing' ? 'is missing' : 'fails'}`);
  return names.join(', ');
}

function jsonOf(outcome: Promotion, registry: Registry, dryRun: boolean): unknown {
  const { bundle, ...rest } = outcome;
  const sha256 = bundle?.sha256 ?? null;
  return { ...rest, sha256, file: sha256 === null ? null : registry.bundleFile(sha256), dryRun };
}

function textOf(outcome: Promotion, registry: Registry, dryRun: boolean): string[] {
  const { report, subject, bundle, change, earlierAttempts, conclusion } = outcome;
  const tried = earlierAttempts.policies === 1 ? 'policy was' : 'policies were';
  const lines = [
    `${subject} to ${report.to}, by ${fileOf(report.definition)}`,
    '',
    ...gatesText(report),
    ...(earlierAttempts.policies === 0
      ? []
      : [
          `${earlierAttempts.policies} other ${tried} tried on these test bars before: the deflated Sharpe ratio counts them.`,
        ]),
    ...(conclusion === null ? [] : wrapped(`Its evaluation says: ${conclusion}`)),
  ];
  if (change === null || bundle === null) return dryRun ? [...lines, 'Dry run: nothing was moved.'] : lines;
  const account = change.account === null ? '' : `, for account ${change.account}`;
  return [
    ...lines,
    '',
    `${change.alias} -> ${bundle.manifest.name} ${shortId(bundle.sha256)}${account}`,
    `bundle ${registry.bundleFile(bundle.sha256)}`,
    change.from === null
      ? 'nothing stood there before'
      : change.from === change.to
        ? 'it stood there before'
        : `before it: ${shortId(change.from)} (openbell rollback ${change.alias} goes back)`,
  ];
}

function fileOf(definition: unknown): string {
  return typeof definition === 'object' && definition !== null && 'file' in definition
    ? String(definition.file)
    : 'its gates';
}
