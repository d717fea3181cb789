/**
 * How a position is protected: in slices, one for each stage of the take-profit and one for the rest. Each slice has
 * its own stop and target of equal size in an OCA group of its own, so that a partial fill of one can neither cancel
 * nor shrink another's, and all stops sum to the position.
 */
import { sharesOfStage, type ExitPlan, type PositionExits } from '#env/market/exits.js';

export interface Slice {
  /** Stage of the take-profit; one past the last: the rest, which has no target. */
  readonly slot: number;
  /** > 0: what is left of it. */
  readonly quantity: number;
  /** null: the plan sets none. */
  readonly stop: number | null;
  readonly target: number | null;
}

/**
 * The slices of a position that was opened with `opened` (> 0) units, of which `held` are left, after `filledIn(slot)`
 * units of each slice have been closed. What the slices do not explain (a smaller target position, a correction)
 * goes to, or comes from, the rest. Levels are those of `exits` as they stand.
 */
export function slicesOf(
  plan: ExitPlan,
  exits: PositionExits,
  opened: number,
  held: number,
  filledIn: (slot: number) => number,
  lotSize: number,
): Slice[] {
  const stop = Number.isNaN(exits.stop) ? null : exits.stop;
  const left: number[] = [];
  let unplanned = opened;
  for (let k = 0; k < plan.stages; k++) {
    const planned = sharesOfStage(plan, exits, k, unplanned, lotSize);
    unplanned -= planned;
    left.push(Math.max(planned - filledIn(k), 0));
  }
  left.push(Math.max(unplanned - filledIn(plan.stages), 0));
  let difference = held - left.reduce((sum, quantity) => sum + quantity, 0);
  if (difference > 0) left[plan.stages] += difference;
  for (let k = plan.stages; k >= 0 && difference < 0; k--) {
    const cut = Math.min(left[k], -difference);
    left[k] -= cut;
    difference += cut;
  }
  return left.flatMap((quantity, slot) =>
    quantity > 0 ? [{ slot, quantity, stop, target: slot < plan.stages ? exits.targets[slot] : null }] : [],
  );
}
