/** What an agent must beat: other actors in the same windows, under the same costs, rules and exits. */
import type { Actor } from '#agents/actor.js';
import {
  flatActor,
  holdActor,
  matchTurnover,
  randomActor,
  smaCrossActor,
  type SwitchProbabilities,
} from '#agents/baselines/index.js';
import { FEATURE_SETS, type ObservationSpec } from '#env/market/observation/index.js';
import { RandomStream } from '#env/seeding.js';
import { fail } from '#src/errors.js';
import { barsPerYear } from '#src/stats/annualisation.js';
import { sumSleeves, type EquityPath } from '#src/stats/equity-path.js';
import { computePerformance, type Performance } from '#src/stats/performance.js';
import { tradedValue, type RoundTrip } from '#src/stats/round-trips.js';
import { runSleeves, windowsBySymbol, type EvaluationMarket, type SleeveRun } from './evaluate-paths.js';

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
export function runActor(actor: Actor, market: EvaluationMarket): ActorRun {
  const sleeves = [...windowsBySymbol(market.windows).values()].flatMap((windows) =>
    runSleeves(actor, windows, market),
  );
  return summarise(actor.name, sleeves);
}

/** Buy-and-hold, the SMA cross, and flat. */
export function runBaselines(market: EvaluationMarket): ActorRun[] {
  const spec = specNamed(market.featureSet);
  return [holdActor(spec), smaCrossActor(spec), flatActor(spec)].map((actor) => runActor(actor, market));
}

/** More rows than this over all random paths together are not kept: a long window gets fewer paths. */
const RANDOM_ROWS = 5_000_000;
const MINIMUM_PATHS = 20;
/** The turnover is matched when the mean of the paths lies this close to the agent's. */
const MATCH_TOLERANCE = 0.03;
const MATCH_ROUNDS = 4;
/** Rows of a round of matching, and the fewest paths in it: a mean needs less than a distribution. */
const TRIAL_ROWS = 500_000;
const TRIAL_PATHS = 4;

/**
 * Traders by dice that trade as often and stay in the market as long as the agent did, symbol by symbol. Exits that
 * fire of their own (stops, rules) add to their turnover, so their probabilities are corrected until it matches.
 * Null where the agent never traded.
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
  const record = turnoverRecord(sleeve, market.config.position_fraction);
  const target = turnoverOf(sleeve);
  const draw = (turnover: number, count: number): SleeveRun[] => {
    const probabilities: SwitchProbabilities = matchTurnover({ ...record, turnover });
    const stream = new RandomStream(seed, `evaluation/random/${sleeve.symbol}`);
    return runSleeves(randomActor(probabilities, stream, spec), windows, market, count);
  };
  const trial = Math.min(paths, Math.max(TRIAL_PATHS, Math.floor(TRIAL_ROWS / record.decisions)));
  let asked = record.turnover;
  for (let round = 0; round < MATCH_ROUNDS; round++) {
    const runs = draw(asked, trial);
    const realised = runs.reduce((sum, run) => sum + turnoverOf(run), 0) / trial;
    const matched = realised === 0 || Math.abs(realised / target - 1) <= MATCH_TOLERANCE;
    if (matched) return trial === paths ? runs : draw(asked, paths);
    asked *= target / realised;
  }
  return draw(asked, paths);
}

/** Traded value / mean equity of one sleeve. */
function turnoverOf({ fills, path }: SleeveRun): number {
  const mean = path.equity.reduce((sum, equity) => sum + equity, 0) / path.equity.length;
  return mean > 0 ? tradedValue(fills) / mean : 0;
}

/** Turnover in full positions and the shares of decisions spent long and short, of one sleeve. */
function turnoverRecord(
  sleeve: SleeveRun,
  positionFraction: number,
): { decisions: number; turnover: number; longShare: number; shortShare: number } {
  const { path, position, barIndex, fills } = sleeve;
  const decisions = position.length;
  let turnover = 0;
  let row = 0;
  for (const fill of fills) {
    while (barIndex[row] < fill.barIndex) row += 1;
    const equity = row > 0 ? path.equity[row - 1] : path.initialEquity;
    if (equity > 0) turnover += Math.abs(fill.quantity * fill.price) / (equity * positionFraction);
  }
  let long = 0;
  let short = 0;
  for (const shares of position) {
    if (shares > 0) long += 1;
    else if (shares < 0) short += 1;
  }
  // in and out within one bar leaves no close in position, though the position was there
  if (turnover > 0 && long + short === 0) long = 1;
  return { decisions, turnover, longShare: long / decisions, shortShare: short / decisions };
}

function summarise(name: string, sleeves: readonly SleeveRun[]): ActorRun {
  const path = sumSleeves(sleeves.map((sleeve) => sleeve.path));
  const trades = sleeves.flatMap((sleeve) => sleeve.trades).sort((a, b) => a.exitTimeMs - b.exitTimeMs);
  const { calendar, interval } = sleeves[0].bars;
  const performance = computePerformance({
    path,
    trades,
    tradedValue: sleeves.reduce((sum, sleeve) => sum + tradedValue(sleeve.fills), 0),
    barsPerYear: barsPerYear(calendar, interval.ms, path.timeMs),
  });
  return { name, sleeves, path, trades, performance };
}
