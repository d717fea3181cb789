/** What the parts of the exchange share: the clock, the market, the books, and the way to the clients. */
import type { ExchangeClient } from '../exchange-port.js';
import type { ServerMessage } from '../wire/responses.js';
import type { ContractBook } from './contract-book.js';
import type { Feed } from './feed.js';
import type { Ledger } from './ledger.js';
import { Timers } from './timers.js';

export class World {
  readonly account: string;
  readonly currency: string;
  readonly seed: number;
  readonly contracts: ContractBook;
  readonly feeds: readonly Feed[];
  readonly ledger: Ledger;
  readonly timers = new Timers();
  readonly clients = new Set<ExchangeClient>();
  /** Market time, epoch milliseconds. */
  nowMs: number;

  constructor(parts: {
    account: string;
    currency: string;
    seed: number;
    contracts: ContractBook;
    feeds: readonly Feed[];
    ledger: Ledger;
    nowMs: number;
  }) {
    this.account = parts.account;
    this.currency = parts.currency;
    this.seed = parts.seed;
    this.contracts = parts.contracts;
    this.feeds = parts.feeds;
    this.ledger = parts.ledger;
    this.nowMs = parts.nowMs;
  }

  /** To every connection of this clientId; nobody listens where it is gone. */
  send(clientId: number, message: ServerMessage): void {
    for (const client of this.clients) if (client.clientId === clientId) client.send(message);
  }

  /** Price at which a feed's position is marked: the last trade. */
  mark(feed: number): number {
    const { last } = this.feeds[feed];
    return Number.isNaN(last) ? 0 : last;
  }
}
