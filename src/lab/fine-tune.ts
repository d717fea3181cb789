/**
 * Training a bundle's policy further without letting it get far from what it was: `training.fine_tune`.
 *
 * Parameters, Adam's moments and the normaliser begin as the bundle has them. The normaliser stays as it is: its
 * statistics are part of the policy as it acts, and one that went on learning would move the policy by itself, with every
 * rollout and past every limit; an update that is undone would not be undone there. The value network was learned in
 * units of the same statistics. Where the market has left their scale behind, training anew is the remedy.
 */
import { readFileSync } from 'node:fs';
import { RandomStream } from '#env/seeding.js';
import type { StateDict } from '#env/state.js';
import type { ActionSpace } from '#env/spaces.js';
import type { Actor } from '#agents/actor.js';
import { ActingPolicy } from '#agents/policy/acting-policy.js';
import type { PolicyEngine, PolicySpec } from '#agents/policy/contract.js';
import { categoricalKl, gaussianKl } from '#agents/policy/divergence.js';
import { Normalizer } from '#agents/policy/normalizer.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import type { Ppo } from '#agents/ppo/ppo.js';
import type { ExperimentConfig, FineTuneConfig } from '#src/config/schema.js';
import { shownPath } from '#src/config/yaml-source.js';
import { fail } from '#src/errors.js';
import { decodeBundle, loadBundlePolicy, type Bundle, type BundleContents } from '#src/registry/bundle.js';
import { runActor } from './evaluate-baselines.js';
import type { EvaluationMarket } from './evaluate-paths.js';
import { lastDecisions } from './recent-windows.js';
import { makeWorld } from './world.js';

/** What a fine-tuning begins from. */
export interface Incumbent {
  readonly bundle: Bundle;
  /** The file as it is: a run keeps its own copy. */
  readonly bytes: Uint8Array;
  readonly settings: FineTuneConfig;
}

/** The bundle that a configuration begins from; null: it begins from nothing. Throws BUNDLE_CORRUPT, BUNDLE_MISMATCH. */
export function loadIncumbent({ training, observation }: ExperimentConfig): Incumbent | null {
  const settings = training.fine_tune;
  if (settings === null) return null;
  const where = shownPath(settings.bundle);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(settings.bundle);
  } catch (cause) {
    fail('BUNDLE_CORRUPT', {
      where,
      message: 'cannot be read: training.fine_tune.bundle is relative to the file that names it',
      cause,
    });
  }
  const bundle = decodeBundle(bytes, where, settings.sha256);
  const { feature_set: featureSet } = bundle.manifest.observation;
  if (observation !== null && featureSet !== observation.feature_set)
    fail('BUNDLE_MISMATCH', {
      where,
      value: featureSet,
      message: `the configuration's policy sees the features ${observation.feature_set}: name the same under observation.feature_set`,
    });
  return { bundle, bytes, settings };
}

/** The bundle's normaliser for `numEnvs` environments, frozen. Throws BUNDLE_MISMATCH where the configuration has none. */
export function frozenNormalizer({ bundle }: Incumbent, config: ExperimentConfig): Normalizer | undefined {
  const { normalize, gamma } = config.agent;
  if ((normalize === null) !== (bundle.normalizer === null))
    fail('BUNDLE_MISMATCH', {
      where: 'agent.normalize',
      value: normalize,
      message: `the bundle's policy ${bundle.normalizer === null ? 'takes observations as they are' : 'normalises what it sees'}: configure it as it was trained`,
    });
  if (normalize === null || bundle.normalizer === null) return undefined;
  const { n_envs: numEnvs } = config.training;
  const normalizer = new Normalizer(normalize, bundle.manifest.policy.observationSize, numEnvs, gamma);
  normalizer.setState({ ...bundle.normalizer, discountedReturns: new Float64Array(numEnvs) });
  normalizer.frozen = true;
  return normalizer;
}

/** Throws BUNDLE_MISMATCH where the bundle's networks are not those of the engine. */
export function requireSameNetwork({ bundle }: Incumbent, { spec }: Pick<PolicyEngine, 'spec'>): void {
  // how the parameters were drawn once decides nothing any more
  const shapeOf = ({ observationSize, action, netArch, activation }: PolicySpec): string =>
    JSON.stringify({ observationSize, action, netArch, activation });
  if (shapeOf(bundle.manifest.policy) !== shapeOf(spec))
    fail('BUNDLE_MISMATCH', {
      where: 'training.fine_tune.bundle',
      value: shapeOf(bundle.manifest.policy),
      message: `the configuration's networks are ${shapeOf(spec)}: agent.net_arch, agent.activation_fn and env.actions must be the bundle's`,
    });
}

/** What a policy does: probabilities, or a Gaussian for each row. */
interface Behaviour {
  /** (B,A) probabilities under the masks, or (B,K) means. */
  readonly out: Float32Array;
  /** (K); null: discrete. */
  readonly logStd: Float32Array | null;
}

/** Situations in which two policies are compared. */
export interface Situations {
  readonly rows: number;
  /** (B,O) raw */
  readonly observations: Float32Array;
  /** (B,A) */
  readonly masks: Uint8Array | null;
}

/**
 * The last decisions of the training window as the bundle's policy comes upon them, drawing its actions: with the mode
 * alone, a policy that hardly trades would never see what it does in a position.
 */
export function recentSituations(
  contents: BundleContents,
  market: EvaluationMarket,
  { count, seed, actionSpace }: { readonly count: number; readonly seed: number; readonly actionSpace: ActionSpace },
): Situations {
  const { engine, normalizer } = loadBundlePolicy(contents);
  const bounds = actionSpace.kind === 'box' ? { low: actionSpace.low, high: actionSpace.high } : null;
  const random = new RandomStream(seed, 'fine-tune/situations');
  const policy = new ActingPolicy({ engine, normalizer, bounds, random });
  const observations: number[] = [];
  const masks: number[] = [];
  const recorder: Actor = {
    name: policy.name,
    act(actions, seen, allowed, batch) {
      observations.push(...seen);
      if (allowed !== null) masks.push(...allowed);
      policy.act(actions, seen, allowed, batch);
    },
  };
  try {
    runActor(recorder, { ...market, windows: lastDecisions(market.windows, count) });
  } finally {
    engine.dispose();
  }
  return {
    rows: observations.length / contents.manifest.policy.observationSize,
    observations: Float32Array.from(observations),
    masks: masks.length > 0 ? Uint8Array.from(masks) : null,
  };
}

function behaviourOf(engine: PolicyEngine, normalizer: Normalizer | null, situations: Situations): Behaviour {
  const { rows, observations, masks } = situations;
  const { action } = engine.spec;
  const seen = new Float32Array(observations.length);
  if (normalizer === null) seen.set(observations);
  else normalizer.normalizeObservations(seen, observations, rows);
  const out = new Float32Array(rows * (action.kind === 'discrete' ? action.n : action.size));
  engine.distribution(out, seen, masks, rows);
  const slot = engine.layout.find(({ name }) => name === 'log_std');
  const logStd = slot === undefined ? null : engine.getParameters().slice(slot.offset, slot.offset + slot.size);
  return { out, logStd };
}

/** KL(bundle || policy) in nats, both as they act, each with its own normaliser: agents/policy/divergence.ts. */
export class KlFromIncumbent {
  readonly situations: Situations;
  readonly #incumbent: Behaviour;

  constructor(contents: BundleContents, situations: Situations) {
    this.situations = situations;
    const { engine, normalizer } = loadBundlePolicy(contents);
    this.#incumbent = behaviourOf(engine, normalizer, situations);
    engine.dispose();
  }

  of(engine: PolicyEngine, normalizer: Normalizer | null): number {
    const { rows } = this.situations;
    const own = behaviourOf(engine, normalizer, this.situations);
    const { out, logStd } = this.#incumbent;
    if (logStd === null || own.logStd === null) return categoricalKl(out, own.out, rows);
    return gaussianKl({ means: out, logStd }, { means: own.out, logStd: own.logStd }, rows);
  }
}

/** What became of an update: part of its line in metrics.jsonl. */
export interface HeldUpdate {
  /** Of the policy that stands after the update. */
  readonly klToIncumbent: number;
  /** Of the policy that the update made: beyond the limit, it was undone. */
  readonly klProposed: number;
  readonly undone: boolean;
}

/**
 * Keeps a training within its limit: an update that goes beyond it is undone, parameters and Adam's moments, and the
 * learning rate is halved; after `halvings` of them the next one ends the training.
 */
export class KlGuard {
  readonly #kl: KlFromIncumbent;
  readonly #ppo: Ppo;
  readonly #settings: FineTuneConfig;
  #standing: number;
  #undone = 0;

  /** @param undone updates that were undone before, in a training that is taken up */
  constructor(kl: KlFromIncumbent, ppo: Ppo, settings: FineTuneConfig, undone: number) {
    this.#kl = kl;
    this.#ppo = ppo;
    this.#settings = settings;
    this.#undone = undone;
    this.#standing = this.#measure();
    this.#shorten();
  }

  /** No step is short enough any more. */
  get ended(): boolean {
    return this.#undone > this.#settings.halvings;
  }

  /** Of the policy as it stands. Throws where it is beyond the limit, which is a defect. */
  get standing(): number {
    const measured = this.#measure();
    const { kl_limit: limit } = this.#settings;
    if (!(measured <= limit)) throw new Error(`the policy is at KL ${measured}, beyond the limit ${limit}`);
    return measured;
  }

  /** Makes an update, and undoes it where it goes beyond the limit. */
  update(): ReturnType<Ppo['update']> & HeldUpdate {
    const { engine } = this.#ppo;
    const before = engine.getState();
    const report = this.#ppo.update();
    const klProposed = this.#measure();
    const undone = !(klProposed <= this.#settings.kl_limit);
    if (undone) {
      engine.setState(before);
      this.#undone += 1;
      this.#shorten();
    } else {
      this.#standing = klProposed;
    }
    return { ...report, klToIncumbent: this.#standing, klProposed, undone };
  }

  #measure(): number {
    return this.#kl.of(this.#ppo.engine, this.#ppo.normalizer);
  }

  #shorten(): void {
    this.#ppo.learningRateScale = 2 ** -this.#undone;
  }
}

/**
 * KL(bundle || policy) of a fine-tuning's checkpoint, measured anew as its training did. Throws DATA_ errors and
 * BUNDLE_MISMATCH.
 */
export async function klToIncumbent(
  incumbent: BundleContents,
  state: { readonly engine: StateDict; readonly normalizer: StateDict | null },
  config: ExperimentConfig,
): Promise<number> {
  const { trainingMarket, actionSpace, env } = await makeWorld(config);
  env.close();
  const settings = config.training.fine_tune;
  if (trainingMarket === null || settings === null) throw new Error('this is no fine-tuning');
  const { kl_observations: count } = settings;
  const situations = recentSituations(incumbent, trainingMarket, { count, seed: config.seed, actionSpace });
  const engine = createSimdEngine(incumbent.manifest.policy, { init: new RandomStream(config.seed, 'policy/init') });
  try {
    engine.setState(state.engine);
    const normalizer = state.normalizer === null ? null : Normalizer.frozen(state.normalizer);
    return new KlFromIncumbent(incumbent, situations).of(engine, normalizer);
  } finally {
    engine.dispose();
  }
}
