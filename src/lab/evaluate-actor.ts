/** The honest evaluation of one actor: its own figures, the baselines', intervals, a rank, alarms, and the verdict. */
import type { Actor } from '#agents/actor.js';
import {
  actionAlarms,
  summariseDiscrete,
  summariseTargets,
  type ActionSummary,
  type Alarm,
} from '#src/stats/actions.js';
import { decideVerdict, type Verdict } from '#src/stats/verdict.js';
import { runActor, runBaselines, runRandom, type ActorRun, type RandomRun } from './evaluate-baselines.js';
import type { EvaluationMarket, WindowedActor } from './evaluate-paths.js';
import { computeStatistics, type Statistics } from './evaluate-statistics.js';
import type { Trials } from './trials.js';

export interface EvaluateOptions {
  /** Seeds the bootstrap and the random traders. */
  readonly seed: number;
  /** Random traders; fewer on very long windows. Default 100. */
  readonly randomPaths?: number;
  /** Bootstrap resamples. Default 2000. */
  readonly resamples?: number;
  /** True where training, or the choice of the checkpoint, saw bars of these windows. */
  readonly seen?: boolean;
  /** What else was tried before this actor was chosen; null: nothing. */
  readonly trials?: Trials | null;
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
export function evaluateActor(
  actor: Actor | WindowedActor,
  market: EvaluationMarket,
  options: EvaluateOptions,
): EvaluationResult {
  const { seed, randomPaths = 100, resamples, seen = false, trials } = options;
  const agent = runActor(actor, market);
  const baselines = runBaselines(market);
  const random = runRandom(agent, market, seed, randomPaths);
  const statistics = computeStatistics(agent, baselines, random, market, { seed, resamples, trials });
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
