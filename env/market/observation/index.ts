export { ACCOUNT_FEATURE_COUNT, writeAccountFeatures } from './account.js';
export { DEFAULT_WARMUP, FEATURE_SETS, MARKET_FEATURE_COUNT } from './specification.js';
export type { FeatureSetName, ObservationFeature, ObservationSpec } from './specification.js';
export { computeFeatures, FeatureStream } from './stream.js';
export type { BarColumns } from './stream.js';
