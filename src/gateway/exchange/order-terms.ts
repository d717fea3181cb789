/** What an order waits for before it acts: a time (goodAfterTime) and conditions on market, clock, margin or trades. */
import type { Order, OrderCondition } from '../wire/types.js';
import { figuresOf } from './account-report.js';
import type { ContractEntry } from './contract-book.js';
import type { Executions } from './executions.js';
import type { Feed } from './feed.js';
import type { Refusal } from './order-checks.js';
import { watchedPrice } from './trigger-price.js';
import { parseTime } from './wire-time.js';
import type { World } from './world.js';

export interface OrderTerms {
  /** Names the terms: the same text means the same terms. Empty: none. */
  readonly key: string;
  /** Market time from which the order may act; -Infinity: at once. */
  readonly afterMs: number;
  /** Null: no conditions. */
  readonly conditions: Conditions | null;
  /** Conditions that are met cancel the order instead of sending it. */
  readonly cancels: boolean;
}

export const NO_TERMS: OrderTerms = { key: '', afterMs: -Infinity, conditions: null, cancels: false };

interface Condition {
  /** Instruments of which ticks are looked at. */
  readonly feed: Feed | null;
  /** Market time at which it may turn true; NaN: none. */
  readonly atMs: number;
  readonly isMet: () => boolean;
}

/** Conditions joined by "and" and "or": "and" binds closer. */
export class Conditions {
  /** Alternatives, each of which is met when all of its parts are. */
  readonly #alternatives: readonly (readonly Condition[])[];

  constructor(conditions: readonly { readonly condition: Condition; readonly joinsNext: 'and' | 'or' }[]) {
    const alternatives: Condition[][] = [[]];
    for (const { condition, joinsNext } of conditions) {
      alternatives[alternatives.length - 1].push(condition);
      if (joinsNext === 'or') alternatives.push([]);
    }
    // what joins the last condition joins it to nothing
    this.#alternatives = alternatives.filter((parts) => parts.length > 0);
  }

  get areMet(): boolean {
    return this.#alternatives.some((parts) => parts.every(({ isMet }) => isMet()));
  }

  watches(feed: Feed): boolean {
    return this.#alternatives.some((parts) => parts.some((part) => part.feed === feed));
  }

  get timesMs(): number[] {
    return this.#alternatives.flat().flatMap(({ atMs }) => (Number.isNaN(atMs) ? [] : [atMs]));
  }
}

const invalid = (cause: string): Refusal => ({
  code: 321,
  message: `Error validating request.-'bW' : cause - ${cause}`,
});

/** The terms of an order for `entry`, or why they cannot be read. */
export function readTerms(
  order: Order,
  entry: ContractEntry,
  world: World,
  executions: Executions,
): OrderTerms | Refusal {
  const { goodAfterTime } = order;
  if (goodAfterTime === '' && order.conditions.length === 0) return NO_TERMS;
  let afterMs = -Infinity;
  if (goodAfterTime !== '') {
    const parsed = parseTime(goodAfterTime, entry.calendar, world.nowMs);
    if (parsed === 'invalid') return invalid(`Invalid good after time '${goodAfterTime}'`);
    afterMs = parsed.timeMs;
  }
  const read: { condition: Condition; joinsNext: 'and' | 'or' }[] = [];
  for (const given of order.conditions) {
    const condition = readCondition(given, entry, world, executions);
    if ('code' in condition) return condition;
    const regular = order.conditionsIgnoreRth ? condition : inRegularHours(condition, entry, world);
    read.push({ condition: regular, joinsNext: given.conjunction === 'o' ? 'or' : 'and' });
  }
  return {
    key: JSON.stringify([goodAfterTime, order.conditions, order.conditionsIgnoreRth, order.conditionsCancelOrder]),
    afterMs,
    conditions: read.length === 0 ? null : new Conditions(read),
    cancels: order.conditionsCancelOrder && read.length > 0,
  };
}

function inRegularHours(condition: Condition, { calendar }: ContractEntry, world: World): Condition {
  return { ...condition, isMet: () => calendar.sessionAt(world.nowMs) !== null && condition.isMet() };
}

function readCondition(
  { type, fields }: OrderCondition,
  entry: ContractEntry,
  world: World,
  executions: Executions,
): Condition | Refusal {
  if (type === 5) return executionCondition(fields, world, executions);
  const isMore = fields[0] === '1' || fields[0].toLowerCase() === 'true';
  const text = fields[1];
  if (type === 3) {
    const parsed = parseTime(text, entry.calendar, world.nowMs);
    if (parsed === 'invalid') return invalid(`Invalid time '${text}' in condition`);
    const { timeMs } = parsed;
    return { feed: null, atMs: timeMs, isMet: () => (isMore ? world.nowMs >= timeMs : world.nowMs < timeMs) };
  }
  const level = Number(text);
  if (text === '' || !Number.isFinite(level)) return invalid(`Invalid value '${text}' in condition`);
  const reaches = (value: number): boolean => (isMore ? value >= level : value <= level);
  if (type === 4) return { feed: null, atMs: NaN, isMet: () => reaches(marginCushion(world)) };
  const found = world.contracts.byConId(Number(fields[2]));
  if (found === undefined) return invalid(`The contract ${fields[2]} of a condition is not known`);
  // nothing is known of what has no bars: its conditions are never met
  const feed: Feed | undefined = world.feeds[found.feed];
  if (feed === undefined) return { feed: null, atMs: NaN, isMet: () => false };
  const onFeed = (value: () => number): Condition => ({
    feed,
    atMs: NaN,
    isMet: () => {
      feed.settle();
      return reaches(value());
    },
  });
  switch (type) {
    case 1: {
      const method = Number(fields[4]);
      return onFeed(() => watchedPrice(method, isMore ? 1 : -1, found, feed));
    }
    case 6:
      return onFeed(() => feed.dayVolume);
    case 7:
      return onFeed(() => (feed.last / feed.previousClose - 1) * 100);
    default:
      return invalid(`Conditions of type ${type} are not known`);
  }
}

/** What is left of the account's value above the maintenance margin, percent of it. */
function marginCushion(world: World): number {
  const { netLiquidation, maintenanceMargin } = figuresOf(world);
  return ((netLiquidation - maintenanceMargin) / netLiquidation) * 100;
}

/** A trade of the account, in any order, after this one was given. */
function executionCondition(
  [secType, exchange, symbol]: readonly string[],
  { nowMs }: World,
  { records }: Executions,
): Condition {
  const from = records.length;
  const fits = (wanted: string, has: string): boolean => wanted === '' || wanted.toUpperCase() === has;
  const anywhere = exchange === '' || exchange === '*' || exchange.toUpperCase() === 'SMART';
  return {
    feed: null,
    atMs: NaN,
    isMet: () =>
      records
        .slice(from)
        .some(
          ({ working, execution, timeMs }) =>
            timeMs >= nowMs &&
            fits(secType, working.contract.secType) &&
            fits(symbol, working.contract.symbol) &&
            (anywhere || fits(exchange, execution.exchange)),
        ),
  };
}
