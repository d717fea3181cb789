/** The common paths on which learner, optimum and baselines are all tried: drawn once, the same for each of them. */
import type { Actor } from '#agents/actor.js';
import type { OptimalPolicy } from '#env/known/dynamic-programming.js';
import { FLAT, type KnownMarket, LONG, observationSize, POSITIONS } from '#env/known/known-market.js';
import { KnownMarketEnv } from '#env/known/known-market-env.js';
import type { RandomStream } from '#env/seeding.js';
import type { StateDict } from '#env/state.js';

export interface PathsOptions {
  /** P */
  readonly paths: number;
  /** Decisions on each path. */
  readonly steps: number;
  readonly seed: number;
}

export interface PathRun {
  readonly name: string;
  /** (P) log-return a step on each path, costs paid. */
  readonly perStep: Float64Array;
  /** Mean over the paths. */
  readonly mean: number;
  /** Units of position changed a step, mean over the paths. */
  readonly turnover: number;
  /** Decisions that changed the position. */
  readonly trades: number;
}

export class CommonPaths {
  readonly market: KnownMarket;
  readonly options: PathsOptions;
  readonly #env: KnownMarketEnv;
  readonly #start: StateDict;

  constructor(market: KnownMarket, options: PathsOptions) {
    this.market = market;
    this.options = options;
    // a step longer than it is run, so that no episode ends and draws a path that nobody walks
    this.#env = new KnownMarketEnv(market, options.paths, { steps: options.steps + 1, purpose: 'evaluation' });
    this.#env.reset({ seed: options.seed });
    this.#start = this.#env.getState();
  }

  /** Runs an actor over all paths, each from its start and flat. */
  run(actor: Actor): PathRun {
    return this.#run(actor.name, (actions) => actor.act(actions, this.#env.observations, null, this.options.paths));
  }

  /** Runs the best policy, which is told the market's state even where the observation hides it. */
  runOptimum(optimum: OptimalPolicy): PathRun {
    const env = this.#env;
    return this.#run(optimum.name, (actions) => {
      for (let i = 0; i < actions.length; i++) actions[i] = optimum.choose(env.stateOf(i), env.positionOf(i));
    });
  }

  #run(name: string, act: (actions: Int32Array) => void): PathRun {
    const env = this.#env;
    const { paths, steps } = this.options;
    env.setState(this.#start);
    const perStep = new Float64Array(paths);
    const actions = new Int32Array(paths);
    let units = 0;
    let trades = 0;
    for (let t = 0; t < steps; t++) {
      act(actions);
      env.step(actions);
      for (let i = 0; i < paths; i++) {
        perStep[i] += env.rewards[i] / steps;
        units += env.unitsTraded[i];
        if (env.unitsTraded[i] !== 0) trades += 1;
      }
    }
    const mean = perStep.reduce((sum, value) => sum + value, 0) / paths;
    return { name, perStep, mean, turnover: units / (paths * steps), trades };
  }
}

/** Units of position that `diceActor` changes a step, with probability 1 of a throw: E|a - b| of two throws. */
export const DICE_TURNOVER = 8 / 9;

/** Throws a die for the position with the given probability, and keeps what it has otherwise. */
export function diceActor(market: KnownMarket, probability: number, stream: RandomStream): Actor {
  const width = observationSize(market);
  return {
    name: 'random',
    act(actions, observations, _masks, batch) {
      for (let b = 0; b < batch; b++) {
        const held = observations[b * width + market.signalSize] + FLAT;
        actions[b] = stream.uniform() < probability ? stream.integer(POSITIONS.length) : held;
      }
    },
  };
}

export const FLAT_ACTOR: Actor = constantActor('flat', FLAT);
export const HOLD_ACTOR: Actor = constantActor('hold', LONG);

function constantActor(name: string, action: number): Actor {
  return {
    name,
    act(actions, _observations, _masks, batch) {
      for (let b = 0; b < batch; b++) actions[b] = action;
    },
  };
}
