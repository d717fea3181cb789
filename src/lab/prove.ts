/** Trains the learner on markets whose best policy is known, and says what share of the optimum it reaches. */
import { createHash } from 'node:crypto';
import type { Actor } from '#agents/actor.js';
import { ActingPolicy } from '#agents/policy/acting-policy.js';
import { Normalizer } from '#agents/policy/normalizer.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { policySpec } from '#agents/ppo/policy-spec.js';
import { Ppo } from '#agents/ppo/ppo.js';
import { gainOf, OptimalPolicy, type Solution, solve, tabulate } from '#env/known/dynamic-programming.js';
import { KnownMarketEnv } from '#env/known/known-market-env.js';
import { exp } from '#env/math/index.js';
import { RandomStream } from '#env/seeding.js';
import { fail } from '#src/errors.js';
import type { Interval } from '#src/stats/bootstrap.js';
import { decideVerdict, rankAmong, type Verdict } from '#src/stats/verdict.js';
import { estimateState } from './prove-information.js';
import { CommonPaths, DICE_TURNOVER, diceActor, FLAT_ACTOR, HOLD_ACTOR, type PathRun } from './prove-paths.js';
import {
  NUM_ENVS,
  type Proof,
  proofNamed,
  REWARD_SCALE,
  STABLE_BASELINES3_STEPS,
  type Target,
} from './prove-proofs.js';
import type { ProofName } from './proof-names.js';
import { meanInterval, shareInterval } from './prove-statistics.js';

export interface ProveOptions {
  readonly market: ProofName;
  /** One training each. */
  readonly seeds: readonly number[];
  /** Environment steps of a training, all environments together. */
  readonly steps: number;
  /** Common paths; 1,024 of 1,000 steps unless given. */
  readonly paths?: number;
  readonly pathSteps?: number;
  readonly onProgress?: (message: string) => void;
}

/** An actor on the common paths: log-return a step, units of position changed a step. */
export interface Figures {
  readonly name: string;
  readonly perStep: number;
  readonly turnover: number;
}

export interface CurvePoint {
  readonly steps: number;
  readonly share: number;
}

export interface SeedResult extends Figures {
  readonly seed: number;
  /** Of the optimum on the same paths; null where the optimum is 0. */
  readonly share: Interval | null;
  /** Of the optimum in the long run, without chance, by the policy's table over the grid; null where it has none. */
  readonly shareOnGrid: number | null;
  /** `shareOnGrid` while training; empty where there is none. */
  readonly curve: readonly CurvePoint[];
  /** Of the turnover of positions drawn by dice at every step. */
  readonly turnoverOfRandom: number;
  /** Log-return a step over being flat, which earns 0. */
  readonly excessOverFlat: Interval;
  readonly verdict: Verdict;
  /** sha256 of the final parameters. */
  readonly weights: string;
  /** null where nothing is asked of each seed. */
  readonly passed: boolean | null;
}

export interface ProofResult {
  readonly market: ProofName;
  readonly title: string;
  readonly steps: number;
  readonly paths: number;
  readonly pathSteps: number;
  readonly target: Target;
  /** In the long run, by dynamic programming; 0 for the random walk. */
  readonly optimum: number;
  /** On the common paths: the optimum, flat, hold and dice; for the features also the best policy on an estimate. */
  readonly references: readonly Figures[];
  /** The features alone: what they tell of the state, and what share of the optimum that allows. */
  readonly information: { readonly rSquared: number; readonly share: Interval } | null;
  readonly runs: readonly SeedResult[];
  /** Mean of the seeds' shares on the common paths; null where the optimum is 0. */
  readonly meanShare: number | null;
  /** stable-baselines3's at the same settings; null where it was not run, or not for as many steps. */
  readonly peerShare: number | null;
  /** Mean over the seeds on each path. */
  readonly excessOverFlat: Interval;
  readonly passed: boolean | null;
}

const PATHS = 1024;
const PATH_STEPS = 1000;
/** Seed of the common paths, of the dice and of the resampling: never a training's. */
const EVALUATION_SEED = 20_000;
/** Random traders at matched turnover: a rank first among them is one in forty by chance. */
const TWINS = 39;
/** Times that the policy is measured while it trains. */
const CURVE_POINTS = 20;

/** Throws USAGE on options that cannot be meant, TRAIN_NON_FINITE where a training breaks down. */
export function prove(options: ProveOptions): ProofResult {
  const { market, seeds, steps, paths = PATHS, pathSteps = PATH_STEPS, onProgress = () => {} } = options;
  if (seeds.length === 0) fail('USAGE', { where: 'prove seeds', value: seeds, message: 'give at least one seed' });
  if (!Number.isSafeInteger(steps) || steps < 1) {
    fail('USAGE', { where: 'prove steps', value: steps, message: 'give a positive number of environment steps' });
  }
  const proof = proofNamed(market);
  const common = new CommonPaths(proof.market, { paths, steps: pathSteps, seed: EVALUATION_SEED });
  const solution = proof.problem === null ? null : solve(proof.problem);
  const best = runOptimum(proof, solution, common);
  const dice = common.run(diceActor(proof.market, 1, new RandomStream(EVALUATION_SEED, 'prove/dice')));
  const hold = common.run(HOLD_ACTOR);
  const references = [best, common.run(FLAT_ACTOR), hold, dice];

  let information: ProofResult['information'] = null;
  if (market === 'ou-features') {
    const { rSquared, actor } = estimateState(EVALUATION_SEED);
    const run = common.run(actor);
    references.push(run);
    information = { rSquared, share: shareInterval(run.perStep, best.perStep, EVALUATION_SEED) };
  }

  const runs: SeedResult[] = [];
  const pooled = new Float64Array(paths);
  for (const seed of seeds) {
    onProgress(`${market}: seed ${seed}, ${steps} steps`);
    const onGrid = (actor: Actor): number | null => {
      const { problem } = proof;
      if (problem === null || solution === null || !proof.observesState) return null;
      return gainOf(problem, tabulate(problem, actor)) / solution.gain;
    };
    const trained = train(proof, seed, steps, onGrid);
    const run = common.run(trained.actor);
    for (let i = 0; i < paths; i++) pooled[i] += run.perStep[i] / seeds.length;
    const share = proof.problem === null ? null : shareInterval(run.perStep, best.perStep, EVALUATION_SEED);
    const result = {
      ...figuresOf(run),
      name: 'policy',
      seed,
      share,
      shareOnGrid: onGrid(trained.actor),
      curve: trained.curve,
      turnoverOfRandom: run.turnover / dice.turnover,
      excessOverFlat: meanInterval(run.perStep, EVALUATION_SEED),
      verdict: verdictOf(run, hold, common),
      weights: trained.weights,
    };
    runs.push({ ...result, passed: passes(proof.target, result) });
  }
  const excessOverFlat = meanInterval(pooled, EVALUATION_SEED);
  return {
    market,
    title: proof.title,
    steps,
    paths,
    pathSteps,
    target: proof.target,
    optimum: solution?.gain ?? 0,
    references: references.map(figuresOf),
    information,
    runs,
    meanShare: meanShareOf(runs),
    peerShare: steps === STABLE_BASELINES3_STEPS ? proof.peerShare : null,
    excessOverFlat,
    passed: passesAll(proof.target, runs, excessOverFlat),
  };
}

/** Of one seed; null where nothing is asked of each. */
function passes(target: Target, run: Omit<SeedResult, 'passed'>): boolean | null {
  if (target.kind === 'report' || target.kind === 'mean-share') return null;
  if (target.kind === 'share') return run.share !== null && run.share.estimate >= target.least;
  return run.turnoverOfRandom < target.turnoverBelow && run.verdict.edge !== 'evidence';
}

function passesAll(target: Target, runs: readonly SeedResult[], excessOverFlat: Interval): boolean | null {
  if (target.kind === 'report') return null;
  if (target.kind === 'mean-share') return (meanShareOf(runs) ?? -Infinity) >= target.least;
  const containsZero = excessOverFlat.low <= 0 && excessOverFlat.high >= 0;
  return runs.every(({ passed }) => passed === true) && (target.kind !== 'no-edge' || containsZero);
}

function meanShareOf(runs: readonly SeedResult[]): number | null {
  let sum = 0;
  for (const { share } of runs) {
    if (share === null) return null;
    sum += share.estimate;
  }
  return sum / runs.length;
}

interface Trained {
  readonly actor: Actor;
  readonly weights: string;
  readonly curve: readonly CurvePoint[];
}

/** One training by the settings of the proof, and its policy acting by the mode, without noise. */
function train(proof: Proof, seed: number, steps: number, measure: (actor: Actor) => number | null): Trained {
  const env = new KnownMarketEnv(proof.market, NUM_ENVS, { rewardScale: REWARD_SCALE });
  const spec = policySpec(proof.config, env.singleObservationSpace, env.singleActionSpace);
  const engine = createSimdEngine(spec, { init: new RandomStream(seed, 'policy/init') });
  const ppo = new Ppo({ env, engine, config: proof.config, seed, totalTimesteps: steps });
  const curve: CurvePoint[] = [];
  while (!ppo.done) {
    ppo.update();
    if (ppo.timesteps < ((curve.length + 1) * steps) / CURVE_POINTS) continue;
    const share = measure(actorOf(ppo));
    if (share !== null) curve.push({ steps: ppo.timesteps, share });
  }
  const parameters = engine.getParameters();
  const bytes = new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength);
  const weights = createHash('sha256').update(bytes).digest('hex');
  return { actor: actorOf(ppo), weights, curve };
}

function actorOf({ engine, normalizer }: Ppo): Actor {
  return new ActingPolicy({
    engine,
    normalizer: normalizer === null ? null : Normalizer.frozen(normalizer.getState()),
  });
}

function runOptimum(proof: Proof, solution: Solution | null, common: CommonPaths): PathRun {
  if (proof.problem === null || solution === null) return { ...common.run(FLAT_ACTOR), name: 'optimum' };
  return common.runOptimum(new OptimalPolicy(proof.problem, solution));
}

function verdictOf(run: PathRun, hold: PathRun, common: CommonPaths): Verdict {
  const { market } = common;
  const wealth = ({ estimate, low, high, confidence }: Interval): Interval => {
    const ratio = (perStep: number): number => exp(perStep * common.options.steps) - 1;
    return { estimate: ratio(estimate), low: ratio(low), high: ratio(high), confidence };
  };
  const excess = (over: Float64Array): Interval =>
    wealth(
      meanInterval(
        run.perStep.map((value, i) => value - over[i]),
        EVALUATION_SEED,
      ),
    );
  const twins = Float64Array.from({ length: run.trades === 0 ? 0 : TWINS }, (_, twin) => {
    const stream = new RandomStream(EVALUATION_SEED + twin, 'prove/twin');
    return common.run(diceActor(market, Math.min(1, run.turnover / DICE_TURNOVER), stream)).mean;
  });
  return decideVerdict({
    trades: run.trades,
    totalReturn: exp(run.mean * common.options.steps) - 1,
    excessOverFlat: excess(new Float64Array(run.perStep.length)),
    excessOverHold: excess(hold.perStep),
    randomRank: twins.length === 0 ? null : rankAmong(run.mean, twins),
    seen: false,
  });
}

function figuresOf({ name, mean, turnover }: PathRun): Figures {
  return { name, perStep: mean, turnover };
}
