/**
 * How a position is left without being asked: initial stop, trailing stop, staged take-profit, a stop level fixed
 * past a threshold, and the EMA rule. Levels are set when a position is opened and move at a bar's close, last of
 * all; within a bar they stand still. All prices are tradable, all levels on tick. Training and live share it.
 */
import type { ExitsConfig } from './config.js';
import { floorLots, withoutNoise } from './ticks.js';
import type { TickTable } from './ticks.js';

/** Of a gain: 100.50 / 100 - 1 is 0.00499999999999989, and 100.50 has gained 0.005. */
const NOISE = 1e-9;

/** The configured exits as plain numbers; NaN means "none", since no price compares with it. */
export class ExitPlan {
  readonly initialStop: number;
  readonly trailingStop: number;
  readonly fixedGain: number;
  readonly fixedLevel: number;
  /** Stages of the take-profit, by rising gain. */
  readonly gains: Float64Array;
  readonly fractions: Float64Array;
  /** The fractions sum to 1: the last stage takes whatever is left. */
  readonly lastTakesRest: boolean;
  readonly emaPeriod: number | null;
  readonly emaExits: boolean;
  readonly tightenTo: number;
  /** Whether any exit rests in the market, so that bars must be looked at. */
  readonly rests: boolean;
  /** Whether anything happens at a close. */
  readonly ratchets: boolean;

  constructor(config: ExitsConfig) {
    const stages = [...config.take_profit].sort((a, b) => a.gain - b.gain);
    this.initialStop = config.initial_stop ?? NaN;
    this.trailingStop = config.trailing_stop ?? NaN;
    this.fixedGain = config.fixed_stop?.gain ?? NaN;
    this.fixedLevel = config.fixed_stop?.level ?? NaN;
    this.gains = Float64Array.from(stages, ({ gain }) => gain);
    this.fractions = Float64Array.from(stages, ({ fraction }) => fraction);
    this.lastTakesRest = Math.abs(stages.reduce((sum, { fraction }) => sum + fraction, 0) - 1) < 1e-9;
    this.emaPeriod = config.ema_rule?.period ?? null;
    this.emaExits = config.ema_rule?.action === 'exit';
    this.tightenTo = config.ema_rule?.action === 'tighten' ? config.ema_rule.tighten_to : NaN;
    const movesStop =
      config.trailing_stop !== null || config.fixed_stop !== null || config.ema_rule?.action === 'tighten';
    this.rests = config.initial_stop !== null || stages.length > 0 || movesStop;
    this.ratchets = movesStop || config.ema_rule !== null;
  }

  get stages(): number {
    return this.gains.length;
  }
}

/** The exits' state of one position: levels as they stood at the previous close. Meaningless while flat. */
export class PositionExits {
  /** Stop level, NaN: none. */
  stop = NaN;
  /** Best price since entry: highest for longs, lowest for shorts. */
  best = NaN;
  /** Price and quantity (> 0) of the first fill, from which all levels are measured. */
  entryPrice = NaN;
  initialShares = NaN;
  /** Take-profit stages already done. */
  stage = 0;
  /** (S) take-profit levels. */
  readonly targets: Float64Array;

  constructor(plan: ExitPlan) {
    this.targets = new Float64Array(plan.stages);
  }
}

/** The level nearer to the price: a stop never moves away. NaN gives way. */
function tighter(side: number, stop: number, level: number): number {
  if (Number.isNaN(stop)) return level;
  return side > 0 ? (level > stop ? level : stop) : level < stop ? level : stop;
}

/** Sets the levels of a position that was just opened at `fillPrice` on `side` (+1 long). */
export function openExits(
  plan: ExitPlan,
  exits: PositionExits,
  side: number,
  fillPrice: number,
  shares: number,
  ticks: TickTable,
): void {
  exits.entryPrice = fillPrice;
  exits.initialShares = shares;
  exits.best = fillPrice;
  exits.stage = 0;
  let stop = NaN;
  if (!Number.isNaN(plan.initialStop)) stop = ticks.roundAgainst(fillPrice * (1 - side * plan.initialStop), -side);
  if (!Number.isNaN(plan.trailingStop)) {
    stop = tighter(side, stop, ticks.roundAgainst(fillPrice * (1 - side * plan.trailingStop), -side));
  }
  exits.stop = stop;
  for (let k = 0; k < plan.stages; k++) {
    exits.targets[k] = ticks.roundAgainst(fillPrice * (1 + side * plan.gains[k]), -side);
  }
}

/**
 * Moves the levels at a close. `favourable` is the bar's best price for the position since it was opened (the
 * high for longs, the low for shorts; the close where the position was opened within this bar). Returns whether
 * the EMA rule asks for an exit at the next open. `ema` is NaN until it exists.
 */
export function ratchetExits(
  plan: ExitPlan,
  exits: PositionExits,
  side: number,
  favourable: number,
  close: number,
  ema: number,
  ticks: TickTable,
): boolean {
  if (side > 0 ? favourable > exits.best : favourable < exits.best) exits.best = favourable;
  const best = exits.best;
  if (!Number.isNaN(plan.trailingStop)) {
    const level = ticks.roundAgainst(best * (1 - side * plan.trailingStop), -side);
    exits.stop = tighter(side, exits.stop, level);
  }
  if (side * (best / exits.entryPrice - 1) >= plan.fixedGain - NOISE) {
    const level = ticks.roundAgainst(exits.entryPrice * (1 + side * plan.fixedLevel), -side);
    exits.stop = tighter(side, exits.stop, level);
  }
  if (side > 0 ? close < ema : close > ema) {
    if (plan.emaExits) return true;
    const level = ticks.roundAgainst(close * (1 - side * (1 - plan.tightenTo)), -side);
    exits.stop = tighter(side, exits.stop, level);
  }
  return false;
}

/**
 * Shares (> 0) that the stage in turn closes of a position of `shares` (> 0): its fraction of the initial
 * quantity in whole lots, never more than is held; the last stage takes the rest where the fractions sum to 1.
 */
export function stageShares(plan: ExitPlan, exits: PositionExits, shares: number, lotSize: number): number {
  return sharesOfStage(plan, exits, exits.stage, shares, lotSize);
}

/** As `stageShares`, of stage k of a position of which `shares` are left when its turn comes. */
export function sharesOfStage(
  plan: ExitPlan,
  exits: PositionExits,
  k: number,
  shares: number,
  lotSize: number,
): number {
  if (plan.lastTakesRest && k === plan.stages - 1) return shares;
  return Math.min(floorLots(plan.fractions[k] * exits.initialShares, lotSize), shares);
}

/** A corporate action: one old share became `ratio` new ones, so that prices are divided by it. */
export function rescaleExits(plan: ExitPlan, exits: PositionExits, ratio: number): void {
  exits.stop = withoutNoise(exits.stop / ratio);
  exits.best = withoutNoise(exits.best / ratio);
  exits.entryPrice = withoutNoise(exits.entryPrice / ratio);
  exits.initialShares *= ratio;
  for (let k = 0; k < plan.stages; k++) exits.targets[k] = withoutNoise(exits.targets[k] / ratio);
}
