/**
 * How a position is protected: in slices, one for each stage of the take-profit and one for the rest. Each slice has
 * its own stop and target of equal size in an OCA group of its own, so that a partial fill of one can neither cancel
 * nor shrink another's, and all stops sum to the position.
 */
import { sharesOfStage, type ExitPlan, type PositionExits } from '#env/market/exits.js';

export interface Slice {
  /** Stage of the take-profit; one past the last: the rest, which has no target. */
  readonly slot: number;
  readonly quantity: number;
  /** null: the plan sets none. */
  readonly stop: number | null;
  readonly target: number | null;
}

/** The slices of a position of `held` (> 0) units, levels as they stand. Empty where nothing protects it. */
export function slicesOf(plan: ExitPlan, exits: PositionExits, held: number, lotSize: number): Slice[] {
  const stop = Number.isNaN(exits.stop) ? null : exits.stop;
  const slices: Slice[] = [];
  let left = held;
  for (let k = exits.stage; k < plan.stages && left > 0; k++) {
    const quantity = sharesOfStage(plan, exits, k, left, lotSize);
    if (quantity === 0) continue;
    slices.push({ slot: k, quantity, stop, target: exits.targets[k] });
    left -= quantity;
  }
  if (left > 0 && stop !== null) slices.push({ slot: plan.stages, quantity: left, stop, target: null });
  return slices;
}
