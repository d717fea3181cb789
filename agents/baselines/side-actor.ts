/** What all baselines share: a rule says which side to be on, and this makes actions of it. */
import { FEATURE_SETS } from '#env/market/observation/index.js';
import type { ObservationSpec } from '#env/market/observation/index.js';
import { fail } from '#src/errors.js';
import type { Actor } from '../actor.js';

/** Short, flat or long. */
export type Side = -1 | 0 | 1;

/** The side wanted after this decision. `offset` is where the row's observation starts. */
export type SideRule = (side: Side, observations: Float32Array, offset: number) => Side;

const HOLD = 0;
const BUY = 1;
const SELL = 2;
/** Columns of a mask over hold, buy and sell. */
const ACTION_COUNT = 3;

/**
 * Holding a target position: a whole lot must not be lost to the rounding of the position feature to
 * float32, which is 6e-8 of it.
 */
const ROUNDING_MARGIN = 1 + 1e-6;

export class SideActor implements Actor {
  readonly name: string;
  readonly #rule: SideRule;
  readonly #observationSize: number;
  readonly #positionIndex: number;

  constructor(name: string, spec: ObservationSpec, rule: SideRule) {
    this.name = name;
    this.#rule = rule;
    this.#observationSize = spec.features.length;
    this.#positionIndex = featureIndex(spec, 'position');
  }

  /**
   * actions: Int32Array (B), 0 hold, 1 buy, 2 sell; or Float32Array (B,1), the target in [-1, 1]. A target holds what
   * there is only where a full target is a position feature of 1 (`position_fraction` 1); evaluations take sides.
   * observations (B,O) raw. A masked action becomes hold. From one side to the other it goes through flat.
   */
  act(actions: Int32Array | Float32Array, observations: Float32Array, masks: Uint8Array | null, batch: number): void {
    const asTarget = actions instanceof Float32Array;
    for (let row = 0; row < batch; row++) {
      const offset = row * this.#observationSize;
      const position = observations[offset + this.#positionIndex];
      const side = position > 0 ? 1 : position < 0 ? -1 : 0;
      const wanted = this.#rule(side, observations, offset);
      if (asTarget) {
        actions[row] = wanted === side ? Math.min(Math.max(position * ROUNDING_MARGIN, -1), 1) : wanted;
      } else {
        const action = wanted > side ? BUY : wanted < side ? SELL : HOLD;
        actions[row] = masks === null || masks[row * ACTION_COUNT + action] !== 0 ? action : HOLD;
      }
    }
  }
}

/** Throws POLICY_SPEC where the set has no such feature. */
export function featureIndex(spec: ObservationSpec, name: string): number {
  const index = spec.features.findIndex((feature) => feature.name === name);
  if (index < 0) {
    fail('POLICY_SPEC', {
      where: `feature set ${spec.name}`,
      value: name,
      message: `a baseline needs this feature; use a set that has it, such as ${FEATURE_SETS.v1.name}`,
    });
  }
  return index;
}
