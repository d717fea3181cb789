/** What a configuration trains in, and what it is scored on while it trains. */
import { log } from '#env/math/index.js';
import { makeClassicVector } from '#env/classic/index.js';
import type { Bars, TradingWindow } from '#env/market/bars.js';
import { MarketEnv } from '#env/market/market-env.js';
import { FEATURE_SETS } from '#env/market/observation/index.js';
import { utcInstant, windowsOf } from '#env/market/window.js';
import type { ActionSpace } from '#env/spaces.js';
import type { VectorEnv } from '#env/vector-env.js';
import type { Actor } from '#agents/actor.js';
import type { DataConfig, DateWindow, ExperimentConfig } from '#src/config/schema.js';
import { loadDataset } from '#src/data/load.js';
import { fail } from '#src/errors.js';
import { runActor } from './evaluate-baselines.js';
import { trainingWindows } from './exclude.js';
import type { EvaluationMarket } from './evaluate-paths.js';
import { mixWindows } from './recent-windows.js';
import type { DataIdentity } from './run-directory.js';

/** A score on the validation window, or over episodes; `details` are a line of metrics.jsonl. */
export interface Score {
  /** Higher is better. */
  readonly score: number;
  readonly details: Readonly<Record<string, number | null>>;
}

export interface World {
  /** null: a classic environment. */
  readonly observationHash: string | null;
  readonly data: readonly DataIdentity[];
  readonly actionSpace: ActionSpace;
  /** The environment to train in. Made once; Ppo owns it. */
  readonly env: VectorEnv;
  /** What is trained on, as an evaluation would walk through it; null: a classic environment. */
  readonly trainingMarket: EvaluationMarket | null;
  /** What the score is called, for people. */
  readonly scoreName: string;
  /** Scores a policy as it stands, without noise; null where the configuration sets no validation window apart. */
  readonly evaluate: ((actor: Actor) => Score) | null;
}

/** Classic environments are scored in episodes of their own, seeded far from those of the training environments. */
const EVALUATION_SEED_OFFSET = 1_000_000;

/** Loads the data and makes the environments. Throws DATA_ and ENV_ errors. */
export async function makeWorld(config: ExperimentConfig): Promise<World> {
  return config.env.id === 'market' ? makeMarketWorld(config) : makeClassicWorld(config, config.env.id);
}

/** The world of a configuration with another window of its data to act in. Throws DATA_WINDOW where it sets none apart. */
export async function makeWindowWorld(
  config: ExperimentConfig,
  window: 'train' | 'validation' | 'test',
): Promise<World> {
  if (window === 'train') return makeWorld(config);
  const { data } = config;
  const chosen = data?.[window] ?? null;
  if (data === null || chosen === null) {
    fail('DATA_WINDOW', {
      where: `data.${window}`,
      value: chosen,
      message: 'this experiment sets no such window apart: give it one, or take the window "train"',
    });
  }
  return makeWorld({ ...config, data: { ...data, train: chosen, exclude: [] } });
}

async function makeMarketWorld(config: ExperimentConfig): Promise<World> {
  // the configuration's check has made sure of it
  if (config.data === null) throw new Error('the market needs data');
  return makeWorldOf(config, await loadBars(config.data));
}

/** The market of a configuration over bars in memory, in the order of its data sets. Throws as `makeWorld` does. */
export function makeWorldOf(config: ExperimentConfig, bars: readonly Bars[]): World {
  const { env, data, observation, training, seed } = config;
  // the configuration's check has made sure of all three
  if (env.id !== 'market' || data === null || observation === null)
    throw new Error('the market needs data and observation');
  const featureSet = observation.feature_set;
  const windows = trainingWindows(bars, data, observation.warmup);
  const recent = training.fine_tune?.recent ?? null;
  const marketEnv = new MarketEnv({
    windows:
      recent === null
        ? windows
        : mixWindows(windows, {
            fromMs: utcInstant(recent.from, 'training.fine_tune.recent.from'),
            share: recent.share,
            minimumSteps: env.episode.minimum_length,
          }),
    config: env,
    featureSet,
    numEnvs: training.n_envs,
    seed,
  });
  const validation =
    data.validation === null
      ? null
      : {
          windows: windowsIn(bars, data.validation, observation.warmup, 'data.validation'),
          config: env,
          featureSet,
        };
  return {
    observationHash: FEATURE_SETS[featureSet].hash,
    data: bars.map((own, index) => identityOf(data.datasets[index], own)),
    actionSpace: marketEnv.singleActionSpace,
    env: marketEnv,
    trainingMarket: { windows, config: env, featureSet },
    scoreName: 'validation log return',
    evaluate: validation === null ? null : (actor) => scoreOnMarket(actor, validation),
  };
}

/**
 * The log of final over initial equity, costs included: a policy that stays out of the market scores 0, so that
 * no loser is ever chosen over doing nothing, and compounding counts. Ruin is scored as the log of a cent.
 */
function scoreOnMarket(actor: Actor, market: EvaluationMarket): Score {
  const { performance } = runActor(actor, market);
  const { totalReturn, sharpe, maxDrawdown, turnover, trades, exposure, costsPaid } = performance;
  return {
    score: log(Math.max(1 + totalReturn, 1e-2)),
    details: { totalReturn, sharpe, maxDrawdown, turnover, trades, exposure, costsPaid },
  };
}

function makeClassicWorld({ training, seed }: ExperimentConfig, id: string): World {
  const env = makeClassicVector(id, training.n_envs);
  return {
    observationHash: null,
    data: [],
    actionSpace: env.singleActionSpace,
    env,
    trainingMarket: null,
    scoreName: `mean return of ${training.evaluate_episodes} episodes`,
    evaluate: (actor) => scoreEpisodes(actor, id, training.evaluate_episodes, (seed + EVALUATION_SEED_OFFSET) >>> 0),
  };
}

/** Mean undiscounted return of `episodes` episodes, always the same ones. */
export function scoreEpisodes(actor: Actor, id: string, episodes: number, seed: number): Score {
  const env = makeClassicVector(id, episodes);
  env.reset({ seed });
  const space = env.singleActionSpace;
  const actions = space.kind === 'discrete' ? new Int32Array(episodes) : new Float32Array(episodes * space.shape[0]);
  const returns = new Float64Array(episodes).fill(Number.NaN);
  let lengths = 0;
  for (let running = episodes; running > 0;) {
    actor.act(actions, env.observations, env.actionMasks, episodes);
    env.step(actions);
    for (let i = 0; i < episodes; i++) {
      if (!Number.isNaN(returns[i]) || (env.terminations[i] | env.truncations[i]) === 0) continue;
      returns[i] = env.episodeReturns[i];
      lengths += env.episodeLengths[i];
      running--;
    }
  }
  env.close();
  const score = returns.reduce((sum, value) => sum + value, 0) / episodes;
  const variance = returns.reduce((sum, value) => sum + (value - score) * (value - score), 0) / episodes;
  return { score, details: { episodes, deviation: Math.sqrt(variance), episodeLength: lengths / episodes } };
}

async function loadBars(data: DataConfig): Promise<Bars[]> {
  return loadTogether(data.datasets, 'data.datasets');
}

/**
 * Loads data sets that are traded together. Throws DATA_WINDOW where two hold bars of one symbol in overlapping time:
 * that market would be traded, and its returns counted, twice.
 */
export async function loadTogether(datasets: readonly string[], where: string): Promise<Bars[]> {
  const all: Bars[] = [];
  for (const dataset of datasets) {
    const bars = await loadDataset(dataset);
    const { instrument, openTimeMs, length } = bars;
    const twin = all.findIndex(
      (other) =>
        other.instrument.symbol === instrument.symbol &&
        other.openTimeMs[0] <= openTimeMs[length - 1] &&
        openTimeMs[0] <= other.openTimeMs[other.length - 1],
    );
    if (twin >= 0) {
      fail('DATA_WINDOW', {
        where,
        value: [datasets[twin], dataset],
        message: `both hold bars of ${instrument.symbol} in overlapping time, which would be counted twice: name one of them`,
      });
    }
    all.push(bars);
  }
  return all;
}

export function windowsIn(
  bars: readonly Bars[],
  window: NonNullable<DateWindow>,
  warmup: number,
  where: string,
): TradingWindow[] {
  const from = window.from === null ? null : utcInstant(window.from, `${where}.from`);
  const to = window.to === null ? null : utcInstant(window.to, `${where}.to`);
  return windowsOf(bars, from, to, warmup);
}

function identityOf(dataset: string, bars: Bars): DataIdentity {
  const { source, instrument, interval, length, synthetic, sha256 } = bars;
  return { dataset, source, symbol: instrument.symbol, interval: interval.label, bars: length, synthetic, sha256 };
}
