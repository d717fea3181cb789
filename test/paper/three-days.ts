/** Three sessions of one-minute bars, wild enough to reach stops and targets within minutes, and a bundle that buys. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { DEFAULT_MARKET_CONFIG } from '#env/market/config.js';
import type { Bars } from '#env/market/bars.js';
import { loadDataset } from '#src/data/load.js';
import { Registry } from '#src/registry/registry.js';
import type { Bundle } from '#src/registry/bundle.js';
import { bundleThatAlways, BUY } from '../support/bundles.js';

const MANIFEST = `
name: three-days
source: OpenBell's generator; no real market
licence: MIT
synthetic:
  seed: 3
  from: 2020-03-06
  sessions: 3
  start_price: 100
  regimes: [{ annual_volatility: 0.6, mean_sessions: 5 }]
interval: 1m
calendar: XNYS
instrument: { symbol: SYN, type: STK }
adjustments: { prices: none }
`;

export interface ThreeDays {
  /** Path of the manifest. */
  readonly dataset: string;
  readonly bars: Bars;
  readonly registry: Registry;
  /** Trained on Friday and Monday, so it says; the third day is new to it. */
  readonly bundle: Bundle;
}

export async function threeDays(folder: string): Promise<ThreeDays> {
  const dataset = path.join(folder, 'three-days.yaml');
  writeFileSync(dataset, MANIFEST);
  const bars = await loadDataset(dataset);
  const { instrument, sha256, length, openTimeMs } = bars;
  const exits = { ...DEFAULT_MARKET_CONFIG.exits, initial_stop: 0.001, take_profit: [{ gain: 0.001, fraction: 0.5 }] };
  const data = [
    {
      dataset,
      symbol: instrument.symbol,
      interval: '1m',
      bars: length,
      from: new Date(openTimeMs[0]).toISOString(),
      to: new Date(openTimeMs[length - 1]).toISOString(),
      synthetic: true,
      sha256,
    },
  ];
  const windows = { train: { from: null, to: '2020-03-10' }, validation: null, test: null, exclude: [] };
  const registry = new Registry(path.join(folder, 'registry'));
  const bundle = registry.store(bundleThatAlways(BUY, instrument, { exits }, 'always', { data, windows }));
  return { dataset, bars, registry, bundle };
}
