/** `judgeRun`: puts a run, and the bundle made of it, to all gates of an alias. */
import type { Bundle, BundleContents } from '#src/registry/bundle.js';
import type { GateOutcome, GateReport, PaperEvidence } from '#src/registry/gates.js';
import { parseEvaluation, type BundledEvaluation } from '#src/registry/manifest.js';
import type { AliasName } from '#src/registry/aliases.js';
import { bundleOfRun } from '../bundle-run.js';
import type { EvaluationResult } from '../evaluate-actor.js';
import { evaluationSummary } from '../evaluate-outputs.js';
import type { EvaluationMarket } from '../evaluate-paths.js';
import { chooseWindows, measureTrained, openTrained, type TrainedPolicy } from '../evaluate.js';
import type { ReplayOptions } from '../replay.js';
import { trialsOf, type Trials } from '../trials.js';
import type { GatesDefinition } from './definition.js';
import type { HeldOut } from './held-out.js';
import { openRival, type Rival } from './incumbent.js';
import {
  auditFound,
  bundleFound,
  damageFound,
  dataFound,
  evaluationFound,
  recordedEvaluation,
  recordedSummary,
  replayFound,
  summaryDifference,
  type RecordedSummary,
} from './integrity.js';
import { lineageOf, type FindBundle } from './lineage.js';
import { missing, outcomeOf, type Found } from './outcome.js';
import { walkedEvidence, walkForwardCommand } from './out-of-sample.js';
import { paperOutcomes } from './paper-gates.js';
import { differenceFromRun, differenceText } from './same-as-run.js';
import { statisticalOutcomes } from './statistics.js';

export interface JudgeOptions {
  readonly definition: GatesDefinition;
  readonly to: AliasName;
  /** Whom the candidate must beat; null: nobody stands there. */
  readonly incumbent: { readonly name: string; readonly bundle: Bundle } | null;
  /** Looks up what a policy was fine-tuned from; default: nothing is to be had. */
  readonly bundleOf?: FindBundle;
  /** For live. */
  readonly paper?: PaperEvidence | null;
  /** Other weights, and other configurations, that were judged on these bars before, for whatever alias: trials too. */
  readonly earlierAttempts?: { readonly policies: number; readonly experiments: number };
  readonly nowMs?: () => number;
  /** Told of each part as it begins. */
  readonly onPart?: (part: string) => void;
}

export interface JudgeRunOptions extends JudgeOptions, Pick<ReplayOptions, 'signal'> {
  /** The run's folder. */
  readonly directory: string;
  readonly checkpoint?: 'best' | 'last';
  /** The bundle that was made of it already; null, or without it: one is made in memory. */
  readonly findBundle?: (made: BundleContents) => Bundle | null;
  /** Where walk-forwards of the same experiment are looked for. */
  readonly runsDir: string;
  /** Told as the training is repeated. */
  readonly onReplay?: ReplayOptions['onEvent'];
}

export interface Judged {
  readonly report: GateReport;
  /** The bundle that there is already, or one to be stored, with the evaluation and this report; null: damage. */
  readonly bundle: { readonly stored: Bundle | null; readonly contents: BundleContents } | null;
}

/** Throws RUN_NOT_FOUND, USAGE for what no bundle can be made of, DATA_ errors, INTERRUPTED. Damage is an outcome. */
export async function judgeRun(options: JudgeRunOptions): Promise<Judged> {
  const { directory, checkpoint, nowMs, findBundle, onPart = () => undefined } = options;
  let trained: TrainedPolicy | null = null;
  try {
    onPart('checkpoint and data');
    trained = await openTrained({ directory, checkpoint });
    const made = await bundleOfRun({ directory, checkpoint, nowMs });
    const stored = findBundle?.(made) ?? null;
    const { report, evaluation } = await judgeTrained(options, trained, made, stored);
    const contents = { ...made, manifest: { ...made.manifest, evaluation, gates: report } };
    return { report, bundle: { stored, contents } };
  } catch (error) {
    return { report: reportOf(options, [outcomeOf(TERMS.run, damageFound(error))]), bundle: null };
  } finally {
    trained?.dispose();
  }
}

/** The report of something that cannot be judged here at all. */
export function notHere(options: JudgeOptions, why: string): GateReport {
  return reportOf(options, [outcomeOf(TERMS.run, missing(why))]);
}

const TERMS = {
  run: { gate: 'run', kind: 'integrity', title: 'Run and checkpoint', threshold: 'whole' },
  data: { gate: 'data', kind: 'integrity', title: 'Data', threshold: 'as trained on' },
  replay: { gate: 'replay', kind: 'integrity', title: 'Training repeats', threshold: 'to the bit' },
  evaluation: { gate: 'evaluation', kind: 'integrity', title: 'Recorded evaluation repeats', threshold: 'to the bit' },
  audit: { gate: 'audit', kind: 'integrity', title: 'Look-ahead audit', threshold: 'clean' },
  bundle: { gate: 'bundle', kind: 'integrity', title: 'Bundle decides as the run', threshold: 'to the bit' },
} as const;

async function judgeTrained(
  options: JudgeRunOptions,
  trained: TrainedPolicy,
  made: BundleContents,
  stored: Bundle | null,
): Promise<{ report: GateReport; evaluation: BundledEvaluation | null }> {
  const { definition, to, onPart = () => undefined } = options;
  const { run, config, head } = trained;
  const outcomes: GateOutcome[] = [];
  const add = (terms: (typeof TERMS)[keyof typeof TERMS], found: Found): void =>
    void outcomes.push(outcomeOf(terms, found));
  add(TERMS.run, {
    measured: 'whole',
    passes: true,
    why: `${trained.chosen.name}, after ${head.timesteps} steps, weights ${head.weightsSha256.slice(0, 12)}`,
    evidence: { checkpoint: trained.chosen.name, timesteps: head.timesteps, weightsSha256: head.weightsSha256 },
  });
  add(TERMS.data, await dataFound(run, config.data?.datasets ?? []));
  onPart('training, repeated');
  add(
    TERMS.replay,
    await replayFound(run, {
      updates: definition[to].replay.updates,
      signal: options.signal,
      onEvent: options.onReplay,
    }),
  );
  onPart('look-ahead audit');
  add(TERMS.audit, await auditFound(run));
  onPart('test window');
  const swept = trialsOf(run.path, config);
  const { policies, experiments } = options.earlierAttempts ?? { policies: 0, experiments: 0 };
  const trials = trialsWith(swept, policies);
  const test = config.data?.test === null ? null : (await chooseWindows(config, {})).market;
  const bundleOf = options.bundleOf ?? (() => null);
  // by the run: what a bundle's file claims to know may be anything
  const { saw } = lineageOf(made.manifest, bundleOf);
  const known = test !== null && test.windows.some(saw);
  const { result, found } = await measured(trained, test, definition.seed, trials);
  add(TERMS.evaluation, found);
  const difference = stored === null ? null : bundleDifference(trained, test, result, stored, made, definition.seed);
  add(
    TERMS.bundle,
    stored === null || difference === null
      ? bundleFound(stored ?? made, trained, test?.windows ?? null, result?.agent ?? null)
      : { measured: 'different', passes: false, why: differenceText(stored, difference), evidence: { difference } },
  );
  onPart('walk-forwards');
  const walked = await walkedEvidence(config, options.runsDir);
  onPart('stress');
  const rival =
    options.incumbent === null ? null : openRival(options.incumbent.name, options.incumbent.bundle, bundleOf);
  try {
    const held = heldOut(trained, test, result === null ? null : { ...result, seen: known }, rival, definition.seed);
    const warmup = config.observation?.warmup ?? 0;
    const bars = Math.max(...run.record.data.map((one) => one.bars)) - warmup;
    outcomes.push(
      ...statisticalOutcomes({
        definition,
        to,
        held,
        trials,
        configurations: (swept?.count ?? 1) + experiments,
        walked,
        command: (seeds) => walkForwardCommand(config, run.path, bars, seeds),
      }),
    );
  } finally {
    rival?.dispose();
  }
  if (to === 'live') outcomes.push(...paperOutcomes(definition.live, options.paper ?? null));
  return { report: reportOf(options, outcomes), evaluation: bundledEvaluation(trained, made, result) };
}

/** What a bundle says otherwise than its run makes it; its evaluation is made again with its own seed. */
function bundleDifference(
  trained: TrainedPolicy,
  market: EvaluationMarket | null,
  result: EvaluationResult | null,
  stored: Bundle,
  made: BundleContents,
  seed: number,
): string | null {
  const difference = differenceFromRun(stored, made);
  const { evaluation } = stored.manifest;
  if (difference !== null || evaluation === null) return difference;
  if (market === null || result === null) return 'manifest.evaluation: the run has no test window';
  const recorded = recordedSummary(evaluation);
  if (recorded === null) return 'manifest.evaluation: not what an evaluation writes';
  const again = remeasured(trained, market, recorded, { result, seed, trials: null });
  const found = summaryDifference(trained, recorded.summary, again, 'test');
  return found === null ? null : `manifest.evaluation.${found}`;
}

/** metrics.json as a bundle holds it. */
function bundledEvaluation(
  { head }: TrainedPolicy,
  { manifest }: BundleContents,
  result: EvaluationResult | null,
): BundledEvaluation | null {
  if (result === null) return null;
  const summary = evaluationSummary(result, { ...head, run: manifest.run.path, windowName: 'test' });
  return parseEvaluation(JSON.parse(JSON.stringify(summary)), manifest.run.path);
}

function heldOut(
  { policy, head }: TrainedPolicy,
  market: EvaluationMarket | null,
  result: EvaluationResult | null,
  incumbent: Rival | null,
  seed: number,
): HeldOut | null {
  return market === null || result === null
    ? null
    : { policy, weightsSha256: head.weightsSha256, market, result, incumbent, seed };
}

/** The evaluation on the test window, and whether the recorded one comes out of it again. */
async function measured(
  trained: TrainedPolicy,
  market: EvaluationMarket | null,
  seed: number,
  trials: Trials | null,
): Promise<{ result: EvaluationResult | null; found: Found }> {
  if (market === null)
    return {
      result: null,
      found: { measured: 'none', passes: true, why: 'there is no test window to have judged it on' },
    };
  const recorded = recordedEvaluation(trained);
  const result = measureTrained(trained, market, { seed, trials });
  if (recorded === null)
    return { result, found: { measured: 'none', passes: true, why: 'nothing had been recorded; it is judged now' } };
  if (!('folder' in recorded)) return { result, found: recorded };
  const again = remeasured(trained, market, recorded, { result, seed, trials });
  return { result, found: evaluationFound(trained, recorded, again, 'test') };
}

/** The evaluation with the seed and the random traders of a recorded one: `result` where it was made with those. */
function remeasured(
  trained: TrainedPolicy,
  market: EvaluationMarket,
  recorded: RecordedSummary,
  { result, seed, trials }: { result: EvaluationResult; seed: number; trials: Trials | null },
): EvaluationResult {
  const { randomPaths } = recorded;
  const isSame = recorded.seed === seed && (result.random?.paths.length ?? randomPaths) === randomPaths;
  return isSame ? result : measureTrained(trained, market, { seed: recorded.seed, randomPaths, trials });
}

/** Every other policy that was judged on the same bars was a trial too. */
function trialsWith(trials: Trials | null, earlier: number): Trials | null {
  if (earlier === 0) return trials;
  return { count: (trials?.count ?? 1) + earlier, sharpeDeviation: trials?.sharpeDeviation ?? null };
}

function reportOf({ definition, to, nowMs = Date.now }: JudgeOptions, outcomes: readonly GateOutcome[]): GateReport {
  return {
    format: 'openbell-gates 1',
    to,
    judged_at: new Date(nowMs()).toISOString(),
    definition: { file: definition.file, seed: definition.seed, [to]: definition[to], live: definition.live },
    outcomes,
    passed: outcomes.every(holds),
    force_reason: null,
  };
}

const holds = ({ verdict, advisory, forced }: GateOutcome): boolean => verdict === 'pass' || advisory || forced;

/** The report with more that was asked. */
export function withOutcomes(report: GateReport, more: readonly GateOutcome[]): GateReport {
  const outcomes = [...report.outcomes, ...more];
  return { ...report, outcomes, passed: outcomes.every(holds) };
}

/** Passes statistical gates over, where there are any that refuse. Never for `live`: the caller has refused that. */
export function forced(report: GateReport, reason: string): GateReport {
  const outcomes = report.outcomes.map((own) =>
    own.kind === 'statistics' && !own.advisory && own.verdict !== 'pass' ? { ...own, forced: true } : own,
  );
  const any = outcomes.some((own) => own.forced);
  return { ...report, outcomes, passed: outcomes.every(holds), force_reason: any ? reason : null };
}
