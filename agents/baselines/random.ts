/** Trading by dice, as often and as long as another does: what its turnover costs and its exposure earns without skill. */
import { FEATURE_SETS } from '#env/market/observation/index.js';
import type { ObservationSpec } from '#env/market/observation/index.js';
import type { RandomStream } from '#env/seeding.js';
import type { Actor } from '../actor.js';
import { SideActor } from './side-actor.js';

/** Probabilities of a decision. */
export interface SwitchProbabilities {
  /** Of entering the market on either side, when flat. enterLong + enterShort <= 1. */
  readonly enterLong: number;
  readonly enterShort: number;
  /** Of leaving it, when in a position. */
  readonly exit: number;
}

/** An agent's own record, from which its random twin is made. */
export interface TurnoverRecord {
  readonly decisions: number;
  /** Position changes summed, in full positions: an entry is 1, an exit is 1, half of either is 0.5. */
  readonly turnover: number;
  /** Share of the decisions spent long, and short (for target positions: mean long and short position). */
  readonly longShare: number;
  readonly shortShare: number;
}

/**
 * Probabilities of a two-state Markov chain with the record's turnover and time in position. In n decisions
 * with a share s in position there are turnover / 2 round trips; each enters from one of n (1 - s) flat
 * decisions and exits from one of n s. The chain's stationary share, enter / (enter + exit), is then s.
 * Probabilities end at 1, so that a chain cannot follow a record that trades more than once a decision.
 */
export function matchTurnover({ decisions, turnover, longShare, shortShare }: TurnoverRecord): SwitchProbabilities {
  const share = longShare + shortShare;
  const roundTrips = turnover / 2;
  if (!(roundTrips > 0 && share > 0)) return { enterLong: 0, enterShort: 0, exit: 0 };
  const enter = Math.min(1, roundTrips / Math.max(decisions * (1 - share), roundTrips));
  const exit = Math.min(1, roundTrips / (decisions * share));
  return { enterLong: (enter * longShare) / share, enterShort: (enter * shortShare) / share, exit };
}

/** Enters and exits with the given probabilities; one draw a row, whatever its state. */
export function randomActor(
  { enterLong, enterShort, exit }: SwitchProbabilities,
  random: RandomStream,
  spec: ObservationSpec = FEATURE_SETS.v1,
): Actor {
  return new SideActor('random', spec, (side) => {
    const draw = random.uniform();
    if (side !== 0) return draw < exit ? 0 : side;
    if (draw < enterLong) return 1;
    return draw < enterLong + enterShort ? -1 : 0;
  });
}
