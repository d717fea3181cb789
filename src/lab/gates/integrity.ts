/** Is the run what it says it is? Hashes, a repeated training, a repeated evaluation, the audit, the bundle itself. */
import path from 'node:path';
import { firstDifference } from '#env/same-bits.js';
import { isTree } from '#src/config/yaml-source.js';
import { OpenBellError, type ErrorCode } from '#src/errors.js';
import { counted, whole } from '#src/report/format.js';
import { parseIfJson, readTextIfThere } from '#src/registry/files.js';
import { loadBundlePolicy, type BundleContents } from '#src/registry/bundle.js';
import { auditRun } from '../audit/audit-experiment.js';
import type { EvaluationResult } from '../evaluate-actor.js';
import { runActor, type ActorRun } from '../evaluate-baselines.js';
import { equityCsv, evaluationSummary, fillsCsv, tradesCsv } from '../evaluate-outputs.js';
import type { EvaluationMarket } from '../evaluate-paths.js';
import type { TrainedPolicy } from '../evaluate.js';
import { replayRun, type ReplayOptions } from '../replay.js';
import { differenceText } from '../replay-text.js';
import type { RunDirectory } from '../run-directory.js';
import { weightsSha256 } from '../engine.js';
import { loadTogether } from '../world.js';
import { missing, type Found } from './outcome.js';

/** What a damaged or edited run throws when it is read. */
const DAMAGE: readonly ErrorCode[] = [
  'CHECKPOINT_CORRUPT',
  'CHECKPOINT_MISMATCH',
  'RUN_STATE',
  'POLICY_STATE',
  'DATA_HASH',
  'BUNDLE_CORRUPT',
  'BUNDLE_MISMATCH',
];

/** What is found where reading finds damage: that is an answer, and no accident. Throws everything else. */
export function damageFound(error: unknown): Found {
  if (!(error instanceof OpenBellError) || !DAMAGE.includes(error.code)) throw error;
  return { measured: 'damaged', passes: false, why: error.message, evidence: { code: error.code } };
}

async function orDamage(measure: () => Promise<Found>): Promise<Found> {
  try {
    return await measure();
  } catch (error) {
    return damageFound(error);
  }
}

/** The bars on disk are those that the run was trained on. */
export function dataFound(run: RunDirectory, datasets: readonly string[]): Promise<Found> {
  return orDamage(async () => {
    const bars = await loadTogether(datasets, 'data.datasets');
    const recorded = run.record.data;
    const changed = bars.flatMap(({ sha256 }, k) => (recorded[k]?.sha256 === sha256 ? [] : [datasets[k]]));
    const evidence = bars.map(({ sha256 }, k) => ({
      dataset: datasets[k],
      sha256,
      recorded: recorded[k]?.sha256 ?? null,
    }));
    if (changed.length === 0)
      return {
        measured: 'unchanged',
        passes: true,
        why: `${counted(bars.length, 'data set')} as trained on`,
        evidence,
      };
    return {
      measured: 'changed',
      passes: false,
      why: `${changed.join(', ')} is not what this run was trained on any more: restore it, or train anew`,
      evidence,
    };
  });
}

export interface ReplayFoundOptions extends Pick<ReplayOptions, 'signal' | 'onEvent'> {
  readonly updates: number | null;
}

export function replayFound({ path: directory, record }: RunDirectory, options: ReplayFoundOptions): Promise<Found> {
  return orDamage(async () => {
    if (record.status !== 'completed')
      return missing(`the run is ${record.status}: complete it first, \`openbell train --resume ${directory}\``);
    const outcome = await replayRun({ directory, ...options });
    const { updates, weightsSha256: weights, differences, circumstances } = outcome;
    const all = record.result?.updates ?? updates;
    const evidence = { updates, of: all, weightsSha256: weights, differences, circumstances };
    if (outcome.same)
      return {
        measured: `${whole(updates)} of ${counted(all, 'update')}`,
        passes: true,
        why: `trained again to the same bits: weights ${(weights ?? '').slice(0, 12)}`,
        evidence,
      };
    const decisive = circumstances.find((one) => one.decisive);
    const what =
      differences.length > 0
        ? differences.map(differenceText).join('; ')
        : `${decisive?.what ?? 'something'} was ${decisive?.recorded ?? 'absent'} and is ${decisive?.now ?? 'absent'}`;
    return {
      measured: 'different',
      passes: false,
      why: `${what.replaceAll('\n', '; ')}. Restore the run from a copy, or train anew`,
      evidence,
    };
  });
}

/** What an evaluation says, and what it was made with, so that it can be made again. */
export interface RecordedSummary {
  readonly summary: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly randomPaths: number | undefined;
}

export interface RecordedEvaluation extends RecordedSummary {
  readonly folder: string;
}

/** null: it is not what an evaluation writes. */
export function recordedSummary(summary: unknown): RecordedSummary | null {
  const statistics = isTree(summary) ? summary['statistics'] : null;
  const seed = isTree(statistics) ? statistics['seed'] : null;
  if (!isTree(summary) || typeof seed !== 'number') return null;
  const random = isTree(summary['random']) ? summary['random']['totalReturns'] : null;
  return { summary, seed, randomPaths: Array.isArray(random) ? random.length : undefined };
}

/** null: nothing was recorded for the window. */
export function recordedEvaluation(trained: Pick<TrainedPolicy, 'run' | 'chosen'>): RecordedEvaluation | null | Found {
  const { chosen, run } = trained;
  const folder = path.join(run.path, 'evaluation', chosen.name === chosen.usual ? 'test' : `test-${chosen.name}`);
  const file = path.join(folder, 'metrics.json');
  const text = readTextIfThere(file);
  if (text === null) return null;
  const recorded = recordedSummary(parseIfJson(text));
  if (recorded === null)
    return {
      measured: 'damaged',
      passes: false,
      why: `${file} is not what an evaluation writes: evaluate the run again, \`openbell evaluate ${run.path}\``,
    };
  return { folder, ...recorded };
}

/** The recorded evaluation, made again with what it was made with, gives the same files to the byte. */
export function evaluationFound(
  { run, head }: Pick<TrainedPolicy, 'run' | 'head'>,
  { folder, summary }: RecordedEvaluation,
  again: EvaluationResult,
  windowName: string,
): Found {
  const difference = summaryDifference({ head }, summary, again, windowName);
  const files = { 'equity.csv': equityCsv(again), 'trades.csv': tradesCsv(again), 'fills.csv': fillsCsv(again) };
  const altered = Object.entries(files).find(
    ([name, text]) => (readTextIfThere(path.join(folder, name)) ?? '') !== text,
  );
  if (difference === null && altered === undefined)
    return { measured: 'same', passes: true, why: 'every recorded figure and fill of the test window comes out again' };
  const what = difference === null ? `${altered?.[0] ?? ''} holds something else` : `metrics.json says ${difference}`;
  return {
    measured: 'different',
    passes: false,
    why: `${what}: this checkpoint does otherwise on the test window, so the record was altered; evaluate the run again, \`openbell evaluate ${run.path}\``,
    evidence: { folder: path.basename(folder), difference },
  };
}

/** Where a recorded summary says otherwise than the evaluation that was made again; null: nowhere. */
export function summaryDifference(
  { head }: Pick<TrainedPolicy, 'head'>,
  summary: unknown,
  again: EvaluationResult,
  windowName: string,
): string | null {
  const remade: unknown = JSON.parse(JSON.stringify(evaluationSummary(again, { ...head, windowName })));
  return firstDifference(comparable(summary), comparable(remade));
}

/** Without what depends on where the run lies, and on what else was tried since. */
function comparable(summary: unknown): unknown {
  if (!isTree(summary)) return summary;
  const { statistics } = summary;
  const significance = isTree(statistics) ? statistics['significance'] : null;
  return {
    ...without(summary, ['run', 'statistics']),
    statistics: without(statistics, ['significance']),
    significance: without(significance, ['deflated']),
  };
}

function without(tree: unknown, keys: readonly string[]): Readonly<Record<string, unknown>> {
  return isTree(tree) ? Object.fromEntries(Object.entries(tree).filter(([key]) => !keys.includes(key))) : {};
}

export function auditFound(run: RunDirectory): Promise<Found> {
  return orDamage(async () => {
    const { checks, clean } = await auditRun(run.path);
    const done = checks.filter(({ skipped }) => skipped === null).length;
    const leaks = checks.flatMap(({ findings }) => findings.filter(({ level }) => level === 'leak'));
    const warnings = checks.flatMap(({ findings }) => findings.filter(({ level }) => level === 'warning'));
    const evidence = { checks: done, leaks, warnings };
    if (clean)
      return {
        measured: 'clean',
        passes: true,
        why: `${counted(done, 'check')} found no look-ahead${warnings.length === 0 ? '' : `, ${counted(warnings.length, 'warning')}`}`,
        evidence,
      };
    return {
      measured: counted(leaks.length, 'leak'),
      passes: false,
      why: `${leaks[0].check} at ${leaks[0].where}: ${leaks[0].message}; \`openbell audit ${run.path}\` shows all`,
      evidence,
    };
  });
}

/** The bundle holds the checkpoint's weights, and decides on every test bar as the run's policy did. */
export function bundleFound(
  contents: BundleContents,
  { head }: Pick<TrainedPolicy, 'head'>,
  windows: EvaluationMarket['windows'] | null,
  agent: ActorRun | null,
): Found {
  const { policy, engine } = loadBundlePolicy(contents);
  try {
    const weights = weightsSha256(engine);
    if (weights !== head.weightsSha256 || contents.manifest.run.weights_sha256 !== weights)
      return {
        measured: 'other weights',
        passes: false,
        why: `the bundle holds ${weights.slice(0, 12)}, the checkpoint ${head.weightsSha256.slice(0, 12)}: promote the run again`,
        evidence: { bundle: weights, checkpoint: head.weightsSha256 },
      };
    if (windows === null || agent === null)
      return {
        measured: 'same weights',
        passes: true,
        why: `weights ${weights.slice(0, 12)}; no test bars to decide on`,
      };
    const { market: config, observation } = contents.manifest;
    const own = runActor(policy, { windows, config, featureSet: observation.feature_set });
    const same = own.sleeves.every(
      (sleeve, k) =>
        sameColumn(sleeve.actions, agent.sleeves[k].actions) &&
        sameColumn(sleeve.path.equity, agent.sleeves[k].path.equity),
    );
    const decisions = own.sleeves.reduce((sum, { actions }) => sum + actions.length, 0);
    return {
      measured: same ? counted(decisions, 'decision') : 'different',
      passes: same,
      why: same
        ? `the same ${counted(decisions, 'decision')} and the same equity as the run on the test window, to the bit`
        : 'the bundle decides otherwise than the run on the test window: promote the run again',
      evidence: { weights, decisions },
    };
  } finally {
    engine.dispose();
  }
}

function sameColumn(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((value, t) => Object.is(value, b[t]));
}
