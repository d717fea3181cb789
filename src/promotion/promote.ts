/** From a run, or its bundle, to an alias: through all gates, or not at all. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fail, OpenBellError } from '#src/errors.js';
import { openTrained } from '#src/lab/evaluate.js';
import { bundleOfRun } from '#src/lab/bundle-run.js';
import { loadGates, type GatesDefinition } from '#src/lab/gates/definition.js';
import { forced, judgeRun, notHere, withOutcomes, type JudgeRunOptions } from '#src/lab/gates/judge.js';
import { differenceFromRun } from '#src/lab/gates/same-as-run.js';
import { experimentKey } from '#src/lab/gates/walked.js';
import { RunDirectory } from '#src/lab/run-directory.js';
import { accountName } from '#src/live/shell/account-folder.js';
import { paperEvidence } from '#src/paper/evidence.js';
import { shortId, type Bundle } from '#src/registry/bundle.js';
import type { GateOutcome, GateReport, PaperEvidence } from '#src/registry/gates.js';
import type { AliasAction, AliasChange } from '#src/registry/history.js';
import type { Registry } from '#src/registry/registry.js';
import type { AliasName } from '#src/registry/aliases.js';
import { earlierAttempts, readAttempts, recordAttempt, type Attempt, type EarlierAttempts } from './attempts.js';

const NO_ATTEMPTS: EarlierAttempts = { policies: 0, experiments: 0 };

/** What is to be promoted: a run's folder, or a bundle of the registry. */
export type Candidate =
  | { readonly kind: 'run'; readonly directory: string; readonly checkpoint?: 'best' | 'last' }
  /** `file`: one that the registry may not hold yet, and takes in where the alias moves. */
  | { readonly kind: 'bundle'; readonly bundle: Bundle; readonly file?: string };

export interface PromoteOptions extends Pick<JudgeRunOptions, 'signal' | 'onPart' | 'onReplay' | 'nowMs'> {
  readonly candidate: Candidate;
  readonly registry: Registry;
  readonly runsDir: string;
  readonly to: AliasName;
  /** Why, in words; kept in the history. */
  readonly reason: string;
  /** Default: the gates that ship. */
  readonly gates?: GatesDefinition;
  /** Passes statistical gates over, with this reason; never to `live`. */
  readonly force?: string | null;
  /** For `live`: the account whose runner will follow. */
  readonly account?: string | null;
  /** Judges and moves nothing. */
  readonly dryRun?: boolean;
  /** Outcomes of what the caller asks besides the gates of the alias. */
  readonly besides?: readonly GateOutcome[];
  /** Who moves it; default promote. */
  readonly action?: AliasAction;
  /** Where paper sessions have left their journals; asked for `live` alone. Default: there are none. */
  readonly tradingDir?: string;
}

export interface Promotion {
  readonly report: GateReport;
  /** "experiment/run", checkpoint and seed of what was judged. */
  readonly subject: string;
  /** null: nothing was stored. */
  readonly bundle: Bundle | null;
  /** null: the alias stands where it stood. */
  readonly change: AliasChange | null;
  /** What else was tried on the same test bars before. */
  readonly earlierAttempts: EarlierAttempts;
  /** What the evaluation on the test window concludes; null: there was none. */
  readonly conclusion: string | null;
}

/**
 * Judges the candidate, and moves the alias where every gate that counts has passed. A refusal is no error here: its
 * report says `passed: false`. Throws USAGE for what cannot be asked, GATE_REFUSED where `live` is asked for a run that
 * has no bundle yet, RUN_, DATA_ and REGISTRY errors, BUNDLE_CORRUPT.
 */
export async function promote(options: PromoteOptions): Promise<Promotion> {
  const { registry, to, reason, nowMs = Date.now, dryRun = false, runsDir } = options;
  const account = checkedAccount(options);
  const force = checkedForce(options);
  const definition = options.gates ?? loadGates();
  const candidate = await resolved(options);
  const pointers = registry.aliases();
  const expectedFrom = pointers[to] ?? null;
  const rival = incumbentOf(to, pointers);
  const { directory, checkpoint } = candidate;
  const common = {
    definition,
    to,
    nowMs,
    incumbent: rival === null ? null : { name: rival, bundle: registry.load(rival) },
    bundleOf: bundleIn(registry),
    paper: to === 'live' ? await paperOf(candidate.bundle, options) : null,
    onPart: options.onPart,
  };
  if (directory === null) {
    const report = notHere(common, candidate.why);
    return {
      report,
      subject: candidate.subject,
      bundle: candidate.bundle,
      change: null,
      earlierAttempts: NO_ATTEMPTS,
      conclusion: null,
    };
  }
  const identity = await attemptIdentity(directory, checkpoint);
  const earlier = identity === null ? NO_ATTEMPTS : earlierAttempts(readAttempts(registry.folder), identity);
  const judged = await judgeRun({
    ...common,
    directory,
    checkpoint,
    runsDir,
    signal: options.signal,
    onReplay: options.onReplay,
    earlierAttempts: earlier,
    findBundle: (made) =>
      candidate.bundle ?? registry.find(made.manifest.run, (stored) => differenceFromRun(stored, made) === null),
  });
  const found = withOutcomes(judged.report, options.besides ?? []);
  const report = force === null ? found : forced(found, force);
  const { subject } = candidate;
  const outcome = {
    report,
    subject,
    bundle: judged.bundle?.stored ?? null,
    change: null,
    earlierAttempts: earlier,
    conclusion: judged.bundle?.contents.manifest.evaluation?.verdict.sentence ?? null,
  };
  if (dryRun) return outcome;
  const attempt = (moved: boolean): void => {
    if (identity !== null) recordAttempt(registry.folder, attemptOf(identity, report, nowMs(), moved));
  };
  if (!report.passed || judged.bundle === null) {
    attempt(false);
    return outcome;
  }
  if (options.signal?.aborted === true)
    fail('INTERRUPTED', { where: 'openbell promote', message: 'all gates were judged, and nothing was moved' });
  const { stored, contents } = judged.bundle;
  if (options.candidate.kind === 'bundle' && options.candidate.file !== undefined) registry.add(options.candidate.file);
  const bundle = stored ?? registry.store({ ...contents, manifest: { ...contents.manifest, gates: report } });
  const change = registry.point(to, bundle.sha256, {
    action: options.action ?? 'promote',
    reason,
    evidence: report,
    account,
    forced: report.force_reason !== null,
    expectedFrom,
  });
  attempt(true);
  return { ...outcome, bundle, change };
}

/** Finds a bundle of the registry; null: it is not there. */
export function bundleIn(registry: Registry): (sha256: string) => Bundle | null {
  return (sha256) => (registry.ids().includes(shortId(sha256)) ? registry.load(sha256) : null);
}

async function paperOf(bundle: Bundle | null, { tradingDir, onPart }: PromoteOptions): Promise<PaperEvidence | null> {
  if (bundle === null || tradingDir === undefined) return null;
  onPart?.('journals of paper trading');
  return paperEvidence(bundle, tradingDir);
}

function checkedAccount({ to, account = null }: PromoteOptions): string | null {
  if (to !== 'live') {
    if (account === null) return null;
    return fail('USAGE', {
      where: '--confirm',
      value: account,
      message: `belongs to --to live: ${to} trades no money`,
    });
  }
  if (account === null || account === '')
    return fail('USAGE', {
      where: '--confirm',
      value: account,
      message: 'the runner of an account follows the alias live and may send orders: name it, --confirm=U1234567',
    });
  return accountName(account);
}

function checkedForce({ to, force = null }: PromoteOptions): string | null {
  if (force === null) return null;
  if (to === 'live')
    return fail('USAGE', { where: '--force', value: force, message: 'nothing is passed over for live: leave it out' });
  if (force.trim() === '')
    return fail('USAGE', { where: '--force', value: force, message: 'say why: the reason is shown for ever' });
  return force.trim();
}

/** A challenger stands beside the incumbent of the next alias, and is measured by it. */
function incumbentOf(to: AliasName, pointers: Partial<Record<AliasName, string>>): AliasName | null {
  const order: readonly AliasName[] = to === 'challenger' ? ['paper', 'live'] : [to];
  return order.find((name) => pointers[name] !== undefined) ?? null;
}

interface Resolved {
  /** null: the run is not under the folder of runs. */
  readonly directory: string | null;
  readonly checkpoint: 'best' | 'last' | undefined;
  readonly bundle: Bundle | null;
  readonly subject: string;
  readonly why: string;
}

async function resolved({ candidate, registry, runsDir, to }: PromoteOptions): Promise<Resolved> {
  if (candidate.kind === 'bundle') return ofBundle(candidate.bundle, runsDir);
  const { directory, checkpoint } = candidate;
  const { record } = RunDirectory.open(directory);
  const subject = `${record.name}/${path.basename(path.resolve(directory))}`;
  if (to !== 'live') return { directory, checkpoint, bundle: null, subject, why: '' };
  const made = await bundleOfRun({ directory, checkpoint });
  const bundle = registry.find(made.manifest.run, (stored) => differenceFromRun(stored, made) === null);
  if (bundle === null)
    return fail('GATE_REFUSED', {
      where: subject,
      value: to,
      message:
        'live takes a bundle that has traded on paper, and this run has none yet: openbell promote RUN --to paper first',
    });
  return ofBundle(bundle, runsDir);
}

function ofBundle(bundle: Bundle, runsDir: string): Resolved {
  const { run } = bundle.manifest;
  const folder = path.join(runsDir, run.path);
  const here = existsSync(path.join(folder, 'run.json'));
  return {
    directory: here ? folder : null,
    checkpoint: run.checkpoint === 'best' || run.checkpoint === 'last' ? run.checkpoint : undefined,
    bundle,
    subject: `${run.path} (bundle ${shortId(bundle.sha256)})`,
    why: `its training cannot be repeated here: ${folder} is not there; copy the run's folder, or promote where it was trained (OPENBELL_RUNS_DIR)`,
  };
}

type Identity = Pick<Attempt, 'run' | 'checkpoint' | 'weights_sha256' | 'experiment' | 'test'>;

/** null: the run is damaged, which the gates will say. */
async function attemptIdentity(directory: string, checkpoint: 'best' | 'last' | undefined): Promise<Identity | null> {
  try {
    const trained = await openTrained({ directory, checkpoint });
    trained.dispose();
    const { config, run, chosen, head } = trained;
    const test = config.data?.test ?? null;
    const bars = JSON.stringify([test, run.record.data.map(({ sha256 }) => sha256)]);
    return {
      run: `${config.name}/${path.basename(path.resolve(directory))}`,
      checkpoint: chosen.name,
      weights_sha256: head.weightsSha256,
      experiment: experimentKey(config),
      test: test === null ? null : createHash('sha256').update(bars).digest('hex'),
    };
  } catch (error) {
    if (error instanceof OpenBellError && /^(CHECKPOINT|RUN_STATE|POLICY_STATE)/.test(error.code)) return null;
    throw error;
  }
}

function attemptOf(identity: Identity, report: GateReport, nowMs: number, moved: boolean): Attempt {
  return {
    at: new Date(nowMs).toISOString(),
    to: report.to,
    ...identity,
    moved,
    not_passed: report.outcomes.filter((own) => !own.advisory && own.verdict !== 'pass').map(({ gate }) => gate),
    force_reason: report.force_reason,
  };
}
