/** The proofs: each a market whose optimum is known, the settings that the learner is tried with, and its target. */
import { SB3_PPO, type PpoConfig } from '#agents/ppo/config.js';
import type { TradingProblem } from '#env/known/dynamic-programming.js';
import type { KnownMarket } from '#env/known/known-market.js';
import { leakedFutureMarket, leakedFutureProblem } from '#env/known/leaked-future.js';
import { ouFeaturesMarket } from '#env/known/ou-features.js';
import { ouMarket, ouProblem } from '#env/known/ou-market.js';
import { randomWalkMarket } from '#env/known/random-walk.js';
import type { ProofName } from './proof-names.js';

/** What is asked: a share of the optimum of every seed, or of their mean; no trading where nothing can be earned; nothing. */
export type Target =
  | { readonly kind: 'share'; readonly least: number }
  | { readonly kind: 'mean-share'; readonly least: number }
  | { readonly kind: 'no-edge'; readonly turnoverBelow: number }
  | { readonly kind: 'report' };

export interface Proof {
  readonly name: ProofName;
  readonly title: string;
  readonly market: KnownMarket;
  /** null: the optimum is never to trade, and earns 0. */
  readonly problem: TradingProblem | null;
  /** What is seen is the problem's signal and the position, so that a policy can be laid out on its grid. */
  readonly observesState: boolean;
  readonly config: PpoConfig;
  /** Mean share that stable-baselines3 reaches at the same settings; null where it was not run. */
  readonly peerShare: number | null;
  readonly target: Target;
}

export const NUM_ENVS = 8;
/** Log-returns are of a hundredth; the value function learns numbers around 1 more easily. */
export const REWARD_SCALE = 100;

/**
 * Mean share of the optimum that stable-baselines3 reaches over 5 seeds on common paths, at a constant learning rate
 * and at the annealed one: test/golden/ou-stable-baselines3.json, which a test compares.
 */
export const STABLE_BASELINES3_SHARE = { constant: 0.981, annealed: 0.984 } as const;
/** Environment steps that stable-baselines3 was given. */
export const STABLE_BASELINES3_STEPS = 200_000;
/** The learner may stand one point below stable-baselines3's mean at a constant rate, by which the target was set. */
const LEAST_SHARE = STABLE_BASELINES3_SHARE.constant - 0.01;

/** As stable-baselines3 was measured first on the Ornstein-Uhlenbeck market. */
const REFERENCE_CONFIG: PpoConfig = { ...SB3_PPO, n_steps: 256, batch_size: 256, learning_rate: 1e-3 };
/**
 * A step of constant size leaves the policy wherever the luck of the last rollouts pushed it; annealed to nothing, it
 * averages the luck away.
 */
const ANNEALED_CONFIG: PpoConfig = { ...REFERENCE_CONFIG, learning_rate: { schedule: 'linear', initial: 1e-3 } };
/** Where nothing but luck can be learnt: stable-baselines3's own rate, annealed. */
const NOISE_CONFIG: PpoConfig = { ...REFERENCE_CONFIG, learning_rate: { schedule: 'linear', initial: 3e-4 } };
/** Returns of a hundredth and positions of one in the same vector: the features need scaling. */
const FEATURES_CONFIG: PpoConfig = {
  ...ANNEALED_CONFIG,
  normalize: { observation: true, reward: false, clip_obs: 10, clip_reward: 10, epsilon: 1e-8 },
};

export function proofNamed(name: ProofName): Proof {
  return PROOFS[name]();
}

const PROOFS: Readonly<Record<ProofName, () => Proof>> = {
  ou: () => ({
    ...ornsteinUhlenbeck(),
    name: 'ou',
    title: 'Ornstein-Uhlenbeck market, state observed',
    config: ANNEALED_CONFIG,
    peerShare: STABLE_BASELINES3_SHARE.annealed,
    target: { kind: 'share', least: LEAST_SHARE },
  }),
  'ou-parity': () => ({
    ...ornsteinUhlenbeck(),
    name: 'ou-parity',
    title: 'Ornstein-Uhlenbeck market, state observed, constant learning rate',
    config: REFERENCE_CONFIG,
    peerShare: STABLE_BASELINES3_SHARE.constant,
    target: { kind: 'mean-share', least: LEAST_SHARE },
  }),
  'leaked-future': () => ({
    name: 'leaked-future',
    title: 'Leaked future',
    market: leakedFutureMarket(),
    problem: leakedFutureProblem(),
    observesState: true,
    config: REFERENCE_CONFIG,
    peerShare: null,
    target: { kind: 'share', least: 0.95 },
  }),
  'random-walk': () => ({
    name: 'random-walk',
    title: 'Random walk with costs',
    market: randomWalkMarket(),
    problem: null,
    observesState: false,
    config: NOISE_CONFIG,
    peerShare: null,
    target: { kind: 'no-edge', turnoverBelow: 0.01 },
  }),
  'ou-features': () => ({
    name: 'ou-features',
    title: 'Ornstein-Uhlenbeck market, the 14 features alone',
    market: ouFeaturesMarket(),
    problem: ouProblem(),
    observesState: false,
    config: FEATURES_CONFIG,
    peerShare: null,
    target: { kind: 'report' },
  }),
};

function ornsteinUhlenbeck(): Pick<Proof, 'market' | 'problem' | 'observesState'> {
  return { market: ouMarket(), problem: ouProblem(), observesState: true };
}
