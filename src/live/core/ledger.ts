/**
 * The exact ledger of one symbol: executions once each, corrections in place of what they correct, commissions
 * whenever they come. Money is in whole millionths of the currency, so that sums do not depend on their order.
 */
import { fail } from '#src/errors.js';
import type { ExecutionReport } from '#src/broker/contract.js';

export const MICRO = 1_000_000;

/** A currency amount in millionths; prices beyond six decimals do not exist. */
export function toMicro(amount: number, what: string): number {
  const micro = Math.round(amount * MICRO);
  if (!Number.isSafeInteger(micro))
    fail('LIVE_LEDGER', {
      where: what,
      value: amount,
      message: 'this amount is not a number of millionths below 2^53',
    });
  return micro;
}

interface Booked {
  report: ExecutionReport;
  commissionMicro: number | null;
  /** Of the execution that the commission was charged for; -1: none. */
  commissionRevision: number;
}

export class Ledger {
  readonly symbol: string;
  /** Signed units held. */
  position = 0;
  /** Of the open position, commission excluded; 0 when flat. */
  averagePrice = 0;
  /** Sum of -(quantity x price) and -commissions. */
  cashMicro = 0;
  readonly #byRoot = new Map<string, Booked>();
  /** Units filled, by orderRef. */
  readonly #filled = new Map<string, number>();
  /** Roots of executions whose own commission has not come. */
  readonly #uncharged = new Set<string>();
  /** Commissions that came before their execution, by root and revision. */
  readonly #early = new Map<string, { revision: number; micro: number }>();

  constructor(symbol: string) {
    this.symbol = symbol;
  }

  get executions(): number {
    return this.#byRoot.size;
  }

  /** Executions whose commission has not been reported. */
  get uncharged(): number {
    return this.#uncharged.size;
  }

  get commissionMicro(): number {
    let sum = 0;
    for (const { commissionMicro } of this.#byRoot.values()) sum += commissionMicro ?? 0;
    return sum;
  }

  /** Units that an order has filled. */
  filledOf(orderRef: string): number {
    return this.#filled.get(orderRef) ?? 0;
  }

  /** `new`, `corrected`, or `known` where it changes nothing. */
  book(report: ExecutionReport): 'new' | 'corrected' | 'known' {
    const known = this.#byRoot.get(report.execRoot);
    if (known !== undefined) {
      if (report.revision <= known.report.revision) return 'known';
      known.report = report;
      if (known.commissionRevision < report.revision) this.#uncharged.add(report.execRoot);
      this.#recompute();
      return 'corrected';
    }
    const early = this.#early.get(report.execRoot);
    this.#early.delete(report.execRoot);
    const booked: Booked = {
      report,
      commissionMicro: early?.micro ?? null,
      commissionRevision: early?.revision ?? -1,
    };
    this.#byRoot.set(report.execRoot, booked);
    if (booked.commissionRevision < report.revision) this.#uncharged.add(report.execRoot);
    this.#apply(report);
    if (early !== undefined) this.cashMicro -= early.micro;
    return 'new';
  }

  /** A commission report; the newest revision's counts. */
  charge(execRoot: string, revision: number, amount: number): void {
    const micro = toMicro(amount, `commission of ${execRoot}`);
    const booked = this.#byRoot.get(execRoot);
    if (booked === undefined) {
      const before = this.#early.get(execRoot);
      if (before === undefined || revision >= before.revision) this.#early.set(execRoot, { revision, micro });
      return;
    }
    if (revision < Math.max(booked.report.revision, booked.commissionRevision)) return;
    this.cashMicro -= micro - (booked.commissionMicro ?? 0);
    booked.commissionMicro = micro;
    booked.commissionRevision = revision;
    this.#uncharged.delete(execRoot);
  }

  #apply({ side, quantity, price, execRoot, orderRef }: ExecutionReport): void {
    this.#filled.set(orderRef, this.filledOf(orderRef) + quantity);
    const signed = side === 'BUY' ? quantity : -quantity;
    this.cashMicro -= Math.round(signed * toMicro(price, `execution ${execRoot}`));
    const before = this.position;
    const after = before + signed;
    if (after === 0) this.averagePrice = 0;
    else if (before === 0 || after > 0 !== before > 0) this.averagePrice = price;
    else if (signed > 0 === before > 0) this.averagePrice = (before * this.averagePrice + signed * price) / after;
    this.position = after;
  }

  #recompute(): void {
    this.position = 0;
    this.averagePrice = 0;
    this.cashMicro = 0;
    this.#filled.clear();
    for (const { report, commissionMicro } of this.#byRoot.values()) {
      this.#apply(report);
      this.cashMicro -= commissionMicro ?? 0;
    }
  }
}
