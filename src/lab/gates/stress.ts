/** What is left where the market is worse than the model says: dearer, noisier, later. Never on bars that were seen. */
import type { Actor } from '#agents/actor.js';
import type { MarketConfig, NoiseConfig } from '#env/market/config.js';
import { quantile } from '#src/stats/bootstrap.js';
import { percent, range, whole } from '#src/report/format.js';
import { runActor } from '../evaluate-baselines.js';
import { runSleeves, windowsBySymbol, type EvaluationMarket, type WindowedActor } from '../evaluate-paths.js';
import type { GateSection } from './definition.js';
import type { HeldOut } from './held-out.js';
import type { Found } from './outcome.js';

type Settings<K extends keyof GateSection> = NonNullable<GateSection[K]>;

export function costsFound(held: HeldOut, { factor, return_at_least: least }: Settings<'stress_costs'>): Found {
  const { market, policy } = held;
  const { config } = market;
  const borrow = { ...config.costs, borrow_rate: factor * config.costs.borrow_rate };
  const dearer = stressed(held, { ...config, costs: borrow, noise: silent(config.noise) }, factor);
  const { totalReturn, costsShare } = runActor(policy, dearer).performance;
  return found(held, totalReturn, least, `at ${factor} times the costs, ${percent(costsShare, 2)} of the equity`, {
    factor,
    totalReturn,
    costsShare,
  });
}

/**
 * Every decision is carried out one bar after it was made. (`noise.delay` says how often an order is late, and a new order
 * replaces a late one: at 1, a policy that asks again every bar would never trade at all.)
 */
export function delayFound(held: HeldOut, { return_at_least: least }: Settings<'stress_delay'>): Found {
  const { market, policy } = held;
  const late: WindowedActor = { name: policy.name, actorFor: () => new LateActor(policy) };
  const { totalReturn, trades } = runActor(late, market).performance;
  return found(held, totalReturn, least, 'with every decision one bar late', { totalReturn, trades });
}

/** Holds, then does what the policy would have done a bar ago. */
class LateActor implements Actor {
  readonly name: string;
  readonly #policy: Actor;
  #decided: Int32Array | Float32Array | null = null;

  constructor(policy: Actor) {
    this.name = policy.name;
    this.#policy = policy;
  }

  act(actions: Int32Array | Float32Array, observations: Float32Array, masks: Uint8Array | null, batch: number): void {
    this.#policy.act(actions, observations, masks, batch);
    const decided = this.#decided ?? (actions instanceof Int32Array ? new Int32Array(batch) : new Float32Array(batch));
    for (let i = 0; i < batch; i++) [actions[i], decided[i]] = [decided[i], actions[i]];
    this.#decided = decided;
  }
}

/** The noise that the policy was trained with, and the gate's own, whichever is the larger. */
export function noiseFound(held: HeldOut, settings: Settings<'stress_noise'>): Found {
  const { market, policy } = held;
  const { draws, return_at_least: least } = settings;
  const own = market.config.noise;
  const noise: NoiseConfig = {
    fill_price_bps: Math.max(own.fill_price_bps, settings.fill_price_bps),
    observation: Math.max(own.observation, settings.observation),
    cost: Math.max(own.cost, settings.cost),
    price_bps: Math.max(own.price_bps, settings.price_bps),
    delay: own.delay,
    // a copy of the bars for every draw, as far as memory is no matter
    price_replicas: Math.min(draws, 32),
  };
  const returns = drawnReturns(policy, stressed(held, { ...market.config, noise }), draws);
  const sorted = returns.slice().sort();
  const median = quantile(sorted, 0.5);
  const interval = { estimate: median, low: quantile(sorted, 0.05), high: quantile(sorted, 0.95), confidence: 0.9 };
  const spread = range(interval, (value) => percent(value, 1, true));
  return found(held, median, least, `in the median of ${whole(draws)} draws of noise, nine in ten of them ${spread}`, {
    noise,
    draws,
    ...interval,
  });
}

/** (draws) total return of the portfolio under each draw. */
function drawnReturns(policy: HeldOut['policy'], market: EvaluationMarket, draws: number): Float64Array {
  const bySymbol = [...windowsBySymbol(market.windows).values()].map((windows) =>
    runSleeves(policy, windows, market, draws),
  );
  return Float64Array.from({ length: draws }, (_, draw) => {
    let before = 0;
    let after = 0;
    for (const sleeves of bySymbol) {
      const { initialEquity, equity } = sleeves[draw].path;
      before += initialEquity;
      after += equity[equity.length - 1];
    }
    return after / before - 1;
  });
}

function found(held: HeldOut, totalReturn: number, least: number, how: string, evidence: object): Found {
  const plain = held.result.agent.performance.totalReturn;
  const passes = totalReturn >= least;
  const facts = `${percent(totalReturn, 1, true)} ${how}; ${percent(plain, 1, true)} without`;
  return {
    measured: percent(totalReturn, 1, true),
    passes,
    why: passes
      ? facts
      : `${facts}: an edge that thin is gone at the first surprise; train with noise (env.noise) and true costs`,
    evidence: { ...evidence, plain },
  };
}

function stressed({ market, seed }: HeldOut, config: MarketConfig, costFactor = 1): EvaluationMarket {
  return { ...market, config, stress: { seed, costFactor } };
}

const silent = (noise: NoiseConfig): NoiseConfig => ({
  ...noise,
  fill_price_bps: 0,
  observation: 0,
  cost: 0,
  delay: 0,
  price_bps: 0,
});
