/** Subscriptions to account, portfolio, positions and P&L: answered at once, told again as things change. */
import type { ExchangeClient } from '../exchange-port.js';
import type { ServerMessage } from '../wire/responses.js';
import type { Contract } from '../wire/types.js';
import { accountValues, dailyOf, figuresOf, summaryValues, valueOf, type AccountValue } from './account-report.js';
import { MICROS } from './ledger.js';
import type { World } from './world.js';
import { minuteText } from './wire-time.js';

type Kind = 'updates' | 'updatesMulti' | 'summary' | 'positions' | 'positionsMulti' | 'pnl' | 'pnlSingle';

interface Subscription {
  readonly client: ExchangeClient;
  readonly kind: Kind;
  readonly reqId: number;
  readonly tags: readonly string[];
  readonly feed: number;
  readonly modelCode: string;
  /** Values as last sent, by key and currency. */
  readonly sent: Map<string, string>;
}

/** IBKR tells changed account values about every three minutes, P&L every second. */
const VALUES_EVERY_MS = 180_000;
const PNL_EVERY_MS = 1000;

export class AccountService {
  readonly #world: World;
  #subscriptions: Subscription[] = [];
  #valuesToldMs = -Infinity;
  #pnlToldMs = -Infinity;

  constructor(world: World) {
    this.#world = world;
  }

  /** Whether anybody looks at marks that move with every tick. */
  get watchesMarks(): boolean {
    return this.#subscriptions.some(({ kind }) => kind === 'pnl' || kind === 'pnlSingle');
  }

  detach(client: ExchangeClient): void {
    this.#subscriptions = this.#subscriptions.filter((one) => one.client !== client);
  }

  // requests

  reqAccountUpdates(client: ExchangeClient, subscribe: boolean, account: string): void {
    this.#end(client, 'updates', 0);
    if (!subscribe) return;
    if (!this.#isOurs(client, -1, account)) return;
    const one = this.#begin(client, 'updates', 0);
    this.#sendValues(one);
    for (const feed of this.#world.feeds)
      if (this.#world.ledger.positions[feed.index].touched) this.#sendPortfolio(one, feed.index);
    client.send({ type: 'accountUpdateTime', time: this.#clock() });
    client.send({ type: 'accountDownloadEnd', account: this.#world.account });
  }

  reqAccountUpdatesMulti(client: ExchangeClient, reqId: number, account: string, modelCode: string): void {
    if (!this.#isOurs(client, reqId, account)) return;
    this.#sendValues(this.#begin(client, 'updatesMulti', reqId, { modelCode }));
    client.send({ type: 'accountUpdateMultiEnd', reqId });
  }

  reqAccountSummary(client: ExchangeClient, reqId: number, group: string, tags: readonly string[]): void {
    if (group !== 'All' && group !== this.#world.account)
      return error(client, reqId, 321, `Error validating request.-'bW' : cause - Group name '${group}' is not known`);
    if (
      this.#subscriptions.filter((one) => one.client === client && one.kind === 'summary' && one.reqId !== reqId)
        .length >= 2
    )
      return error(client, reqId, 322, 'Error processing request.-Maximum number of account summary requests exceeded');
    this.#sendValues(this.#begin(client, 'summary', reqId, { tags }));
    client.send({ type: 'accountSummaryEnd', reqId });
  }

  reqPositions(client: ExchangeClient): void {
    this.#begin(client, 'positions', 0);
    this.#eachPosition((feed) => client.send(this.#positionMessage(feed)));
    client.send({ type: 'positionEnd' });
  }

  reqPositionsMulti(client: ExchangeClient, reqId: number, account: string, modelCode: string): void {
    if (!this.#isOurs(client, reqId, account)) return;
    const one = this.#begin(client, 'positionsMulti', reqId, { modelCode });
    this.#eachPosition((feed) => this.#sendPosition(one, feed));
    client.send({ type: 'positionMultiEnd', reqId });
  }

  reqPnl(client: ExchangeClient, reqId: number, account: string): void {
    if (!this.#isOurs(client, reqId, account)) return;
    this.#sendPnl(this.#begin(client, 'pnl', reqId));
  }

  reqPnlSingle(client: ExchangeClient, reqId: number, account: string, conId: number): void {
    if (!this.#isOurs(client, reqId, account)) return;
    const entry = this.#world.contracts.entries.find(({ contract }) => contract.conId === conId);
    if (entry === undefined) return error(client, reqId, 200, 'No security definition has been found for the request');
    this.#sendPnl(this.#begin(client, 'pnlSingle', reqId, { feed: entry.feed }));
  }

  cancel(client: ExchangeClient, kind: Kind, reqId: number): void {
    if (!this.#end(client, kind, reqId) && kind !== 'updates' && kind !== 'positions')
      error(client, reqId, 300, `Can't find EId with tickerId:${reqId}`);
  }

  // events

  /** A position has changed. */
  onFill(feed: number): void {
    for (const one of this.#subscriptions) {
      if (one.kind === 'updates') {
        this.#sendPortfolio(one, feed);
        this.#sendValues(one);
      } else if (one.kind === 'positions' || one.kind === 'positionsMulti') this.#sendPosition(one, feed);
    }
  }

  /** Market time has passed. */
  onTime(): void {
    const { nowMs } = this.#world;
    if (this.#subscriptions.length === 0) return;
    if (nowMs - this.#pnlToldMs >= PNL_EVERY_MS) {
      this.#pnlToldMs = nowMs;
      for (const one of this.#subscriptions) if (one.kind === 'pnl' || one.kind === 'pnlSingle') this.#sendPnl(one);
    }
    if (nowMs - this.#valuesToldMs < VALUES_EVERY_MS) return;
    this.#valuesToldMs = nowMs;
    for (const one of this.#subscriptions) {
      if (one.kind === 'updates') {
        this.#eachPosition((feed) => this.#sendPortfolio(one, feed));
        this.#sendValues(one);
        one.client.send({ type: 'accountUpdateTime', time: this.#clock() });
      } else if (one.kind === 'summary' || one.kind === 'updatesMulti') this.#sendValues(one);
    }
  }

  // messages

  /** Values that have changed since they were last sent. */
  #sendValues(one: Subscription): void {
    const values = one.kind === 'summary' ? summaryValues(this.#world, one.tags) : accountValues(this.#world);
    for (const value of values) {
      const name = `${value.key} ${value.currency}`;
      if (one.sent.get(name) === value.value) continue;
      one.sent.set(name, value.value);
      one.client.send(this.#valueMessage(one, value));
    }
  }

  #valueMessage(one: Subscription, { key, value, currency }: AccountValue): ServerMessage {
    const { account } = this.#world;
    if (one.kind === 'summary') return { type: 'accountSummary', reqId: one.reqId, account, tag: key, value, currency };
    if (one.kind === 'updates') return { type: 'accountValue', key, value, currency, account };
    return { type: 'accountUpdateMulti', reqId: one.reqId, account, modelCode: one.modelCode, key, value, currency };
  }

  #sendPortfolio(one: Subscription, feed: number): void {
    const position = this.#world.ledger.positions[feed];
    const { value, unrealized, price } = valueOf(this.#world, feed);
    one.client.send({
      type: 'portfolioValue',
      contract: this.#contractOf(feed),
      position: position.quantity,
      marketPrice: price,
      marketValue: value,
      averageCost: position.averageCost,
      unrealizedPnl: unrealized,
      realizedPnl: position.dayRealizedMicros / MICROS,
      account: this.#world.account,
    });
  }

  #sendPosition(one: Subscription, feed: number): void {
    const message = this.#positionMessage(feed);
    if (one.kind === 'positions') return one.client.send(message);
    const { account, contract, position, averageCost } = message;
    one.client.send({
      type: 'positionMulti',
      reqId: one.reqId,
      account,
      modelCode: one.modelCode,
      contract,
      position,
      averageCost,
    });
  }

  #positionMessage(feed: number): Extract<ServerMessage, { type: 'position' }> {
    const position = this.#world.ledger.positions[feed];
    return {
      type: 'position',
      account: this.#world.account,
      contract: this.#contractOf(feed),
      position: position.quantity,
      averageCost: position.averageCost,
    };
  }

  #sendPnl(one: Subscription): void {
    const { ledger } = this.#world;
    if (one.kind === 'pnl') {
      const f = figuresOf(this.#world);
      const text = `${f.daily} ${f.unrealized} ${f.realized}`;
      if (one.sent.get('pnl') === text) return;
      one.sent.set('pnl', text);
      one.client.send({
        type: 'pnl',
        reqId: one.reqId,
        daily: f.daily,
        unrealized: f.unrealized,
        realized: f.realized,
      });
      return;
    }
    const position = ledger.positions[one.feed];
    const held = position?.quantity ?? 0;
    const { value, unrealized } = position === undefined ? { value: 0, unrealized: 0 } : valueOf(this.#world, one.feed);
    const daily = position === undefined ? 0 : dailyOf(this.#world, one.feed, position);
    const realized = (position?.dayRealizedMicros ?? 0) / MICROS;
    const text = `${held} ${daily} ${unrealized} ${realized} ${value}`;
    if (one.sent.get('pnl') === text) return;
    one.sent.set('pnl', text);
    one.client.send({ type: 'pnlSingle', reqId: one.reqId, position: held, daily, unrealized, realized, value });
  }

  /** Positions that are held; the portfolio's closed ones are told as they close. */
  #eachPosition(each: (feed: number) => void): void {
    this.#world.ledger.positions.forEach((position, feed) => {
      if (position.quantity !== 0) each(feed);
    });
  }

  /** Without an exchange, as positions and portfolio carry it. */
  #contractOf(feed: number): Contract {
    const entry = this.#world.contracts.entries[feed];
    return { ...entry.contract, exchange: entry.contract.primaryExchange };
  }

  #clock(): string {
    return minuteText(this.#world.nowMs, this.#world.contracts.entries[0].calendar);
  }

  #isOurs(client: ExchangeClient, reqId: number, account: string): boolean {
    if (account === '' || account === this.#world.account || account === 'All') return true;
    error(client, reqId, 321, `Error validating request.-'bW' : cause - Invalid account code '${account}'`);
    return false;
  }

  #begin(client: ExchangeClient, kind: Kind, reqId: number, more: Partial<Subscription> = {}): Subscription {
    this.#end(client, kind, reqId);
    const one: Subscription = { client, kind, reqId, tags: [], feed: -1, modelCode: '', sent: new Map(), ...more };
    this.#subscriptions.push(one);
    return one;
  }

  #end(client: ExchangeClient, kind: Kind, reqId: number): boolean {
    const at = this.#subscriptions.findIndex(
      (one) => one.client === client && one.kind === kind && one.reqId === reqId,
    );
    if (at >= 0) this.#subscriptions.splice(at, 1);
    return at >= 0;
  }
}

function error(client: ExchangeClient, id: number, code: number, message: string): void {
  client.send({ type: 'error', id, code, message });
}
