/** Bundles whose policy is known: the network's bias alone decides. */
import { DEFAULT_MARKET_CONFIG, type MarketConfig } from '#env/market/config.js';
import type { Instrument } from '#env/market/instrument.js';
import { policyLayout } from '#agents/policy/layout.js';
import type { BundleContents } from '#src/registry/bundle.js';
import type { ManifestDraft } from '#src/registry/manifest.js';
import { bareBundle } from '../../bench/bare-bundle.js';

export const BUY = 1;

/** A discrete policy that prefers one action whatever it sees. */
export function bundleThatAlways(
  action: number,
  instrument: Instrument,
  market: Partial<MarketConfig> = {},
  name = 'always',
  more: Partial<ManifestDraft> = {},
): BundleContents {
  return bareBundle({
    name,
    description: 'Always takes one action',
    hidden: [8],
    warmup: 60,
    instruments: [instrument],
    market: { ...DEFAULT_MARKET_CONFIG, ...market },
    teach: (parameters, policy) => {
      const bias = policyLayout(policy).slots.find((slot) => slot.name === 'action.bias');
      if (bias === undefined) throw new Error('the layout has no action bias');
      parameters[bias.offset + action] = 10;
    },
    more,
  });
}
