/** Does an environment know what comes later? It is stepped again over bars whose future is another, or missing. */
import type { Bars } from '#env/market/bars.js';
import type { Env } from '#env/gym.js';
import type { Fill, MarketRecorder } from '#env/market/recorder.js';
import { firstDifference } from '#env/same-bits.js';
import { RandomStream } from '#env/seeding.js';
import { sample } from '#env/spaces.js';
import { fail } from '#src/errors.js';
import { stamp } from './audit-features.js';
import { Findings, reportOf, skippedCheck, type AuditCheck, type AuditReport } from './findings.js';
import { cutAfter, cutPlaces, otherAfter, rebased, scaledFrom } from './other-bars.js';

/**
 * Makes a new environment over bars: always the same one but for them. Hand the recorder on (a MarketEnv takes it) or
 * tell it of fills and equity yourself, and those are audited too. An episode must start at `firstBar` and go on to the
 * end of the bars, one bar a step.
 */
export type MakeAuditedEnv = (bars: Bars, recorder: MarketRecorder) => Env;

export interface AuditEnvOptions {
  /** The bar at whose close `reset` gives the first observation. */
  readonly firstBar: number;
  /** Steps that are followed; default 200, or as many as the bars allow. */
  readonly steps?: number;
  /** Bars after which all others are replaced or cut off; default 8. */
  readonly cuts?: number;
  readonly seed?: number;
  /** Said in the table. */
  readonly name?: string;
  /** Also step over bars that were cut off; false where the environment draws numbers by how many bars there are. */
  readonly truncate?: boolean;
}

/** All that one run of the environment told, step by step. */
interface Trace {
  readonly observations: Float32Array[];
  readonly masks: (Uint8Array | null)[];
  readonly rewards: number[];
  readonly ends: { terminated: boolean; truncated: boolean }[];
  /** By the bar's index. */
  readonly equity: Map<number, number>;
  readonly fills: Fill[];
}

const SEED = 1;
/** Each takes a run of its own. */
const MOST_FILLS = 24;
/** A fill may lie this far outside its bar: spread, slippage and noise, and a tick. */
const RANGE_TOLERANCE = 0.01;
const MONEY_TOLERANCE = 1e-9;

/**
 * Steps through the bars with random actions, then again with the same actions over other futures: observations, masks,
 * rewards, ends, equity and fills up to the cut must be the same bits. Then looks at the fills themselves. Throws
 * ENV_CONFIG where the bars do not last for ten steps.
 */
export function auditEnv(makeEnv: MakeAuditedEnv, bars: Bars, options: AuditEnvOptions): AuditReport {
  return reportOf(envChecks(makeEnv, bars, options));
}

export function envChecks(makeEnv: MakeAuditedEnv, bars: Bars, options: AuditEnvOptions): AuditCheck[] {
  const { firstBar, cuts = 8, seed = SEED, name = bars.source, truncate = true } = options;
  const steps = Math.min(options.steps ?? 200, bars.length - firstBar - 3);
  if (steps < 10) {
    fail('ENV_CONFIG', {
      where: `audit of ${name}`,
      value: bars.length,
      message: `bars are too few: the first decision is at bar ${firstBar}, and at least 13 must follow`,
    });
  }
  const found = new Findings();
  const actions: (number | Float32Array)[] = [];
  const reference = run(makeEnv, bars, { seed, steps, actions, draw: new RandomStream(seed, 'audit/actions') });
  const reached = actions.length;
  const places = cutPlaces(1, reached, cuts);
  for (const k of places) {
    const t = firstBar + k;
    const again = (other: Bars): Trace => run(makeEnv, other, { seed, steps: k, actions, draw: null });
    const after = stamp(bars, t);
    compare(found, reference, again(otherAfter(bars, t, seed + t)), k, t, `bars after ${after} were made others`);
    if (truncate)
      compare(
        found,
        reference,
        again(cutAfter(bars, t, seed + t + 1)),
        k,
        t,
        `bars after ${after} were cut off but for one`,
      );
  }
  const fills = reference.fills.filter(({ reason }) => reason !== 'end-of-data' && reason !== 'ruin');
  const tried = fillsSeen(found, makeEnv, bars, { seed, firstBar, actions }, fills);
  fillRanges(found, bars, fills);
  adjustment(found, reference, run(makeEnv, rebased(bars), { seed, steps: reached, actions, draw: null }));
  const done = `${places.length} cuts in ${reached} steps, ${truncate ? 'others and cut off' : 'others'}`;
  const silent = 'the environment tells its recorder nothing';
  const ofFills = (names: readonly ('env-fill' | 'fill-seen' | 'fill-range')[], what: string): AuditCheck[] =>
    reference.fills.length === 0
      ? names.map((own) => skippedCheck(own, name, reference.equity.size === 0 ? silent : 'there was no fill'))
      : found.table(names, name, what);
  return [
    ...found.table(['env-observation'], name, done),
    ...(reference.masks[0] === null
      ? [skippedCheck('env-mask', name, 'it has no action mask')]
      : found.table(['env-mask'], name, done)),
    ...found.table(['env-reward', 'env-end'], name, done),
    ...(reference.equity.size === 0
      ? [skippedCheck('env-equity', name, silent)]
      : found.table(['env-equity'], name, done)),
    ...ofFills(['env-fill'], `${done}, ${reference.fills.length} fills`),
    ...ofFills(['fill-seen'], `${tried} fills, each over another bar`),
    ...ofFills(['fill-range'], `${fills.length} fills`),
    ...found.table(['env-adjustment'], name, 'prices and factors halved'),
  ];
}

interface RunOptions {
  readonly seed: number;
  readonly steps: number;
  /** Filled where `draw` is given, else followed. */
  readonly actions: (number | Float32Array)[];
  readonly draw: RandomStream | null;
}

/** Steps until the end of the episode at the latest. */
function run(makeEnv: MakeAuditedEnv, bars: Bars, { seed, steps, actions, draw }: RunOptions): Trace {
  const equity = new Map<number, number>();
  const fills: Fill[] = [];
  const env = makeEnv(bars, {
    onFill: (fill) => fills.push({ ...fill }),
    onBar: ({ barIndex, equity: own }) => equity.set(barIndex, own),
  });
  const mask = (): Uint8Array | null => env.actionMask?.().slice() ?? null;
  const trace: Trace = {
    observations: [env.reset({ seed })[0].slice()],
    masks: [mask()],
    rewards: [],
    ends: [],
    equity,
    fills,
  };
  for (let k = 0; k < steps; k++) {
    if (draw !== null) actions.push(sample(env.actionSpace, draw, trace.masks[k]));
    const [observation, reward, terminated, truncated] = env.step(actions[k]);
    trace.observations.push(observation.slice());
    trace.masks.push(mask());
    trace.rewards.push(reward);
    trace.ends.push({ terminated, truncated });
    if (terminated || truncated) break;
  }
  env.close();
  return trace;
}

/** Everything up to step k, which is bar t, must be the same. */
function compare(found: Findings, a: Trace, b: Trace, k: number, t: number, how: string): void {
  const say = (check: Parameters<Findings['leak']>[0], step: number, difference: string): void =>
    found.leak(check, 'environment', `${how}, and at step ${step}, ${k - step} before the cut, ${difference}`);
  const parts = [
    ['env-observation', a.observations, b.observations, k, 'observation'],
    ['env-mask', a.masks, b.masks, k, 'mask'],
    ['env-reward', a.rewards, b.rewards, k - 1, 'reward'],
    ['env-end', a.ends, b.ends, k - 1, 'end'],
  ] as const;
  for (const [check, left, right, last, label] of parts) {
    for (let step = 0; step <= last; step++) {
      const difference = firstDifference(right[step], left[step], label);
      if (difference === null) continue;
      say(check, label === 'reward' || label === 'end' ? step + 1 : step, difference);
      break;
    }
  }
  const upTo = (equity: ReadonlyMap<number, number>): number[][] => [...equity].filter(([bar]) => bar <= t);
  const money = firstDifference(upTo(b.equity), upTo(a.equity), 'equity');
  if (money !== null) say('env-equity', k, money);
  const known = (fills: readonly Fill[]): Fill[] => fills.filter(({ barIndex }) => barIndex <= t);
  const filled = firstDifference(known(b.fills), known(a.fills), 'fill');
  if (filled !== null) say('env-fill', k, filled);
}

/**
 * A fill on bar b was decided before it, so that its price must come from b: over a bar at prices that suit the order
 * (lower for a purchase, higher for a sale) it must be another. How many fills were tried.
 */
function fillsSeen(
  found: Findings,
  makeEnv: MakeAuditedEnv,
  bars: Bars,
  { seed, firstBar, actions }: { seed: number; firstBar: number; actions: (number | Float32Array)[] },
  fills: readonly Fill[],
): number {
  const chosen = fills.length <= MOST_FILLS ? fills : cutPlaces(0, fills.length, MOST_FILLS).map((k) => fills[k]);
  for (const fill of chosen) {
    const other = scaledFrom(bars, fill.barIndex, fill.quantity > 0 ? 0.7 : 1.4);
    const steps = Math.min(actions.length, fill.barIndex - firstBar);
    const again = run(makeEnv, other, { seed, steps, actions, draw: null });
    const same = again.fills.find(
      (own) => own.account === fill.account && own.barIndex === fill.barIndex && own.quantity > 0 === fill.quantity > 0,
    );
    if (same === undefined || !Object.is(same.price, fill.price)) continue;
    found.leak(
      'fill-seen',
      fill.reason,
      `the fill of ${stamp(bars, fill.barIndex)} at ${fill.price} has the same price where all prices of its bar are others: it was known when the order was decided`,
    );
  }
  return chosen.length;
}

function fillRanges(found: Findings, bars: Bars, fills: readonly Fill[]): void {
  const tick = Math.max(0, ...bars.instrument.ticks.map(({ increment }) => increment));
  for (const { barIndex, price, reason } of fills) {
    const factor = bars.factor?.[barIndex] ?? 1;
    const [low, high] = [bars.low[barIndex] / factor, bars.high[barIndex] / factor];
    if (price >= low * (1 - RANGE_TOLERANCE) - tick && price <= high * (1 + RANGE_TOLERANCE) + tick) continue;
    found.leak(
      'fill-range',
      reason,
      `the fill of ${stamp(bars, barIndex)} at ${price} lies outside its bar's tradable range, ${low} to ${high}`,
    );
  }
}

function adjustment(found: Findings, a: Trace, b: Trace): void {
  const say = (what: string, before: unknown, after: unknown): void =>
    found.leak(
      'env-adjustment',
      what,
      `was ${String(before)}, and would be ${String(after)} had the prices been adjusted for one more split: it is computed from adjusted prices, which show what happened later`,
    );
  const differ = (x: number, y: number): boolean =>
    Math.abs(x - y) > MONEY_TOLERANCE * Math.max(1, Math.abs(x), Math.abs(y)) || Number.isNaN(x) !== Number.isNaN(y);
  for (const [k, fill] of a.fills.entries()) {
    const other = b.fills.at(k);
    if (other === undefined) say('fills', a.fills.length, b.fills.length);
    else if (differ(fill.quantity, other.quantity)) say('quantity', fill.quantity, other.quantity);
    else if (differ(fill.price, other.price)) say('price', fill.price, other.price);
    else if (differ(fill.commission, other.commission)) say('commission', fill.commission, other.commission);
    else continue;
    break;
  }
  for (const [bar, equity] of a.equity) {
    const other = b.equity.get(bar) ?? NaN;
    if (!differ(equity, other)) continue;
    say('equity', equity, other);
    break;
  }
  const seen = a.observations.findIndex((row, k) => row.some((value, i) => differs(value, b.observations[k]?.[i])));
  if (seen >= 0) {
    const i = a.observations[seen].findIndex((value, column) => differs(value, b.observations[seen]?.[column]));
    say(`observation[${i}]`, a.observations[seen][i], b.observations[seen]?.[i]);
  }
  const step = a.rewards.findIndex((reward, k) => differ(reward, b.rewards[k] ?? NaN));
  if (step >= 0) say('reward', a.rewards[step], b.rewards[step]);
}

/** Single precision, and sums of logarithms in it. */
function differs(a: number, b: number | undefined): boolean {
  return b === undefined || !(Math.abs(a - b) <= 1e-5 * Math.max(1e-3, Math.abs(a)));
}
