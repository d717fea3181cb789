/**
 * Cash and positions, exact: integers in millionths of the currency. Every change is an entry of the journal, and the
 * ledger is what the entries add up to; a corrected execution replaces its entry, and the ledger is added up again.
 */
import { fail } from '#src/errors.js';

export const MICROS = 1_000_000;

/** Amounts beyond this are no longer exact: nine thousand million currency units. */
const MOST_MICROS = Number.MAX_SAFE_INTEGER;

/** Millionths of an amount; throws GATEWAY_STATE where they are not exact any more. */
export function toMicros(amount: number): number {
  const micros = Math.round(amount * MICROS);
  if (!(Math.abs(micros) <= MOST_MICROS)) {
    fail('GATEWAY_STATE', {
      where: 'ledger',
      value: amount,
      message: 'amounts beyond nine thousand million are not exact: take smaller orders or less initial cash',
    });
  }
  return micros;
}

/** A position smaller than this is float noise of a corporate action's ratio, and is none. */
const DUST = 1e-9;

/** Signed: quantities, and costs as paid (negative: received). */
export class Position {
  quantity = 0;
  /** What the open position cost, commissions included, millionths; of a short, minus what was received. */
  costMicros = 0;
  realizedMicros = 0;
  /** Of the trading day: realized, what was paid (-) and received, and the value at its start. */
  dayRealizedMicros = 0;
  dayCashMicros = 0;
  dayStartValueMicros = 0;
  /** Whether it was ever held. */
  touched = false;

  /** Average cost a unit, commissions included; 0 when flat. */
  get averageCost(): number {
    return this.quantity === 0 ? 0 : this.costMicros / MICROS / this.quantity;
  }
}

export type LedgerEntry =
  | {
      readonly kind: 'fill';
      readonly feed: number;
      /** Signed. */
      readonly quantity: number;
      readonly price: number;
      readonly commissionMicros: number;
      readonly execId: string;
    }
  | { readonly kind: 'borrow'; readonly feed: number; readonly micros: number }
  /** One old share became `ratio` new ones. */
  | { readonly kind: 'shares'; readonly feed: number; readonly ratio: number }
  /** A trading day begins, each instrument marked at `marks` (NaN: not held). */
  | { readonly kind: 'day'; readonly marks: Float64Array };

export class Ledger {
  readonly #initialMicros: number;
  readonly #journal: LedgerEntry[] = [];
  readonly positions: readonly Position[];
  cashMicros: number;
  /** Net liquidation at the start of the trading day. */
  dayStartMicros: number;
  dayRealizedMicros = 0;
  realizedMicros = 0;

  constructor(initialCash: number, instruments: number) {
    this.#initialMicros = toMicros(initialCash);
    this.cashMicros = this.#initialMicros;
    this.dayStartMicros = this.#initialMicros;
    this.positions = Array.from({ length: instruments }, () => new Position());
  }

  /** Books an entry; of a fill, returns what it realized in millionths, or null where it opened or added only. */
  book(entry: LedgerEntry): number | null {
    const realized = this.#apply(entry);
    this.#journal.push(entry);
    return realized;
  }

  /** Replaces the fill of `execId`, and adds everything up again. Returns what it now realized. */
  replaceFill(execId: string, replacement: Extract<LedgerEntry, { kind: 'fill' }>): number | null {
    const at = this.#journal.findIndex((entry) => entry.kind === 'fill' && entry.execId === execId);
    if (at < 0) fail('GATEWAY_STATE', { where: 'ledger', value: execId, message: 'there is no such execution' });
    this.#journal[at] = replacement;
    this.cashMicros = this.#initialMicros;
    this.dayStartMicros = this.#initialMicros;
    this.dayRealizedMicros = 0;
    this.realizedMicros = 0;
    for (const position of this.positions) Object.assign(position, new Position());
    let realized: number | null = null;
    this.#journal.forEach((entry, index) => {
      const one = this.#apply(entry);
      if (index === at) realized = one;
    });
    return realized;
  }

  /** Cash plus positions at `marks`, millionths. */
  netLiquidationMicros(marks: (feed: number) => number): number {
    let micros = this.cashMicros;
    this.positions.forEach((position, feed) => {
      if (position.quantity !== 0) micros += Math.round(position.quantity * marks(feed) * MICROS);
    });
    return micros;
  }

  #apply(entry: LedgerEntry): number | null {
    switch (entry.kind) {
      case 'fill':
        return this.#fill(this.positions[entry.feed], entry.quantity, entry.price, entry.commissionMicros);
      case 'borrow':
        this.cashMicros -= entry.micros;
        this.positions[entry.feed].dayCashMicros -= entry.micros;
        return null;
      case 'shares':
        this.positions[entry.feed].quantity *= entry.ratio;
        return null;
      case 'day':
        this.#beginDay(entry.marks);
        return null;
    }
  }

  #beginDay(marks: Float64Array): void {
    this.dayRealizedMicros = 0;
    this.dayStartMicros = this.netLiquidationMicros((feed) => marks[feed]);
    this.positions.forEach((position, feed) => {
      position.dayRealizedMicros = 0;
      position.dayCashMicros = 0;
      position.dayStartValueMicros = position.quantity === 0 ? 0 : Math.round(position.quantity * marks[feed] * MICROS);
    });
  }

  #fill(position: Position, quantity: number, price: number, commissionMicros: number): number | null {
    const paid = toMicros(quantity * price) + commissionMicros;
    this.cashMicros -= paid;
    position.dayCashMicros -= paid;
    position.touched = true;
    const held = position.quantity;
    let after = held + quantity;
    if (Math.abs(after) < DUST) after = 0;
    position.quantity = after;
    if (held === 0 || held > 0 === quantity > 0) {
      position.costMicros += paid;
      return null;
    }
    const closed = Math.min(Math.abs(quantity), Math.abs(held));
    // a fill that turns the position round closes one with its share and opens the other with the rest
    const paidForClosing =
      after === 0 || after > 0 === held > 0 ? paid : Math.round((paid * closed) / Math.abs(quantity));
    const cost =
      closed === Math.abs(held) || after === 0
        ? position.costMicros
        : Math.round((position.costMicros * closed) / Math.abs(held));
    position.costMicros += -cost + (paid - paidForClosing);
    const realized = -paidForClosing - cost;
    position.realizedMicros += realized;
    position.dayRealizedMicros += realized;
    this.realizedMicros += realized;
    this.dayRealizedMicros += realized;
    return realized;
  }
}
