/** `auditExperiment` and `auditRun`: all audits that a configuration, and what was trained from it, can be put to. */
import { sliceBars, type Bars, type TradingWindow } from '#env/market/bars.js';
import { MarketEnv } from '#env/market/market-env.js';
import { FEATURE_SETS } from '#env/market/observation/index.js';
import { firstDifference } from '#env/same-bits.js';
import { SingleEnv } from '#env/single-env.js';
import { ActingPolicy } from '#agents/policy/acting-policy.js';
import { Normalizer } from '#agents/policy/normalizer.js';
import { Ppo } from '#agents/ppo/ppo.js';
import type { DateWindow, ExperimentConfig, MarketEnvConfig } from '#src/config/schema.js';
import { loadDatasetInFull } from '#src/data/load.js';
import { fail } from '#src/errors.js';
import { withEngine } from '../engine.js';
import { openTrained, type TrainedPolicy } from '../evaluate.js';
import { isWithin, spanOf, trainingWindows, type TimeSpan } from '../exclude.js';
import { loadIncumbent } from '../fine-tune.js';
import { loadPolicyModule } from '../policy-module.js';
import { planWalkForward } from '../walk-forward/plan.js';
import { loadTogether, makeWorld, makeWorldOf, windowsIn } from '../world.js';
import { envChecks } from './audit-env.js';
import { featureChecks, featureSetOf } from './audit-features.js';
import { splitChecks, type SplitSet } from './audit-splits.js';
import { trainingChecks, type Learned } from './audit-training.js';
import { Findings, reportOf, skippedCheck, type AuditCheck, type AuditReport } from './findings.js';

/** Longer data sets are looked at in stretches of so many bars: at the beginning, in the middle and at the end. */
const STRETCH_BARS = 4000;
const ENV_STEPS = 200;
/** Updates of the trainings that are compared. */
const UPDATES = 2;

export interface AuditExperimentOptions {
  /** Told of each part as it begins. */
  readonly onPart?: (part: string) => void;
}

/**
 * Audits features, environment, splits, the first updates of training and the data's adjustments. Throws CONFIG_VALUE
 * for an environment without bars, and DATA_ and POLICY_ errors.
 */
export async function auditExperiment(
  config: ExperimentConfig,
  options: AuditExperimentOptions = {},
): Promise<AuditReport> {
  return reportOf(await experimentChecks(config, options));
}

async function experimentChecks(
  config: ExperimentConfig,
  { onPart = () => undefined }: AuditExperimentOptions,
): Promise<AuditCheck[]> {
  const { env, data, observation } = config;
  if (env.id !== 'market' || data === null || observation === null) {
    return fail('CONFIG_VALUE', {
      where: `${config.name} env.id`,
      value: env.id,
      message: 'has no bars, and no future to know: only the market is audited',
    });
  }
  const { warmup } = observation;
  const bars = await loadTogether(data.datasets, 'data.datasets');
  const checks: AuditCheck[] = [];
  onPart('features');
  const set = featureSetOf(FEATURE_SETS[observation.feature_set]);
  for (const own of bars) {
    for (const stretch of stretchesOf(own)) checks.push(...featureChecks(set, stretch, { warmup }));
  }
  onPart('environment');
  for (const own of bars) {
    const segment = own.segments.reduce((a, b) => (b.end - b.start > a.end - a.start ? b : a));
    const length = Math.min(segment.end - segment.start, warmup + 3 * ENV_STEPS);
    checks.push(
      ...marketChecks(sliceBars(own, segment.start, segment.start + length), env, observation.feature_set, warmup),
    );
  }
  onPart('splits');
  for (const split of splitsOf(config, bars, warmup)) checks.push(...splitChecks(split.sets, split.name));
  onPart('training');
  const first = config.walk_forward === null ? config : planWalkForward(config, bars).windows[0].config;
  checks.push(...(await learningChecks(first, bars)));
  onPart('data');
  for (const dataset of data.datasets) checks.push(await adjustmentCheck(dataset, env));
  return checks;
}

/** The normaliser of a run's checkpoint: fitted to its own training, or kept as the bundle that it began from has it. */
function normalizerChecks({ config, checkpoint, run, chosen }: TrainedPolicy, found: Findings): AuditCheck[] {
  const normalizer = checkpoint.ppo['normalizer'];
  if (typeof normalizer !== 'object' || normalizer === null || !('counts' in normalizer))
    return [skippedCheck('run-normalizer', run.path, 'there is no normaliser')];
  const { counts } = normalizer;
  const [seen] = counts instanceof Float64Array ? counts : [Number.NaN];
  const incumbent = loadIncumbent(config);
  if (incumbent !== null) {
    const kept = incumbent.bundle.normalizer ?? {};
    const differing = ['observationMean', 'observationVariance', 'returnMean', 'returnVariance', 'counts'].filter(
      (key) => firstDifference(kept[key], normalizer[key]) !== null,
    );
    if (differing.length > 0)
      found.leak('run-normalizer', chosen.name, `${differing[0]} is not the bundle's: it was fitted to others`);
    return found.table(['run-normalizer'], run.path, "the bundle's own, kept");
  }
  // a count begins at 1e-4, and has the observation of the reset too
  const steps = checkpoint.head.timesteps + config.training.n_envs;
  if (!(seen <= steps + 0.5))
    found.leak(
      'run-normalizer',
      chosen.name,
      `has seen ${Math.round(seen)} observations, and training made ${steps}: it was fitted to others`,
    );
  return found.table(['run-normalizer'], run.path, `${Math.round(seen)} of ${steps} observations`);
}

/** A run's configuration, and its checkpoints beside. Throws RUN_NOT_FOUND, CHECKPOINT_ and DATA_ errors. */
export async function auditRun(directory: string, options: AuditExperimentOptions = {}): Promise<AuditReport> {
  const trained = await openTrained({ directory });
  try {
    const { config, policy, run, chosen } = trained;
    const found = new Findings();
    const checks = await experimentChecks(config, options);
    options.onPart?.('checkpoint');
    checks.push(...normalizerChecks(trained, found));
    const best = run.record.result?.best ?? null;
    if (chosen.name !== 'best' || best === null) {
      return reportOf([...checks, skippedCheck('run-selection', run.path, 'the last checkpoint is taken')]);
    }
    const { evaluate } = await makeWorld(config);
    const score = evaluate?.(policy).score ?? null;
    const tolerance = config.training.engine === 'tfjs' ? 1e-6 : 0;
    if (score === null || Math.abs(score - best.score) > tolerance)
      found.leak(
        'run-selection',
        'best',
        `was chosen for a score of ${best.score}, and on the validation window it has ${score}: it was chosen on other bars`,
      );
    return reportOf([...checks, ...found.table(['run-selection'], run.path, `score ${best.score.toPrecision(6)}`)]);
  } finally {
    trained.dispose();
  }
}

function marketChecks(bars: Bars, env: MarketEnvConfig, featureSet: string, warmup: number): AuditCheck[] {
  if (bars.length < warmup + 20) {
    return [
      skippedCheck(
        'env-observation',
        bars.source,
        `its longest segment has ${bars.length} bars, ${warmup} of them warm-up`,
      ),
    ];
  }
  // one episode over all bars, so that a step is a bar
  const config = { ...env, episode: { length: null, minimum_length: 1, random_start: false } };
  const make =
    (noise: MarketEnvConfig['noise']) =>
    (own: Bars, recorder: ConstructorParameters<typeof MarketEnv>[0]['recorder']) => {
      const segment = { start: 0, end: own.length };
      const market = new MarketEnv({
        windows: [{ bars: { ...own, segments: [segment] }, segment, start: warmup, end: own.length }],
        config: { ...config, noise },
        featureSet,
        numEnvs: 1,
        seed: 1,
        recorder,
      });
      return new SingleEnv(market);
    };
  const silent = { ...env.noise, fill_price_bps: 0, observation: 0, cost: 0, delay: 0, price_bps: 0 };
  const options = { firstBar: warmup, steps: ENV_STEPS };
  const checks = envChecks(make(silent), bars, { ...options, name: `${bars.source}, no noise` });
  if (JSON.stringify(silent) === JSON.stringify(env.noise)) return checks;
  // copies of the bars with noise are drawn one after another: how many bars there are decides what the second one gets
  const noisy = envChecks(make(env.noise), bars, { ...options, truncate: false, name: `${bars.source}, with noise` });
  return [...checks, ...noisy.filter(({ name }) => name !== 'fill-range' && name !== 'env-adjustment')];
}

function stretchesOf(bars: Bars): Bars[] {
  if (bars.length <= 2 * STRETCH_BARS) return [bars];
  const middle = Math.floor((bars.length - STRETCH_BARS) / 2);
  return [0, middle, bars.length - STRETCH_BARS].map((start) => ({
    ...sliceBars(bars, start, start + STRETCH_BARS),
    source: `${bars.source} [${start}, ${start + STRETCH_BARS})`,
  }));
}

function splitsOf(
  config: ExperimentConfig,
  bars: readonly Bars[],
  warmup: number,
): { name: string; sets: SplitSet[] }[] {
  const whole = (window: DateWindow | null, where: string): TradingWindow[] =>
    window === null ? [] : windowsIn(bars, window, warmup, where);
  const setsOf = ({ data }: ExperimentConfig, test: readonly TradingWindow[]): SplitSet[] =>
    data === null
      ? []
      : [
          { role: 'train', windows: trainingWindows(bars, data, warmup) },
          { role: 'validation', windows: whole(data.validation, 'data.validation') },
          { role: 'test', windows: test },
        ];
  if (config.walk_forward === null)
    return [{ name: config.name, sets: setsOf(config, whole(config.data?.test ?? null, 'data.test')) }];
  return planWalkForward(config, bars).windows.map(({ name, config: own, test }) => ({
    name: `${config.name} ${name}`,
    sets: setsOf(
      own,
      test.flatMap(({ windows }) => windows),
    ),
  }));
}

async function learningChecks(config: ExperimentConfig, bars: readonly Bars[]): Promise<AuditCheck[]> {
  const { data } = config;
  // the market has some
  if (data === null) throw new Error('no data');
  const policy = await loadPolicyModule(config);
  const learn = async (others: readonly Bars[]): Promise<Learned> => {
    const world = makeWorldOf(config, others);
    try {
      return await withEngine(config, world, policy, null, async (engine) => {
        const ppo = new Ppo({
          env: world.env,
          engine,
          config: config.agent,
          seed: config.seed,
          totalTimesteps: config.training.total_timesteps,
        });
        for (let update = 0; update < UPDATES && !ppo.done; update++) ppo.update();
        const normalizer = ppo.normalizer?.getState() ?? null;
        const space = world.actionSpace;
        const actor = new ActingPolicy({
          engine,
          normalizer: normalizer === null ? null : Normalizer.frozen(normalizer),
          bounds: space.kind === 'box' ? { low: space.low, high: space.high } : null,
        });
        return { parameters: engine.getParameters().slice(), normalizer, score: world.evaluate?.(actor).score ?? null };
      });
    } finally {
      world.env.close();
    }
  };
  const train = spanOf(data.train, 'data.train');
  const excluded = data.exclude.map((window) => spanOf(window, 'data.exclude'));
  const spans = (window: DateWindow | null): TimeSpan[] => (window === null ? [] : [spanOf(window, 'data')]);
  const test = spans(data.test);
  const validation = spans(data.validation);
  const isTest = (timeMs: number): boolean => isWithin(timeMs, test) || isWithin(timeMs, excluded);
  return trainingChecks(learn, bars, {
    name: `${config.name}, ${UPDATES} updates`,
    // a validation window behind training is foreign to it, one before it may warm it up
    isForeignToTraining: (timeMs) => isTest(timeMs) || timeMs >= train.toMs,
    isForeignToSelection: (timeMs) =>
      isTest(timeMs) || timeMs >= Math.max(train.toMs, ...validation.map(({ toMs }) => toMs)),
  });
}

/** Prices adjusted by a factor that is not known give shares, ticks and fees of prices that nobody could trade at. */
async function adjustmentCheck(dataset: string, { costs }: MarketEnvConfig): Promise<AuditCheck> {
  const { manifest, bars } = await loadDatasetInFull(dataset);
  const found = new Findings();
  if (manifest === null) return skippedCheck('data-adjustment', dataset, 'a CSV file without a manifest does not say');
  if (manifest.adjustments.prices === 'applied' && bars.factor === null) {
    const message =
      'its prices were adjusted before they came, by a factor that is not in the file: whole shares, ticks and minimum fees are those of adjusted prices, which know later splits and dividends';
    if (costs.model === 'ibkr_fixed')
      found.leak(
        'data-adjustment',
        bars.source,
        `${message}; fees by the share (env.costs.model ibkr_fixed) are wrong by that factor`,
      );
    else found.warn('data-adjustment', bars.source, message);
  }
  const [check] = found.table(['data-adjustment'], bars.source, `prices: ${manifest.adjustments.prices}`);
  return check;
}
