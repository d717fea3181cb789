/** Baselines that follow a fixed rule. */
import { FEATURE_SETS } from '#env/market/observation/index.js';
import type { ObservationSpec } from '#env/market/observation/index.js';
import type { Actor } from '../actor.js';
import { featureIndex, SideActor } from './side-actor.js';

/** Never in the market; leaves it where it finds itself in. */
export function flatActor(spec: ObservationSpec = FEATURE_SETS.v1): Actor {
  return new SideActor('flat', spec, () => 0);
}

/** Buys at the first chance and never sells; buys back what an exit has sold. */
export function holdActor(spec: ObservationSpec = FEATURE_SETS.v1): Actor {
  return new SideActor('hold', spec, () => 1);
}

/**
 * Long while SMA(20) is above SMA(50), otherwise flat. c / SMA(20) - 1 < c / SMA(50) - 1 says just that,
 * prices being positive. Both averages exist wherever a decision is made, since the warm-up is longer.
 */
export function smaCrossActor(spec: ObservationSpec = FEATURE_SETS.v1): Actor {
  const fast = featureIndex(spec, 'smaGap20');
  const slow = featureIndex(spec, 'smaGap50');
  return new SideActor('sma-cross', spec, (_side, observations, offset) =>
    observations[offset + fast] < observations[offset + slow] ? 1 : 0,
  );
}
