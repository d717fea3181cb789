import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { ACCOUNT_FEATURE_COUNT, FEATURE_SETS, MARKET_FEATURE_COUNT, writeAccountFeatures } from './index.js';
import { canonicalText } from './specification.js';

it('keeps the 14 features of v1 in their order', () => {
  expect(FEATURE_SETS.v1.features.map(({ name }) => name)).toEqual([
    'logReturn1',
    'logReturn5',
    'smaGap20',
    'smaGap50',
    'emaGap12',
    'rsi14',
    'macd',
    'macdHistogram',
    'bollingerPercentB',
    'bollingerWidth',
    'atr14',
    'volumeZ20',
    'position',
    'unrealizedReturn',
  ]);
  expect(MARKET_FEATURE_COUNT + ACCOUNT_FEATURE_COUNT).toBe(14);
});

it('hashes v1 to the value that checkpoints carry: a change here orphans every one of them', () => {
  expect(FEATURE_SETS.v1.hash).toBe('88b783f64cab5a1adb0187eb1d37361ae445531a28df3f2b6c7c867bade5f8a2');
});

it('hashes the canonical text, so that another order, name, version or formula is another hash', () => {
  const { name, version, features } = FEATURE_SETS.v1;
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  expect(sha256(canonicalText(name, version, features))).toBe(FEATURE_SETS.v1.hash);
  const others = [
    canonicalText('v2', version, features),
    canonicalText(name, 2, features),
    canonicalText(name, version, features.toReversed()),
    canonicalText(
      name,
      version,
      features.map((feature, i) => (i === 5 ? { ...feature, definition: 'RSI(14)' } : feature)),
    ),
  ].map(sha256);
  expect(new Set([FEATURE_SETS.v1.hash, ...others]).size).toBe(5);
});

it('writes the position as a share of the budget, clipped, and the return since the average fill', () => {
  const out = new Float32Array(4).fill(9);
  const written = (...account: [position: number, fill: number, close: number, budget: number]): number[] => {
    writeAccountFeatures(out, 1, ...account);
    expect([out[0], out[3]]).toEqual([9, 9]);
    return [out[1], out[2]];
  };
  expect(written(0, 0, 50, 1000)).toEqual([0, 0]);
  expect(written(10, 40, 50, 1000)).toEqual([0.5, 0.25]);
  expect(written(-10, 40, 50, 1000)).toEqual([-0.5, -0.25]);
  expect(written(-10, 100, 50, 1000)).toEqual([-0.5, 0.5]);
  expect(written(40, 50, 50, 1000)).toEqual([1, 0]);
  expect(written(-40, 50, 50, 1000)).toEqual([-1, 0]);
  // a ruined sleeve has no budget: whatever is held is all of it
  expect(written(3, 50, 50, 0)).toEqual([1, 0]);
  expect(written(-3, 50, 50, -20)).toEqual([-1, 0]);
});
