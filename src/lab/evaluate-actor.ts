/** The honest evaluation of one actor: its own figures, the baselines', intervals, a rank, alarms, and the verdict. */
import type { Actor } from '#agents/actor.js';
import {
  actionAlarms,
  summariseDiscrete,
  summariseTargets,
  type ActionSummary,
  type Alarm,
} from '#src/stats/actions.js';
import { excessInterval, logReturns, sharpeInterval, type Interval } from '#src/stats/bootstrap.js';
import { simpleReturns } from '#src/stats/equity-path.js';
import { decideVerdict, rankAmong, type RandomRank, type Verdict } from '#src/stats/verdict.js';
import { runActor, runBaselines, runRandom, type ActorRun, type RandomRun } from './evaluate-baselines.js';
import type { EvaluationMarket } from './evaluate-paths.js';

export interface EvaluateOptions {
  /** Seeds the bootstrap and the random traders. */
  readonly seed: number;
  /** Random traders; fewer on very long windows. Default 100. */
  readonly randomPaths?: number;
  /** Bootstrap resamples. Default 2000. */
  readonly resamples?: number;
  /** True where training, or the choice of the checkpoint, saw bars of these windows. */
  readonly seen?: boolean;
}

export interface Statistics {
  /** Annualised, by stationary bootstrap. */
  readonly sharpe: Interval | null;
  /** Wealth against cash and against buy-and-hold, less 1. */
  readonly excessOverFlat: Interval | null;
  readonly excessOverHold: Interval | null;
  /** Total return among random traders at matched turnover; null where the agent never traded. */
  readonly randomRank: RandomRank | null;
  readonly seed: number;
}

export interface EvaluationResult {
  readonly market: EvaluationMarket;
  readonly agent: ActorRun;
  /** hold, sma-cross, flat */
  readonly baselines: readonly ActorRun[];
  readonly random: RandomRun | null;
  readonly statistics: Statistics;
  readonly actions: ActionSummary;
  readonly alarms: readonly Alarm[];
  readonly verdict: Verdict;
  readonly seen: boolean;
}

/**
 * Evaluates an actor over windows, without noise, against flat, buy-and-hold, an SMA cross and random traders at
 * matched turnover, all under the same costs, rules and exits. Deterministic given the actor and the seed.
 */
export function evaluateActor(actor: Actor, market: EvaluationMarket, options: EvaluateOptions): EvaluationResult {
  const { seed, randomPaths = 100, resamples, seen = false } = options;
  const agent = runActor(actor, market);
  const baselines = runBaselines(market);
  const random = runRandom(agent, market, seed, randomPaths);
  const bootstrap = { seed, resamples };
  const returns = simpleReturns(agent.path);
  const logs = logReturns(returns);
  const against = (name: string): Interval | null => {
    const other = baselines.find((run) => run.name === name);
    if (other === undefined) return null;
    const otherLogs = logReturns(simpleReturns(other.path));
    return excessInterval(
      logs.map((value, t) => value - otherLogs[t]),
      bootstrap,
    );
  };
  const statistics: Statistics = {
    sharpe: sharpeInterval(returns, agent.performance.barsPerYear, bootstrap),
    excessOverFlat: against('flat'),
    excessOverHold: against('hold'),
    randomRank:
      random === null
        ? null
        : rankAmong(
            agent.performance.totalReturn,
            Float64Array.from(random.paths, (run) => run.performance.totalReturn),
          ),
    seed,
  };
  const decisions = Float64Array.from(agent.sleeves.flatMap((sleeve) => Array.from(sleeve.actions)));
  const discrete = market.config.actions === 'discrete';
  const actions = discrete ? summariseDiscrete(decisions) : summariseTargets(decisions);
  const { trades, exposure, totalReturn } = agent.performance;
  return {
    market,
    agent,
    baselines,
    random,
    statistics,
    actions,
    alarms: actionAlarms(actions, discrete ? 'discrete' : 'target', trades, exposure),
    verdict: decideVerdict({ ...statistics, trades, totalReturn, seen }),
    seen,
  };
}
