/** A market whose best policy is known: what a path of it is, and how trading it is rewarded. */
import type { RandomStream } from '#env/seeding.js';
import { fail } from '#src/errors.js';

/** Target positions by action: 0 short one unit, 1 flat, 2 long one unit. */
export const POSITIONS = [-1, 0, 1] as const;
export const SHORT = 0;
export const FLAT = 1;
export const LONG = 2;

/** One path's rows inside larger arrays; a market writes and an environment reads. */
export interface PathView {
  /** (T) log-price at t + 1 less log-price at t. */
  readonly changes: Float64Array;
  /** (T+1,S) what is seen of the market at the decision of t; the last row is seen at the episode's end. */
  readonly signals: Float32Array;
  /** (T+1) what dynamic programming calls the signal, whether it is seen or not: all that is to know of the future. */
  readonly states: Float64Array;
}

/**
 * Prices move by themselves: no action changes them, so that a path drawn once serves every policy. The decision
 * at t sees signals[t] and the position, chooses a target position, pays `costPerUnit` for each unit changed, and
 * earns the position times changes[t].
 */
export interface KnownMarket {
  readonly id: string;
  /** S */
  readonly signalSize: number;
  /** Log-return paid for each unit of position changed. */
  readonly costPerUnit: number;
  /** T, steps of a training episode; it ends by truncation. */
  readonly episodeSteps: number;
  /** Whether the position's unrealised return is seen after the position. */
  readonly showsUnrealizedReturn: boolean;
  /** Draws a path of `steps` from its stationary start. Uses `stream` alone. */
  draw(path: PathView, steps: number, stream: RandomStream): void;
}

/** O: the signals, the position and, where it is shown, its unrealised return. */
export function observationSize(market: KnownMarket): number {
  return market.signalSize + (market.showsUnrealizedReturn ? 2 : 1);
}

/** Throws ENV_CONFIG unless the parameter is a finite number above 0. */
export function positive(value: number, where: string): number {
  if (!(value > 0 && value < Infinity))
    fail('ENV_CONFIG', { where, value, message: 'must be a finite number above 0' });
  return value;
}

/** Throws ENV_CONFIG unless the parameter is an integer from 1. */
export function positiveInteger(value: number, where: string): number {
  if (!Number.isSafeInteger(value) || value < 1)
    fail('ENV_CONFIG', { where, value, message: 'must be an integer from 1' });
  return value;
}

/** Throws ENV_CONFIG unless the cost is a finite number, 0 or more. */
export function cost(value: number, where: string): number {
  if (!(value >= 0 && value < Infinity))
    fail('ENV_CONFIG', { where, value, message: 'must be a finite number, 0 or more' });
  return value;
}
