/** `evaluateRun`: judges a trained run on bars that it never saw, writes down the figures, and draws the report. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { childState } from '#env/state.js';
import { box, discrete, type ActionSpace } from '#env/spaces.js';
import { utcInstant, windowsOf } from '#env/market/window.js';
import { ActingPolicy } from '#agents/policy/acting-policy.js';
import type { PolicyEngine } from '#agents/policy/contract.js';
import { Normalizer } from '#agents/policy/normalizer.js';
import { policySpec } from '#agents/ppo/policy-spec.js';
import { makeClassicVector } from '#env/classic/index.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import { configHash } from '#src/config/show.js';
import { fail } from '#src/errors.js';
import type { Alarm } from '#src/stats/actions.js';
import { FULL_SESSIONS, sessionCoverage } from '#src/stats/annualisation.js';
import { renderReport } from '#src/report/html.js';
import { checkpointFile, readCheckpoint, type Checkpoint } from './checkpoint.js';
import { makeEngine, weightsSha256 } from './engine.js';
import { evaluateActor, type EvaluationResult } from './evaluate-actor.js';
import { specNamed } from './evaluate-baselines.js';
import { readCurves } from './evaluate-curves.js';
import { writeEvaluation } from './evaluate-outputs.js';
import type { EvaluationMarket } from './evaluate-paths.js';
import { spanOf } from './exclude.js';
import { evaluationText, reportModel, windowSpan } from './evaluate-report.js';
import { writeFileAtomic } from '#src/registry/files.js';
import { loadPolicyModule } from './policy-module.js';
import { RunDirectory } from './run-directory.js';
import { trialsOf, type Trials } from './trials.js';
import { loadTogether, scoreEpisodes } from './world.js';

export type WindowName = 'test' | 'validation' | 'train';

export interface EvaluateRunOptions {
  /** The run's folder. */
  readonly directory: string;
  /** Which window of the configuration; default test. */
  readonly window?: WindowName;
  /** Other data sets than the run's, by name or path: all their bars, unless `from` or `to` say less. */
  readonly data?: readonly string[];
  /** A window of its own: bars that open in [from, to). */
  readonly from?: string;
  readonly to?: string;
  /** Default best, or last where no best was ever chosen. */
  readonly checkpoint?: 'best' | 'last';
  /** A checkpoint's file, instead. */
  readonly checkpointFile?: string | null;
  /** Seeds the random traders and the bootstrap; the same for all runs by default, so that they compare. */
  readonly seed?: number;
  readonly randomPaths?: number;
  /** Configurations that were tried before this one was chosen; default: as the run's sweep recorded. */
  readonly trials?: number;
  /** Draw report.html; default true. */
  readonly report?: boolean;
}

export interface EvaluatedRun {
  /** null: a classic environment, which has no market to report on. */
  readonly result: EvaluationResult | null;
  /** What metrics.json holds. */
  readonly summary: Record<string, unknown>;
  /** Table, alarms and verdict for a terminal. */
  readonly text: string;
  /** Where the files were written. */
  readonly folder: string;
  readonly reportFile: string | null;
}

const DEFAULT_SEED = 1;
const CLASSIC_EPISODES = 100;
/** Apart from the seeds that training and its own evaluations use. */
const CLASSIC_SEED = 2_000_000;

/**
 * Loads a run's checkpoint with its own normaliser and evaluates it. Throws RUN_NOT_FOUND, CHECKPOINT_CORRUPT,
 * CHECKPOINT_MISMATCH (another configuration or observation), DATA_ errors, and DATA_WINDOW where the configuration
 * sets no such window apart.
 */
export async function evaluateRun(options: EvaluateRunOptions): Promise<EvaluatedRun> {
  const { run, config, chosen, checkpoint, policy, head, saw, dispose } = await openTrained(options);
  try {
    if (config.env.id !== 'market') return evaluateClassic(run, config.env.id, policy, head);
    const { market, name, folderName } = await chooseWindows(config, options);
    const result = measureTrained({ run, config, policy, saw }, market, options);
    const suffix = chosen.name === chosen.usual ? '' : `-${chosen.name}`;
    const folder = path.join(run.path, 'evaluation', `${folderName}${suffix}`);
    const summary = writeEvaluation(folder, result, { ...head, windowName: name });
    let reportFile: string | null = null;
    if (options.report !== false) {
      const isMain = name === 'test' && suffix === '';
      reportFile = path.join(isMain ? run.path : folder, 'report.html');
      const model = reportModel(result, {
        title: `${config.name} / ${path.basename(path.resolve(run.path))}`,
        windowName: name,
        facts: factsOf(run, config, head),
        curves: readCurves(path.join(run.path, 'metrics.jsonl'), checkpoint.head.timesteps),
        configuration: readFileSync(run.configFile, 'utf8'),
      });
      writeFileAtomic(reportFile, await renderReport(model));
    }
    return { result, summary, text: evaluationText(result, name), folder, reportFile };
  } finally {
    dispose();
  }
}

/** The figures of a trained policy on these windows; nothing is written. */
export function measureTrained(
  { run, config, policy, saw }: Pick<TrainedPolicy, 'run' | 'config' | 'policy' | 'saw'>,
  market: EvaluationMarket,
  {
    seed = DEFAULT_SEED,
    randomPaths,
    trials,
  }: Pick<EvaluateRunOptions, 'seed' | 'randomPaths'> & { readonly trials?: number | Trials | null } = {},
): EvaluationResult {
  const evaluated = evaluateActor(policy, market, {
    seed,
    seen: saw(market),
    randomPaths,
    trials:
      trials === undefined
        ? trialsOf(run.path, config)
        : typeof trials === 'number'
          ? { count: trials, sharpeDeviation: null }
          : trials,
  });
  return { ...evaluated, alarms: [...intervalAlarms(market, run), ...sparseAlarms(market), ...evaluated.alarms] };
}

/** A trained policy with its own normaliser, ready to act. */
export interface TrainedPolicy {
  readonly run: RunDirectory;
  readonly config: ExperimentConfig;
  readonly chosen: ChosenCheckpoint;
  readonly checkpoint: Checkpoint;
  readonly policy: ActingPolicy;
  /** What metrics.json says of the policy that was judged. */
  readonly head: {
    readonly run: string;
    readonly experiment: string;
    readonly seed: number;
    readonly checkpoint: string;
    readonly timesteps: number;
    readonly weightsSha256: string;
    readonly configHash: string;
    readonly observationHash: string | null;
  };
  /** Whether training, or the choice of the checkpoint, saw bars of these windows. */
  saw(market: EvaluationMarket): boolean;
  dispose(): void;
}

/** Loads a run's checkpoint. Throws as `evaluateRun` does, but for the windows. */
export async function openTrained(
  options: Pick<EvaluateRunOptions, 'directory' | 'checkpoint' | 'checkpointFile'>,
): Promise<TrainedPolicy> {
  const run = RunDirectory.open(options.directory);
  const config = run.loadConfig();
  const chosen = chooseCheckpoint(run, options);
  const checkpoint = readCheckpoint(chosen.file, 'evaluate');
  checkFit(checkpoint, config, chosen.file);
  const { policy, engine } = await loadPolicy(checkpoint, config);
  const head = {
    run: run.path,
    experiment: config.name,
    seed: checkpoint.head.seed,
    checkpoint: chosen.name,
    timesteps: checkpoint.head.timesteps,
    weightsSha256: weightsSha256(engine),
    configHash: checkpoint.head.configHash,
    observationHash: checkpoint.head.observationHash,
  };
  const saw = (market: EvaluationMarket): boolean => wasSeen(market, config, run.record.data, chosen.name);
  return { run, config, chosen, checkpoint, policy, head, saw, dispose: () => engine.dispose() };
}

interface ChosenCheckpoint {
  readonly file: string;
  /** best, last, or the file's own name */
  readonly name: string;
  /** What is taken when nothing is asked for. */
  readonly usual: 'best' | 'last';
}

export function chooseCheckpoint(
  run: RunDirectory,
  options: Pick<EvaluateRunOptions, 'directory' | 'checkpoint' | 'checkpointFile'>,
): ChosenCheckpoint {
  const best = checkpointFile(run.checkpoints, 'best');
  const usual = existsSync(best) ? 'best' : 'last';
  // another checkpoint in its place would pass for the one that was chosen
  if (
    usual === 'last' &&
    (run.record.result?.best ?? null) !== null &&
    options.checkpoint !== 'last' &&
    (options.checkpointFile ?? null) === null
  ) {
    fail('RUN_STATE', {
      where: best,
      message: 'the best checkpoint was chosen while training and is gone: restore it, or take --checkpoint last',
    });
  }
  const named = options.checkpointFile ?? null;
  if (named !== null) return { file: named, name: path.basename(named, '.safetensors'), usual };
  const name = options.checkpoint ?? usual;
  const file = checkpointFile(run.checkpoints, name);
  if (!existsSync(file)) {
    fail('RUN_STATE', {
      where: run.path,
      value: name,
      message:
        name === 'best'
          ? 'no best checkpoint was chosen: the configuration has no validation window, or training ended before the first evaluation; take --checkpoint last'
          : 'this run has written no checkpoint yet',
    });
  }
  return { file, name, usual };
}

function checkFit({ head }: Checkpoint, config: ExperimentConfig, file: string): void {
  const mismatch = (value: unknown, message: string): never =>
    fail('CHECKPOINT_MISMATCH', { where: file, value, message });
  if (head.configHash !== configHash(config)) {
    mismatch(
      head.configHash,
      `config.yaml has been changed since (it is ${configHash(config)} now): put the run's own back`,
    );
  }
  const expected = config.observation === null ? null : specNamed(config.observation.feature_set).hash;
  if (head.observationHash !== expected) {
    mismatch(
      head.observationHash,
      `this version defines the observation otherwise (${expected ?? 'none'}): the policy would see other features than it learned from`,
    );
  }
}

async function loadPolicy(
  { ppo }: Checkpoint,
  config: ExperimentConfig,
): Promise<{ policy: ActingPolicy; engine: PolicyEngine }> {
  const { observationSpace, actionSpace } = spacesOf(config);
  const spec = policySpec(config.agent, observationSpace, actionSpace);
  const engine = await makeEngine(config, spec, await loadPolicyModule(config));
  engine.setState(childState(ppo, 'engine', 'checkpoint', 'CHECKPOINT_CORRUPT'));
  const normalizer =
    ppo['normalizer'] === null || ppo['normalizer'] === undefined
      ? null
      : Normalizer.frozen(childState(ppo, 'normalizer', 'checkpoint', 'CHECKPOINT_CORRUPT'));
  const bounds = actionSpace.kind === 'box' ? { low: actionSpace.low, high: actionSpace.high } : null;
  return { policy: new ActingPolicy({ engine, normalizer, bounds }), engine };
}

export function spacesOf(config: ExperimentConfig): {
  observationSpace: ReturnType<typeof box>;
  actionSpace: ActionSpace;
} {
  const { env, observation } = config;
  if (env.id === 'market') {
    const size = specNamed(observation?.feature_set ?? 'v1').features.length;
    return {
      observationSpace: box(-Infinity, Infinity, size),
      actionSpace: env.actions === 'discrete' ? discrete(3) : box(-1, 1, 1),
    };
  }
  const sample = makeClassicVector(env.id, 1);
  return { observationSpace: sample.singleObservationSpace, actionSpace: sample.singleActionSpace };
}

/** The windows that options mean, their bars loaded. Throws USAGE, DATA_WINDOW and DATA_ errors. */
export async function chooseWindows(
  config: ExperimentConfig,
  options: Pick<EvaluateRunOptions, 'window' | 'data' | 'from' | 'to'>,
): Promise<{ market: EvaluationMarket; name: string; folderName: string }> {
  const { env, data, observation } = config;
  // the configuration's check has made sure of all three
  if (env.id !== 'market' || data === null || observation === null)
    throw new Error('the market needs data and observation');
  const custom = options.data !== undefined || options.from !== undefined || options.to !== undefined;
  if (custom && options.window !== undefined) {
    fail('USAGE', {
      where: '--window',
      value: options.window,
      message: 'names a window of the configuration: leave it out beside --data, --from and --to',
    });
  }
  const name = options.window ?? 'test';
  const window = custom ? { from: options.from ?? null, to: options.to ?? null } : data[name];
  if (window === null) {
    fail('DATA_WINDOW', {
      where: `data.${name}`,
      value: null,
      message: `the run set no ${name} window apart: choose --window ${name === 'test' ? 'validation' : 'train'}, or bars of your own with --from and --to, or --data`,
    });
  }
  const where = custom ? '--' : `data.${name}.`;
  const from = window.from === null ? null : utcInstant(window.from, `${where}from`);
  const to = window.to === null ? null : utcInstant(window.to, `${where}to`);
  const datasets = options.data ?? data.datasets;
  const bars = await loadTogether(datasets, options.data === undefined ? 'data.datasets' : '--data');
  const windows = windowsOf(bars, from, to, observation.warmup);
  return {
    market: { windows, config: env, featureSet: observation.feature_set },
    name: custom ? 'custom' : name,
    folderName: custom ? customFolder(datasets, window) : name,
  };
}

function customFolder(datasets: readonly string[], { from, to }: { from: string | null; to: string | null }): string {
  const names = datasets.map((dataset) => path.basename(dataset).replace(/\.\w+(\.gz)?$/, ''));
  return ['custom', ...names, from ?? 'start', to ?? 'end'].join('_').replace(/[^\w.-]+/g, '-');
}

/**
 * Whether training, or the choice of the best checkpoint, saw bars of these windows: the same symbol in overlapping
 * time, whichever file it came from.
 *
 * @param data what was trained on
 */
export function wasSeen(
  market: Pick<EvaluationMarket, 'windows'>,
  config: ExperimentConfig,
  data: readonly { readonly symbol: string; readonly sha256: string }[],
  checkpoint: string,
): boolean {
  if (config.data === null) return false;
  const { train, validation, exclude } = config.data;
  const excluded = exclude.map((span) => spanOf(span, 'data.exclude'));
  const symbols = new Set(data.map(({ symbol }) => symbol));
  const files = new Set(data.map(({ sha256 }) => sha256));
  const used = [
    { window: train, without: excluded },
    { window: checkpoint === 'last' ? null : validation, without: [] },
  ];
  return market.windows.some((window) => {
    const { fromMs, toMs } = windowSpan({ windows: [window] });
    return (
      // a copy of a file under another name is the same market
      (symbols.has(window.bars.instrument.symbol) || files.has(window.bars.sha256)) &&
      used.some(({ window: own, without }) => {
        if (own === null || without.some((span) => fromMs >= span.fromMs && toMs < span.toMs)) return false;
        const span = spanOf(own, 'data');
        return fromMs < span.toMs && toMs >= span.fromMs;
      })
    );
  });
}

/** Features and pace are those of the interval that was learned from. */
function intervalAlarms(market: EvaluationMarket, run: RunDirectory): Alarm[] {
  const learned = [...new Set(run.record.data.map(({ interval }) => interval))];
  const judged = [...new Set(market.windows.map(({ bars }) => bars.interval.label))];
  const foreign = judged.filter((interval) => !learned.includes(interval));
  if (foreign.length === 0) return [];
  const message = `The policy learned from bars of ${learned.join(', ')} and is judged on bars of ${foreign.join(', ')}: it sees features of another scale.`;
  return [{ code: 'other-interval', level: 'warning', message }];
}

/** Figures a year take every session as full. */
function sparseAlarms({ windows }: EvaluationMarket): Alarm[] {
  return windows.flatMap(({ bars, start, end }) => {
    const covered = sessionCoverage(bars.calendar, bars.interval.ms, bars.openTimeMs.subarray(start, end));
    if (covered === null || covered >= FULL_SESSIONS) return [];
    const message = `${bars.instrument.symbol} has ${(100 * covered).toFixed(0)}% of the bars that full sessions hold: a year of ${bars.interval.label} bars is shorter than the calendar's, so that Sharpe ratio and volatility a year are ${(100 / Math.sqrt(covered) - 100).toFixed(0)}% too large.`;
    return [{ code: 'sparse-bars' as const, level: 'warning' as const, message }];
  });
}

interface Head {
  readonly checkpoint: string;
  readonly timesteps: number;
  readonly weightsSha256: string;
  readonly observationHash: string | null;
}

function factsOf(run: RunDirectory, config: ExperimentConfig, head: Head): [string, string][] {
  const { record } = run;
  const { data, training } = config;
  const span = (window: { from: string | null; to: string | null } | null): string =>
    window === null ? 'none' : `${window.from ?? 'the first bar'} to ${window.to ?? 'the last bar'}`;
  const code =
    record.code.git === null
      ? ''
      : `, commit ${record.code.git.commit.slice(0, 12)}${record.code.git.dirty ? ' with changes' : ''}`;
  return [
    ['Run', run.path],
    ...(config.description === '' ? [] : [['Description', config.description] satisfies [string, string]]),
    ['Seed', String(config.seed)],
    [
      'Checkpoint',
      `${head.checkpoint}, after ${head.timesteps.toLocaleString('en')} of ${training.total_timesteps.toLocaleString('en')} steps`,
    ],
    ['Weights, sha256', head.weightsSha256],
    [
      'Observation',
      `${config.observation?.feature_set ?? 'none'}, sha256 ${(head.observationHash ?? '').slice(0, 16)}`,
    ],
    ['Trained on', `${record.data.map(({ source }) => source).join(', ')}: ${span(data?.train ?? null)}`],
    ['Chosen on', `validation window ${span(data?.validation ?? null)}`],
    ['Kept apart', `test window ${span(data?.test ?? null)}`],
    ['Engine', `${record.engine}, openbell ${record.code.openbell}${code}`],
  ];
}

/** A classic environment: mean undiscounted return of a hundred episodes that no training saw. */
function evaluateClassic(run: RunDirectory, id: string, policy: ActingPolicy, head: Head): EvaluatedRun {
  const { score, details } = scoreEpisodes(policy, id, CLASSIC_EPISODES, CLASSIC_SEED);
  const folder = path.join(run.path, 'evaluation', head.checkpoint);
  const summary = { ...head, environment: id, score, ...details };
  mkdirSync(folder, { recursive: true });
  writeFileAtomic(path.join(folder, 'metrics.json'), `${JSON.stringify(summary, null, 2)}\n`);
  const text = `${id}: mean return ${score.toFixed(2)} of ${CLASSIC_EPISODES} episodes (deviation ${(details['deviation'] ?? 0).toFixed(2)}), ${head.checkpoint} checkpoint after ${head.timesteps} steps`;
  return { result: null, summary, text, folder, reportFile: null };
}
