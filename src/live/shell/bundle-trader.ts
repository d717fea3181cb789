/** From a bundle to a trader: its configuration, and the policy as it decides. */
import { checkMarketConfig, sleeveEquities } from '#env/market/check-config.js';
import type { PolicyEngine } from '#agents/policy/contract.js';
import type { Normalizer } from '#agents/policy/normalizer.js';
import { loadBundlePolicy, shortId, type Bundle } from '#src/registry/bundle.js';
import { DEFAULT_CARE, DEFAULT_RISK, type CarePolicy, type RiskLimits, type TraderConfig } from '../core/config.js';
import type { Decider } from '../core/decider.js';

export interface DeploymentOptions {
  readonly account: string;
  readonly risk?: Partial<RiskLimits>;
  readonly care?: Partial<CarePolicy>;
  /** Instead of the bundle's initial equity, over all sleeves together, in the account's currency. */
  readonly equity?: number;
  /** Open of the bar that the observation begins at; null: a session early enough. */
  readonly anchorMs?: number | null;
}

/** Characters of the bundle's hash that mark its orders. */
const TAG_DIGITS = 6;

/** Throws ENV_CONFIG where the bundle's world makes no sense for its symbols. */
export function traderConfigOf(bundle: Bundle, options: DeploymentOptions): TraderConfig {
  const { manifest, sha256 } = bundle;
  const market = { ...manifest.market, initial_equity: options.equity ?? manifest.market.initial_equity };
  checkMarketConfig(market);
  const symbols = manifest.instruments.map(({ symbol }) => symbol);
  const equities = sleeveEquities(market, symbols);
  return {
    account: options.account,
    tag: `ob${shortId(sha256).slice(0, TAG_DIGITS)}`,
    symbols: manifest.instruments.map((instrument) => ({
      symbol: instrument.symbol,
      instrument,
      sleeveEquity: equities.get(instrument.symbol) ?? 0,
    })),
    interval: manifest.interval,
    calendar: manifest.calendar,
    featureSet: manifest.observation.feature_set,
    warmup: manifest.observation.warmup,
    anchorMs: options.anchorMs ?? null,
    market,
    risk: { ...DEFAULT_RISK, ...options.risk },
    care: { ...DEFAULT_CARE, ...options.care },
  };
}

/** The bundle's policy, one observation at a time. Dispose of it when trading ends. */
export class BundleDecider implements Decider {
  readonly #engine: PolicyEngine;
  readonly #normalizer: Normalizer | null;
  readonly #observation: Float32Array;
  readonly #output: { actions: Float32Array; logProbs: Float32Array; values: Float32Array };

  constructor(bundle: Bundle) {
    const { engine, normalizer } = loadBundlePolicy(bundle);
    this.#engine = engine;
    this.#normalizer = normalizer;
    this.#observation = new Float32Array(engine.spec.observationSize);
    this.#output = { actions: new Float32Array(1), logProbs: new Float32Array(1), values: new Float32Array(1) };
  }

  decide(observation: Float32Array, mask: Uint8Array | null, probabilities: Float32Array): number {
    this.#observation.set(observation);
    this.#normalizer?.normalizeObservations(this.#observation, this.#observation, 1);
    this.#engine.act(this.#output, this.#observation, mask, null, 1);
    this.#engine.distribution(probabilities, this.#observation, mask, 1);
    const action = this.#output.actions[0];
    // a target lies in [-1, 1], as the environment clips it
    return this.#engine.spec.action.kind === 'discrete' ? action : Math.min(Math.max(action, -1), 1);
  }

  dispose(): void {
    this.#engine.dispose();
  }
}
