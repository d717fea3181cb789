/** All orders of the broker: by client and identifier, by instrument, by group. */
import type { WorkingOrder } from './working-order.js';

export class OrderBooks {
  /** Every order of the session, in the order of arrival. */
  readonly all: WorkingOrder[] = [];
  /** Transmitted and not ended, by feed, in the order of arrival. */
  readonly #working: WorkingOrder[][];
  /** Those of contracts without bars. */
  readonly #elsewhere: WorkingOrder[] = [];
  /** The latest order of each client and identifier. */
  readonly #byId = new Map<string, WorkingOrder>();
  /** Groups of which an order was filled to its end, or at all where a fill cancels the others. */
  readonly #closedGroups = new Set<string>();
  readonly #highest = new Map<number, number>();
  readonly #lists: readonly WorkingOrder[][];
  /** After a rollback: the first identifier that is given out, until a new one is used; and where old ones begin. */
  #rolledBackTo: number | null = null;
  #reissuedFrom = Infinity;
  #nextPermId: number;

  constructor(feeds: number, seed: number) {
    this.#working = Array.from({ length: feeds }, () => []);
    this.#lists = [...this.#working, this.#elsewhere];
    this.#nextPermId = 1_000_000_000 + (seed % 1000) * 100_000;
  }

  find(clientId: number, orderId: number): WorkingOrder | undefined {
    return this.#byId.get(`${clientId}/${orderId}`);
  }

  /** First identifier above all that the client has used, and above those of all open orders. */
  nextValidId(clientId: number): number {
    if (this.#rolledBackTo !== null) return this.#rolledBackTo;
    let next = (this.#highest.get(clientId) ?? 0) + 1;
    for (const list of this.#lists) for (const { orderId } of list) if (orderId >= next) next = orderId + 1;
    return next;
  }

  highest(clientId: number): number {
    return this.#highest.get(clientId) ?? 0;
  }

  rollBack(orderId: number): void {
    this.#rolledBackTo = orderId;
    this.#reissuedFrom = Math.min(this.#reissuedFrom, orderId);
  }

  /** Whether the identifier may have been given out a second time. */
  mayBeReissued(orderId: number): boolean {
    return orderId >= this.#reissuedFrom;
  }

  nextPermId(): number {
    return this.#nextPermId++;
  }

  add(working: WorkingOrder): void {
    const { clientId, orderId } = working;
    this.all.push(working);
    this.#byId.set(`${clientId}/${orderId}`, working);
    if (orderId > this.highest(clientId)) {
      this.#highest.set(clientId, orderId);
      // a new identifier was used: the rolled-back counter moves on
      if (this.#rolledBackTo !== null) this.#rolledBackTo = null;
    }
  }

  /** The order is now in the market's hands. */
  enter(working: WorkingOrder): void {
    this.of(working.entry.feed).push(working);
  }

  /** It has ended. */
  leave(working: WorkingOrder): void {
    const list = this.of(working.entry.feed);
    const at = list.indexOf(working);
    if (at >= 0) list.splice(at, 1);
  }

  /** Working orders of a feed; live: copy it where it may change under way. */
  of(feed: number): WorkingOrder[] {
    return feed < 0 ? this.#elsewhere : this.#working[feed];
  }

  working(): WorkingOrder[] {
    return this.#lists.flat().sort((a, b) => a.permId - b.permId);
  }

  /** A group has had its fill: no order joins it any more. */
  closeGroup(ocaGroup: string): void {
    if (ocaGroup !== '') this.#closedGroups.add(ocaGroup);
  }

  isClosedGroup(ocaGroup: string): boolean {
    return this.#closedGroups.has(ocaGroup);
  }

  /** The other working orders of its group, which may span instruments. */
  groupOf(working: WorkingOrder): WorkingOrder[] {
    const { ocaKey } = working;
    if (ocaKey === '') return [];
    const siblings: WorkingOrder[] = [];
    for (const list of this.#lists)
      for (const other of list) if (other !== working && other.ocaKey === ocaKey) siblings.push(other);
    return siblings;
  }
}
