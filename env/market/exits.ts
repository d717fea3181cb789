/**
 * How a position is left without being asked: initial stop, trailing stop, staged take-profit, a stop level fixed
 * past a threshold, and the EMA rule. Levels are set when a position is opened and move at a bar's close, last of
 * all; within a bar they stand still. All prices are tradable, all levels on tick. Training and live share it.
 */
import type { ExitsConfig } from './config.js';
import { floorLots } from './ticks.js';
import type { TickTable } from './ticks.js';

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

  constructor(exits: ExitsConfig) {
    const stages = [...exits.take_profit].sort((a, b) => a.gain - b.gain);
    this.initialStop = exits.initial_stop ?? NaN;
    this.trailingStop = exits.trailing_stop ?? NaN;
    this.fixedGain = exits.fixed_stop?.gain ?? NaN;
    this.fixedLevel = exits.fixed_stop?.level ?? NaN;
    this.gains = Float64Array.from(stages, ({ gain }) => gain);
    this.fractions = Float64Array.from(stages, ({ fraction }) => fraction);
    this.lastTakesRest = Math.abs(stages.reduce((sum, { fraction }) => sum + fraction, 0) - 1) < 1e-9;
    this.emaPeriod = exits.ema_rule?.period ?? null;
    this.emaExits = exits.ema_rule?.action === 'exit';
    this.tightenTo = exits.ema_rule?.action === 'tighten' ? exits.ema_rule.tighten_to : NaN;
    const movesStop = exits.trailing_stop !== null || exits.fixed_stop !== null || exits.ema_rule?.action === 'tighten';
    this.rests = exits.initial_stop !== null || stages.length > 0 || movesStop;
    this.ratchets = movesStop || exits.ema_rule !== null;
  }

  get stages(): number {
    return this.gains.length;
  }
}

/** The exits' state of n positions, in columns. Meaningless while a position is flat. */
export class ExitBook {
  /** (n) stop level, NaN: none. */
  readonly stop: Float64Array;
  /** (n) best price since entry: highest for longs, lowest for shorts. */
  readonly best: Float64Array;
  /** (n) price and quantity (> 0) of the first fill, from which all levels are measured. */
  readonly entryPrice: Float64Array;
  readonly initialShares: Float64Array;
  /** (n) take-profit stages already done. */
  readonly stage: Int32Array;
  /** (n,S) take-profit levels. */
  readonly targets: Float64Array;

  constructor(n: number, plan: ExitPlan) {
    this.stop = new Float64Array(n);
    this.best = new Float64Array(n);
    this.entryPrice = new Float64Array(n);
    this.initialShares = new Float64Array(n);
    this.stage = new Int32Array(n);
    this.targets = new Float64Array(n * plan.stages);
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
  book: ExitBook,
  i: number,
  side: number,
  fillPrice: number,
  shares: number,
  ticks: TickTable,
): void {
  book.entryPrice[i] = fillPrice;
  book.initialShares[i] = shares;
  book.best[i] = fillPrice;
  book.stage[i] = 0;
  let stop = NaN;
  if (!Number.isNaN(plan.initialStop)) stop = ticks.roundAgainst(fillPrice * (1 - side * plan.initialStop), -side);
  if (!Number.isNaN(plan.trailingStop)) {
    stop = tighter(side, stop, ticks.roundAgainst(fillPrice * (1 - side * plan.trailingStop), -side));
  }
  book.stop[i] = stop;
  for (let k = 0; k < plan.stages; k++) {
    book.targets[i * plan.stages + k] = ticks.roundAgainst(fillPrice * (1 + side * plan.gains[k]), -side);
  }
}

/**
 * Moves the levels at a close. `favourable` is the bar's best price for the position since it was opened (the
 * high for longs, the low for shorts; the close where the position was opened within this bar). Returns whether
 * the EMA rule asks for an exit at the next open. `ema` is NaN until it exists.
 */
export function ratchetExits(
  plan: ExitPlan,
  book: ExitBook,
  i: number,
  side: number,
  favourable: number,
  close: number,
  ema: number,
  ticks: TickTable,
): boolean {
  if (side > 0 ? favourable > book.best[i] : favourable < book.best[i]) book.best[i] = favourable;
  const best = book.best[i];
  if (!Number.isNaN(plan.trailingStop)) {
    const level = ticks.roundAgainst(best * (1 - side * plan.trailingStop), -side);
    book.stop[i] = tighter(side, book.stop[i], level);
  }
  if (side * (best / book.entryPrice[i] - 1) >= plan.fixedGain) {
    const level = ticks.roundAgainst(book.entryPrice[i] * (1 + side * plan.fixedLevel), -side);
    book.stop[i] = tighter(side, book.stop[i], level);
  }
  if (side > 0 ? close < ema : close > ema) {
    if (plan.emaExits) return true;
    const level = ticks.roundAgainst(close * (1 - side * (1 - plan.tightenTo)), -side);
    book.stop[i] = tighter(side, book.stop[i], level);
  }
  return false;
}

/**
 * Shares (> 0) that the stage in turn closes of a position of `shares` (> 0): its fraction of the initial
 * quantity in whole lots, never more than is held; the last stage takes the rest where the fractions sum to 1.
 */
export function stageShares(plan: ExitPlan, book: ExitBook, i: number, shares: number, lotSize: number): number {
  const k = book.stage[i];
  if (plan.lastTakesRest && k === plan.stages - 1) return shares;
  return Math.min(floorLots(plan.fractions[k] * book.initialShares[i], lotSize), shares);
}

/** A corporate action: one old share became `ratio` new ones, so that prices are divided by it. */
export function rescaleExits(plan: ExitPlan, book: ExitBook, i: number, ratio: number): void {
  book.stop[i] /= ratio;
  book.best[i] /= ratio;
  book.entryPrice[i] /= ratio;
  book.initialShares[i] *= ratio;
  for (let k = 0; k < plan.stages; k++) book.targets[i * plan.stages + k] /= ratio;
}
