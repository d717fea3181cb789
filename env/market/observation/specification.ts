/** What an observation is: named, versioned and hashed, so that a checkpoint can refuse another. */
import { createHash } from 'node:crypto';
import { MARKET_FEATURES_V1 } from './features.js';
import type { MarketFeature } from './features.js';

export interface ObservationFeature {
  readonly name: string;
  readonly definition: string;
}

export interface ObservationSpec {
  readonly name: string;
  readonly version: number;
  /** All features in the order of the observation vector: the market's, then the account's. */
  readonly features: readonly ObservationFeature[];
  /** The first of them, computed from bars. */
  readonly marketFeatures: readonly MarketFeature[];
  /** sha256 of the canonical text, in hexadecimal. */
  readonly hash: string;
}

/** What `writeAccountFeatures` writes, after the market features of every set. */
const ACCOUNT_FEATURES: readonly ObservationFeature[] = [
  { name: 'position', definition: 'signed position value / allocated budget, clipped to [-1, 1]' },
  { name: 'unrealizedReturn', definition: 'sign x (close - average fill price) / average fill price; 0 when flat' },
];

/** The text that is hashed: a line for the set, then a line a feature, each ended by a line feed. */
export function canonicalText(name: string, version: number, features: readonly ObservationFeature[]): string {
  const lines = features.map((feature, index) => `${index} ${feature.name} = ${feature.definition}\n`);
  return `observation ${name} version ${version}, 0 before an indicator exists\n${lines.join('')}`;
}

function defineFeatureSet(name: string, version: number, marketFeatures: readonly MarketFeature[]): ObservationSpec {
  const features = [...marketFeatures.map(({ name, definition }) => ({ name, definition })), ...ACCOUNT_FEATURES];
  const hash = createHash('sha256')
    .update(canonicalText(name, version, features), 'utf8')
    .digest('hex');
  return { name, version, features, marketFeatures, hash };
}

/** Every feature set by name. A new one is a table of market features, and a line here. */
export const FEATURE_SETS = {
  v1: defineFeatureSet('v1', 1, MARKET_FEATURES_V1),
} as const satisfies Readonly<Record<string, ObservationSpec>>;

export type FeatureSetName = keyof typeof FEATURE_SETS;

/** Market features of set v1, the default: columns 0 to 11. */
export const MARKET_FEATURE_COUNT = FEATURE_SETS.v1.marketFeatures.length;

/**
 * Bars to let pass before the first decision: from there on the choice of the anchor bar moves no feature of
 * set v1 by more than 1e-6 of its scale.
 */
export const DEFAULT_WARMUP = 300;
