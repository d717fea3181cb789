/**
 * Proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347), detail for detail as stable-baselines3
 * runs it. The algorithm reads from top to bottom: `update`, `#collectRollout`, `#learn`. The arithmetic of the
 * policy is the engine's, the world the environment's; every random number comes from a named stream.
 */
import { RandomStream } from '#env/seeding.js';
import { childState, restoreArray, type StateDict, type Stateful } from '#env/state.js';
import type { VectorEnv } from '#env/vector-env.js';
import { fail } from '#src/errors.js';
import type { PolicyEngine, UpdateHyperparameters } from '../policy/contract.js';
import { Normalizer } from '../policy/normalizer.js';
import type { PpoConfig } from './config.js';
import { EpisodeWindow } from './episode-window.js';
import { explainedVariance } from './gae.js';
import { emptyLosses, firstNonFinite, minibatchDump, NonFiniteError, nonFiniteLoss } from './non-finite.js';
import { requireFit } from './policy-spec.js';
import type { PhaseTimes, UpdateReport } from './report.js';
import { minibatchViews, RolloutBuffer } from './rollout-buffer.js';
import { progressRemaining, scheduleValue } from './schedules.js';
import { validatePpoConfig } from './validate.js';

export interface PpoOptions {
  /** Owned by Ppo from now on: it is reset with `seed`, and nobody else may step it. */
  readonly env: VectorEnv;
  /** Made for this environment's spaces (`policySpec`), its parameters drawn from the same seed. */
  readonly engine: PolicyEngine;
  readonly config: PpoConfig;
  /** A non-negative integer. */
  readonly seed: number;
  /** Where schedules reach their end. */
  readonly totalTimesteps: number;
  /** For `phaseTimes` alone; without it they are 0. */
  readonly clock?: { nowMs(): number };
  /** Instead of a fresh one, where the configuration normalises: a frozen one of a policy that is trained further. */
  readonly normalizer?: Normalizer;
}

/** stable-baselines3 stops before the step where KL exceeds this multiple of target_kl. */
const KL_MARGIN = 1.5;

const NO_CLOCK = { nowMs: (): number => 0 };

export class Ppo implements Stateful {
  readonly env: VectorEnv;
  readonly engine: PolicyEngine;
  readonly config: PpoConfig;
  readonly seed: number;
  readonly totalTimesteps: number;
  /** null where the configuration does not normalise. */
  readonly normalizer: Normalizer | null;
  readonly episodes = new EpisodeWindow();
  /** The last rollout, for reports: read it only. */
  readonly rollout: RolloutBuffer;
  /** Of the last update. */
  readonly phaseTimes: PhaseTimes = { actMs: 0, envMs: 0, collectMs: 0, updateMs: 0 };
  /** Environment steps so far, all environments together. */
  timesteps = 0;
  updates = 0;
  /** Multiplies the scheduled learning rate: whoever trains a policy further may shorten its steps. */
  learningRateScale = 1;

  readonly #clock: { nowMs(): number };
  readonly #actionNoise: RandomStream;
  readonly #minibatchOrder: RandomStream;
  readonly #discrete: boolean;
  /** The sampled actions as the environment takes them: integers, or clipped to the Box. */
  readonly #envActions: Int32Array | Float32Array; // (N) or (N,K)
  readonly #observations: Float32Array; // (N,O) current, normalised
  readonly #rewards: Float64Array; // (N) normalised
  readonly #noise: Float64Array; // (N,K)
  readonly #output: { actions: Float32Array; logProbs: Float32Array; values: Float32Array }; // (N,K), (N), (N)
  readonly #terminalObservations: Float32Array; // (N,O) of the truncated environments, packed
  readonly #terminalValues: Float32Array; // (N)
  readonly #permutation: Int32Array; // (T)
  /** Views of the permutation, one a minibatch; the last one may be short. */
  readonly #minibatches: readonly Int32Array[];
  readonly #losses = emptyLosses();
  /** State at the start of the update, from which a non-finite number can be reached again. */
  #before: StateDict | null = null;

  /** Throws CONFIG_VALUE where the hyper-parameters cannot train, POLICY_SPEC where the engine does not fit the environment. */
  constructor({ env, engine, config, seed, totalTimesteps, clock = NO_CLOCK, normalizer }: PpoOptions) {
    validatePpoConfig(config, env.numEnvs);
    const O = env.singleObservationSpace.shape[0];
    const space = env.singleActionSpace;
    const K = space.kind === 'discrete' ? 1 : space.shape[0];
    requireFit(engine.spec, env);
    const N = env.numEnvs;
    this.env = env;
    this.engine = engine;
    this.config = config;
    this.seed = seed;
    this.totalTimesteps = totalTimesteps;
    this.#clock = clock;
    this.#actionNoise = new RandomStream(seed, 'ppo/action');
    this.#minibatchOrder = new RandomStream(seed, 'ppo/minibatch');
    this.normalizer =
      config.normalize === null ? null : (normalizer ?? new Normalizer(config.normalize, O, N, config.gamma));
    const maskSize = space.kind === 'discrete' && env.actionMasks !== null ? space.n : 0;
    this.rollout = new RolloutBuffer({ steps: config.n_steps, envs: N, observationSize: O, actionSize: K, maskSize });
    this.#discrete = space.kind === 'discrete';
    this.#envActions = space.kind === 'discrete' ? new Int32Array(N) : new Float32Array(N * K);
    this.#observations = new Float32Array(N * O);
    this.#rewards = new Float64Array(N);
    this.#noise = new Float64Array(N * K);
    this.#output = { actions: new Float32Array(N * K), logProbs: new Float32Array(N), values: new Float32Array(N) };
    this.#terminalObservations = new Float32Array(N * O);
    this.#terminalValues = new Float32Array(N);
    this.#permutation = new Int32Array(this.rollout.size);
    this.#minibatches = minibatchViews(this.#permutation, config.batch_size);

    env.reset({ seed });
    this.normalizer?.updateObservations(env.observations, N);
    this.#takeObservations();
  }

  /** True once `totalTimesteps` are reached; `update` may still be called: schedules stay at their end. */
  get done(): boolean {
    return this.timesteps >= this.totalTimesteps;
  }

  /** One rollout and its epochs. Throws NonFiniteError (TRAIN_NON_FINITE) with a dump that replays. */
  update(): UpdateReport {
    const { config, phaseTimes } = this;
    const start = this.#clock.nowMs();
    phaseTimes.actMs = 0;
    phaseTimes.envMs = 0;
    this.#before = this.getState();
    const episodesBefore = this.episodes.finished;
    this.updates += 1;

    this.#collectRollout();

    const collected = this.#clock.nowMs();
    phaseTimes.collectMs = collected - start - phaseTimes.actMs - phaseTimes.envMs;

    // the progress is updated after the rollout: the first update already stands below 1
    const remaining = progressRemaining(this.timesteps, this.totalTimesteps);
    const learningRate = this.learningRateScale * scheduleValue(config.learning_rate, remaining);
    const clipRange = scheduleValue(config.clip_range, remaining);
    const stopsInside = config.target_kl !== null && config.target_kl_scope === 'minibatch';
    const learned = this.#learn({
      learningRate,
      clipRange,
      clipRangeVf: config.clip_range_vf === null ? null : scheduleValue(config.clip_range_vf, remaining),
      valueClipping: config.value_clipping,
      normalizeAdvantage: config.normalize_advantage,
      entCoef: config.ent_coef,
      vfCoef: config.vf_coef,
      maxGradNorm: config.max_grad_norm,
      adamEps: config.adam_eps,
      klLimit: stopsInside && config.target_kl !== null ? KL_MARGIN * config.target_kl : null,
    });

    this.#before = null;
    phaseTimes.updateMs = this.#clock.nowMs() - collected;
    return {
      update: this.updates,
      timesteps: this.timesteps,
      episodeReturnMean: this.episodes.returnMean,
      episodeLengthMean: this.episodes.lengthMean,
      episodes: this.episodes.finished - episodesBefore,
      ...learned,
      explainedVariance: explainedVariance(this.rollout.values, this.rollout.returns),
      learningRate,
      clipRange,
      actionShares: this.#actionShares(),
    };
  }

  /** n_steps of every environment into the buffer, then advantages and returns. No allocation inside the loop. */
  #collectRollout(): void {
    const { env, engine, normalizer, config, phaseTimes } = this;
    const { actions, logProbs, values } = this.#output;
    const buffer = this.rollout;
    const clock = this.#clock;
    const N = env.numEnvs;

    // those of a reset have not been looked at yet: tanh would swallow an infinity
    this.#requireFinite('observation', this.#observations, 0);
    for (let t = 0; t < config.n_steps; t++) {
      const acting = clock.nowMs();
      this.#drawNoise();
      engine.act(this.#output, this.#observations, env.actionMasks, this.#noise, N);
      phaseTimes.actMs += clock.nowMs() - acting;
      this.#requireFinite('log-probability', logProbs, t);
      this.#requireFinite('value', values, t);
      // the action is stored as it was sampled, and sent clipped to the Box
      buffer.storeDecision(t, this.#observations, env.actionMasks, actions, logProbs, values);
      this.#toEnvActions();

      const stepping = clock.nowMs();
      env.step(this.#envActions);
      phaseTimes.envMs += clock.nowMs() - stepping;
      this.#requireFinite('observation', env.observations, t);
      this.#requireFinite('reward', env.rewards, t);

      normalizer?.updateObservations(env.observations, N);
      this.#takeObservations();
      if (normalizer === null) this.#rewards.set(env.rewards);
      else normalizer.normalizeRewards(this.#rewards, env.rewards, env.terminations, env.truncations);
      this.#bootstrapTruncated(t);
      buffer.storeOutcome(t, this.#rewards, env.terminations, env.truncations);
      for (let n = 0; n < N; n++) {
        if ((env.terminations[n] | env.truncations[n]) !== 0)
          this.episodes.add(env.episodeReturns[n], env.episodeLengths[n]);
      }
      this.timesteps += N;
    }

    engine.predictValues(this.#terminalValues, this.#observations, N);
    buffer.finish(this.#terminalValues, config.gamma, config.gae_lambda);
    this.#requireFinite('advantage', buffer.advantages, config.n_steps - 1);
    this.#requireFinite('return', buffer.returns, config.n_steps - 1);
  }

  /** n_epochs over the rollout in shuffled minibatches. Losses are means over all minibatches, KL over the last epoch's. */
  #learn(hyper: UpdateHyperparameters): LearningSummary {
    const { engine, config } = this;
    const losses = this.#losses;
    const summary: LearningSummary = {
      policyLoss: 0,
      valueLoss: 0,
      entropy: 0,
      approxKl: 0,
      clipFraction: 0,
      gradNorm: 0,
      gradientSteps: 0,
      stoppedEarly: false,
    };
    let seen = 0;
    engine.setBatch(this.rollout);

    for (let epoch = 0; epoch < config.n_epochs && !summary.stoppedEarly; epoch++) {
      this.#minibatchOrder.permutation(this.#permutation);
      let klSum = 0;
      let klCount = 0;
      for (let k = 0; k < this.#minibatches.length; k++) {
        const rows = this.#minibatches[k];
        engine.update(losses, rows, hyper);
        if (nonFiniteLoss(losses) !== null) this.#stopAtMinibatch(rows, hyper, epoch, k);
        summary.policyLoss += losses.policyLoss;
        summary.valueLoss += losses.valueLoss;
        summary.entropy += losses.entropy;
        summary.clipFraction += losses.clipFraction;
        summary.gradNorm += losses.gradNorm;
        klSum += losses.approxKl;
        klCount += 1;
        seen += 1;
        if (!losses.stepped) {
          // the engine refused the step: KL stands above its limit
          summary.stoppedEarly = true;
          break;
        }
        summary.gradientSteps += 1;
      }
      summary.approxKl = klSum / klCount;
      // CleanRL looks at the last minibatch of the epoch, and lets the epoch finish
      if (config.target_kl !== null && config.target_kl_scope === 'epoch' && losses.approxKl > config.target_kl) {
        summary.stoppedEarly = epoch + 1 < config.n_epochs;
        break;
      }
    }

    summary.policyLoss /= seen;
    summary.valueLoss /= seen;
    summary.entropy /= seen;
    summary.clipFraction /= seen;
    summary.gradNorm /= seen;
    return summary;
  }

  /**
   * A truncated episode could have gone on: its last reward gains gamma V(terminal observation). The observation
   * is normalised with the statistics of this step, the reward is the normalised one. Termination is worth nothing.
   */
  #bootstrapTruncated(t: number): void {
    const { env, normalizer, config } = this;
    const { terminations, truncations, finalObservations } = env;
    const O = this.rollout.shape.observationSize;
    const terminal = this.#terminalObservations;
    let count = 0;
    for (let n = 0; n < env.numEnvs; n++) {
      if (truncations[n] === 0 || terminations[n] !== 0) continue;
      for (let o = 0; o < O; o++) terminal[count * O + o] = finalObservations[n * O + o];
      count += 1;
    }
    if (count === 0) return;
    this.#requireFinite('terminal observation', terminal, t, count * O);
    normalizer?.normalizeObservations(terminal, terminal, count);
    this.engine.predictValues(this.#terminalValues, terminal, count);
    for (let n = 0, packed = 0; n < env.numEnvs; n++) {
      if (truncations[n] === 0 || terminations[n] !== 0) continue;
      this.#rewards[n] += config.gamma * this.#terminalValues[packed++];
    }
  }

  #takeObservations(): void {
    if (this.normalizer === null) this.#observations.set(this.env.observations);
    else this.normalizer.normalizeObservations(this.#observations, this.env.observations, this.env.numEnvs);
  }

  #drawNoise(): void {
    const noise = this.#noise;
    if (this.#discrete) for (let i = 0; i < noise.length; i++) noise[i] = this.#actionNoise.uniform();
    else for (let i = 0; i < noise.length; i++) noise[i] = this.#actionNoise.normal();
  }

  #toEnvActions(): void {
    const { actions } = this.#output;
    const envActions = this.#envActions;
    const space = this.env.singleActionSpace;
    if (space.kind === 'discrete') {
      for (let n = 0; n < actions.length; n++) envActions[n] = actions[n];
      return;
    }
    const K = space.shape[0];
    for (let i = 0; i < actions.length; i++) {
      envActions[i] = Math.min(Math.max(actions[i], space.low[i % K]), space.high[i % K]);
    }
  }

  /** (A) share of each discrete action in the rollout; empty for Box. */
  #actionShares(): number[] {
    const space = this.env.singleActionSpace;
    if (space.kind !== 'discrete') return [];
    const shares = Array.from({ length: space.n }, () => 0);
    for (const action of this.rollout.actions) shares[action] += 1 / this.rollout.size;
    return shares;
  }

  #requireFinite(name: string, values: Float32Array | Float64Array, t: number, count = values.length): void {
    const index = firstNonFinite(values, count);
    if (index < 0) return;
    const incident = {
      tensor: `${name}[${index}]`,
      value: values[index],
      update: this.updates,
      seed: this.seed,
      detail: `step ${t} of the rollout, ${this.timesteps} environment steps in all`,
    };
    throw new NonFiniteError(incident, this.#before ?? this.getState(), null);
  }

  #stopAtMinibatch(rows: Int32Array, hyper: UpdateHyperparameters, epoch: number, minibatch: number): never {
    const losses = this.#losses;
    const loss = nonFiniteLoss(losses) ?? 'gradNorm';
    const found = this.engine.findNonFinite();
    const incident = {
      tensor: found === null ? loss : `${found.kind} ${found.tensor}[${found.index}]`,
      value: found === null ? losses[loss] : found.value,
      update: this.updates,
      seed: this.seed,
      detail: `epoch ${epoch + 1}, minibatch ${minibatch + 1}, where ${loss} is ${losses[loss]}`,
    };
    const dump = minibatchDump(this.engine, this.rollout, rows, hyper, losses);
    throw new NonFiniteError(incident, this.#before ?? this.getState(), dump);
  }

  /** All that the next update depends on, between two updates: it continues to the very bits. */
  getState(): StateDict {
    return {
      seed: this.seed,
      counters: Float64Array.of(this.timesteps, this.updates),
      observations: this.#observations.slice(),
      engine: this.engine.getState(),
      env: this.env.getState(),
      normalizer: this.normalizer === null ? null : this.normalizer.getState(),
      actionNoise: this.#actionNoise.getState(),
      minibatchOrder: this.#minibatchOrder.getState(),
      episodes: this.episodes.getState(),
    };
  }

  /** Throws POLICY_STATE or ENV_STATE where the state is of another seed, policy, configuration or environment. */
  setState(state: StateDict): void {
    const where = 'ppo';
    if (state['seed'] !== this.seed) {
      fail('POLICY_STATE', { where: 'ppo.seed', value: state['seed'], message: `this training has seed ${this.seed}` });
    }
    if ((state['normalizer'] === null) !== (this.normalizer === null)) {
      fail('POLICY_STATE', {
        where: 'ppo.normalizer',
        value: state['normalizer'] === null ? null : 'present',
        message: 'the state was saved with another setting of `normalize`; take it up with its own configuration',
      });
    }
    const counters = new Float64Array(2);
    restoreArray(counters, state, 'counters', where, 'POLICY_STATE');
    restoreArray(this.#observations, state, 'observations', where, 'POLICY_STATE');
    this.engine.setState(childState(state, 'engine', where, 'POLICY_STATE'));
    this.env.setState(childState(state, 'env', where, 'POLICY_STATE'));
    this.normalizer?.setState(childState(state, 'normalizer', where, 'POLICY_STATE'));
    this.#actionNoise.setState(childState(state, 'actionNoise', where, 'POLICY_STATE'));
    this.#minibatchOrder.setState(childState(state, 'minibatchOrder', where, 'POLICY_STATE'));
    this.episodes.setState(childState(state, 'episodes', where, 'POLICY_STATE'));
    this.timesteps = counters[0];
    this.updates = counters[1];
  }
}

/** The share of `UpdateReport` that the epochs fill. */
type LearningSummary = {
  -readonly [
    Key in
      | 'policyLoss'
      | 'valueLoss'
      | 'entropy'
      | 'approxKl'
      | 'clipFraction'
      | 'gradNorm'
      | 'gradientSteps'
      | 'stoppedEarly'
  ]: UpdateReport[Key];
};
