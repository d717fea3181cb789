/** What an agent must beat: other actors in the same windows, under the same costs, rules and exits. */
import type { Actor } from '#agents/actor.js';
import {
  flatActor,
  holdActor,
  matchTurnover,
  randomActor,
  smaCrossActor,
  type SwitchProbabilities,
  type TurnoverRecord,
} from '#agents/baselines/index.js';
import type { MarketConfig } from '#env/market/config.js';
import { FEATURE_SETS, type ObservationSpec } from '#env/market/observation/index.js';
import { RandomStream } from '#env/seeding.js';
import { fail } from '#src/errors.js';
import { barsPerYear } from '#src/stats/annualisation.js';
import { sumSleeves, type EquityPath } from '#src/stats/equity-path.js';
import { computePerformance, type Performance } from '#src/stats/performance.js';
import { tradedValue, type RoundTrip } from '#src/stats/round-trips.js';
import {
  runSleeves,
  windowsBySymbol,
  type EvaluationMarket,
  type SleeveRun,
  type WindowedActor,
} from './evaluate-paths.js';

/** An actor's way through all sleeves, and what it came to. */
export interface ActorRun {
  readonly name: string;
  readonly sleeves: readonly SleeveRun[];
  /** The portfolio: sleeves summed on the union of their stamps. */
  readonly path: EquityPath;
  /** In order of their exits. */
  readonly trades: readonly RoundTrip[];
  readonly performance: Performance;
}

export interface RandomRun {
  readonly paths: readonly ActorRun[];
  /** Mean turnover of the paths / the agent's turnover. */
  readonly turnoverRatio: number;
}

export function specNamed(featureSet: string): ObservationSpec {
  const sets: Readonly<Record<string, ObservationSpec>> = FEATURE_SETS;
  if (Object.hasOwn(sets, featureSet)) return sets[featureSet];
  return fail('POLICY_SPEC', {
    where: 'feature set',
    value: featureSet,
    message: `choose one of ${Object.keys(sets).join(', ')}`,
  });
}

/** Runs one actor over all symbols, one sleeve each. */
export function runActor(actor: Actor | WindowedActor, market: EvaluationMarket): ActorRun {
  const sleeves = [...windowsBySymbol(market.windows).values()].flatMap((windows) =>
    runSleeves(actor, windows, market),
  );
  return summarise(actor.name, sleeves);
}

/**
 * The same market for traders that only choose a side: discrete actions, masked. A target position asks for a rebalance
 * whenever price or equity has moved, so that a target cannot say "hold what there is".
 */
function marketOfSides(market: EvaluationMarket): EvaluationMarket {
  return { ...market, config: { ...market.config, actions: 'discrete', mask_actions: true } };
}

/** Buy-and-hold, the SMA cross, and flat. */
export function runBaselines(market: EvaluationMarket): ActorRun[] {
  const spec = specNamed(market.featureSet);
  const sides = marketOfSides(market);
  return [holdActor(spec), smaCrossActor(spec), flatActor(spec)].map((actor) => runActor(actor, sides));
}

/** More rows than this over all random paths together are not kept: a long window gets fewer paths. */
const RANDOM_ROWS = 5_000_000;
const MINIMUM_PATHS = 20;
/** Matched: the mean turnover of the paths lies this close to the agent's, and their mean time in position this close. */
const TURNOVER_TOLERANCE = 0.03;
const TIME_TOLERANCE = 0.01;
const MATCH_ROUNDS = 6;
/** Rows of a round of matching, and the fewest paths in it: a mean needs less than a distribution. */
const TRIAL_ROWS = 500_000;
const TRIAL_PATHS = 4;

/**
 * Traders by dice that trade as often and stay in the market as long as the agent did, symbol by symbol. Exits that
 * fire of their own (stops, rules) add to their turnover and take from their time in the market, so their
 * probabilities are corrected until both match. Null where the agent never traded.
 */
export function runRandom(agent: ActorRun, market: EvaluationMarket, seed: number, wanted: number): RandomRun | null {
  if (agent.trades.length === 0) return null;
  const spec = specNamed(market.featureSet);
  const paths = Math.max(MINIMUM_PATHS, Math.min(wanted, Math.floor(RANDOM_ROWS / agent.path.equity.length)));
  const bySymbol = agent.sleeves.map((sleeve) => matchedSleeves(sleeve, market, spec, seed, paths));
  const runs = Array.from({ length: paths }, (_, p) =>
    summarise(
      'random',
      bySymbol.map((sleeves) => sleeves[p]),
    ),
  );
  const turnover = runs.reduce((sum, run) => sum + run.performance.turnover, 0) / paths;
  return { paths: runs, turnoverRatio: turnover / agent.performance.turnover };
}

function matchedSleeves(
  sleeve: SleeveRun,
  market: EvaluationMarket,
  spec: ObservationSpec,
  seed: number,
  paths: number,
): SleeveRun[] {
  const windows = windowsBySymbol(market.windows).get(sleeve.symbol) ?? [];
  const record = turnoverRecord(sleeve, market.config);
  const target = turnoverOf(sleeve);
  const sides = marketOfSides(market);
  const draw = (probabilities: SwitchProbabilities, count: number): SleeveRun[] => {
    const stream = new RandomStream(seed, `evaluation/random/${sleeve.symbol}`);
    return runSleeves(randomActor(probabilities, stream, spec), windows, sides, count);
  };
  const trial = Math.min(paths, Math.max(TRIAL_PATHS, Math.floor(TRIAL_ROWS / record.decisions)));
  const wantedTime = record.longShare + record.shortShare;
  let probabilities = matchTurnover(record);
  let best = probabilities;
  let bestMiss = Infinity;
  for (let round = 0; round < MATCH_ROUNDS; round++) {
    const runs = draw(probabilities, trial);
    const ratio = target > 0 ? meanOf(runs, turnoverOf) / target : 0;
    const time = meanOf(runs, timeInPosition);
    const miss = Math.max(Math.abs(ratio - 1) / TURNOVER_TOLERANCE, Math.abs(time - wantedTime) / TIME_TOLERANCE);
    if (miss < bestMiss) [best, bestMiss] = [probabilities, miss];
    if (miss <= 1 && trial === paths) return runs;
    if (miss <= 1 || ratio === 0) break;
    probabilities = corrected(probabilities, record, ratio, time);
  }
  return draw(best, paths);
}

/**
 * Probabilities nearer to the record's, after a trial that had `ratio` of its turnover and was in position for `time`
 * of the decisions. Entries: those wanted over those seen, for each flat decision. Exits: what the wanted ones leave to
 * chance after those that fired of their own, for each decision in position.
 */
function corrected(
  { enterLong, enterShort, exit }: SwitchProbabilities,
  { decisions, turnover, longShare, shortShare }: TurnoverRecord,
  ratio: number,
  time: number,
): SwitchProbabilities {
  const wanted = turnover / 2 / decisions;
  const wantedTime = longShare + shortShare;
  const ofTheirOwn = Math.max(wanted * ratio - exit * time, 0);
  // never 0, from which no correction would come back
  const enter = enterLong + enterShort;
  const more = Math.min((1 - time) / Math.max(1 - wantedTime, 1e-9) / ratio, 1 / enter);
  return {
    enterLong: enterLong * more,
    enterShort: enterShort * more,
    exit: Math.min(Math.max(wanted - ofTheirOwn, 0) / wantedTime, 1),
  };
}

function meanOf(runs: readonly SleeveRun[], figure: (run: SleeveRun) => number): number {
  return runs.reduce((sum, run) => sum + figure(run), 0) / runs.length;
}

/** Traded value / mean equity of one sleeve. */
function turnoverOf({ fills, path }: SleeveRun): number {
  const mean = path.equity.reduce((sum, equity) => sum + equity, 0) / path.equity.length;
  return mean > 0 ? tradedValue(fills) / mean : 0;
}

/** Share of the bars that end with a position. */
function timeInPosition({ path }: SleeveRun): number {
  let held = 0;
  for (const exposure of path.exposure) if (exposure !== 0) held += 1;
  return held / path.exposure.length;
}

/**
 * Turnover in full positions and the shares of decisions spent long and short, of one sleeve; for target positions
 * the mean long and short position, since half a position is not a whole one held.
 */
function turnoverRecord(
  { path, position, fills }: SleeveRun,
  { actions, position_fraction: positionFraction }: MarketConfig,
): TurnoverRecord {
  const decisions = position.length;
  let turnover = 0;
  let row = 0;
  for (const fill of fills) {
    while (path.timeMs[row] < fill.timeMs) row += 1;
    const equity = row > 0 ? path.equity[row - 1] : path.initialEquity;
    if (equity > 0) turnover += Math.abs(fill.quantity * fill.price) / (equity * positionFraction);
  }
  let long = 0;
  let short = 0;
  for (const exposure of path.exposure) {
    const size = actions === 'discrete' ? Math.sign(exposure) : clip(exposure / positionFraction);
    if (size > 0) long += size;
    else short -= size;
  }
  // in and out within one bar leaves no close in position, though the position was there
  if (turnover > 0 && long + short === 0) long = 1;
  return { decisions, turnover, longShare: long / decisions, shortShare: short / decisions };
}

const clip = (share: number): number => Math.min(Math.max(share, -1), 1);

/** Each symbol of a run for itself, named by its symbol. */
export function sleeveRuns({ sleeves }: ActorRun): ActorRun[] {
  return sleeves.map((sleeve) => summarise(sleeve.symbol, [sleeve]));
}

function summarise(name: string, sleeves: readonly SleeveRun[]): ActorRun {
  const path = sumSleeves(sleeves.map((sleeve) => sleeve.path));
  const trades = sleeves.flatMap((sleeve) => sleeve.trades).sort((a, b) => a.exitTimeMs - b.exitTimeMs);
  const [{ calendar, interval }, ...others] = sleeves.map(({ bars }) => bars);
  // on the union of different clocks' stamps no calendar's count of bars holds: it is measured
  const alike = others.every((bars) => bars.calendar === calendar && bars.interval.ms === interval.ms);
  const performance = computePerformance({
    path,
    trades,
    tradedValue: sleeves.reduce((sum, sleeve) => sum + tradedValue(sleeve.fills), 0),
    barsPerYear: barsPerYear(alike ? calendar : 'mixed', alike ? interval.ms : 0, path.timeMs),
  });
  return { name, sleeves, path, trades, performance };
}
