/** Subscriptions to market data: quotes, ticks, five-second bars; and what each event sends to whom. */
import type { ExchangeClient } from '../exchange-port.js';
import type { ExchangeRequest } from '../wire/requests.js';
import type { ServerMessage } from '../wire/responses.js';
import type { ContractQuery } from '../wire/types.js';
import type { Feed } from './feed.js';
import { isShow, midpoint, offers, realtimeBarMessage, type Show, type TickShow } from './show.js';
import { QuoteStream } from './quote-stream.js';
import { Windows } from './windows.js';
import type { World } from './world.js';

/** Ticks of the past that belong to a tick-by-tick subscription. */
const TICKS_OF = { Last: 'TRADES', AllLast: 'TRADES', BidAsk: 'BID_ASK', MidPoint: 'MIDPOINT' } as const;

type RequestOf<Type extends ExchangeRequest['type']> = Extract<ExchangeRequest, { readonly type: Type }>;

interface TickSubscription {
  readonly client: ExchangeClient;
  readonly reqId: number;
  readonly kind: 'Last' | 'AllLast' | 'BidAsk' | 'MidPoint';
  bid: number;
  ask: number;
}

interface BarSubscription {
  readonly client: ExchangeClient;
  readonly reqId: number;
  readonly show: Show;
  readonly useRth: boolean;
}

/** All of one feed. */
interface Watchers {
  quotes: QuoteStream[];
  ticks: TickSubscription[];
  bars: BarSubscription[];
}

export class MarketData {
  readonly #world: World;
  readonly #watchers: readonly Watchers[];
  readonly windows: readonly Windows[];
  /** Type that each client asked for: 1 live, 2 frozen, 3 delayed, 4 delayed frozen. */
  readonly #askedType = new WeakMap<ExchangeClient, number>();
  /** A fault: data turns to this type; 1: none. */
  #forcedType: 1 | 2 | 3 | 4 = 1;
  /** (feeds) market time until which a feed says nothing. */
  readonly #staleUntilMs: Float64Array;

  constructor(world: World) {
    this.#world = world;
    this.#watchers = world.feeds.map(() => ({ quotes: [], ticks: [], bars: [] }));
    this.windows = world.feeds.map((feed) => new Windows(feed));
    this.#staleUntilMs = new Float64Array(world.feeds.length).fill(-Infinity);
  }

  /** Whether anybody looks at the feed's ticks. */
  isWatched(feed: Feed): boolean {
    const { quotes, ticks, bars } = this.#watchers[feed.index];
    return quotes.length > 0 || ticks.length > 0 || bars.length > 0;
  }

  /** A tick that nobody looked at: it is part of the window under way. */
  catchUp(feed: Feed): void {
    const windows = this.windows[feed.index];
    if (feed.lastTimeMs >= windows.endMs) windows.end();
    windows.add(feed);
  }

  isStale(feed: Feed): boolean {
    return this.#world.nowMs < this.#staleUntilMs[feed.index];
  }

  makeStale(feed: number, untilMs: number): void {
    this.#staleUntilMs[feed] = untilMs;
  }

  forceType(type: 1 | 2 | 3 | 4): void {
    this.#forcedType = type;
    this.#world.feeds.forEach((feed) => {
      for (const stream of this.#watchers[feed.index].quotes) stream.turn(this.#typeFor(stream.client, feed), feed);
    });
  }

  drop(): void {
    for (const watchers of this.#watchers) {
      watchers.quotes = [];
      watchers.ticks = [];
      watchers.bars = [];
    }
  }

  detach(client: ExchangeClient): void {
    for (const watchers of this.#watchers) {
      watchers.quotes = watchers.quotes.filter((one) => one.client !== client);
      watchers.ticks = watchers.ticks.filter((one) => one.client !== client);
      watchers.bars = watchers.bars.filter((one) => one.client !== client);
    }
  }

  // requests

  reqMarketDataType(client: ExchangeClient, type: number): void {
    if (type >= 1 && type <= 4) this.#askedType.set(client, type);
    else error(client, -1, 321, `Error validating request.-'bW' : cause - Invalid market data type ${type}`);
  }

  reqMktData(client: ExchangeClient, request: RequestOf<'reqMktData'>): void {
    const { reqId, contract, snapshot, regulatorySnapshot } = request;
    const feed = this.#feedFor(client, reqId, contract, 354, 'Requested market data is not subscribed.');
    if (feed === null) return;
    const once = snapshot || regulatorySnapshot;
    if (!once && this.#isTaken(client, reqId))
      return error(client, reqId, 322, 'Error processing request.-Duplicate ticker id');
    const stream = new QuoteStream(client, reqId, request.genericTicks);
    stream.begin(this.#typeFor(client, feed), feed);
    if (once) {
      stream.update(feed, this.#world.nowMs);
      client.send({ type: 'tickSnapshotEnd', reqId });
      return;
    }
    this.#watchers[feed.index].quotes.push(stream);
    if (!this.isStale(feed)) stream.update(feed, this.#world.nowMs);
  }

  cancelMktData(client: ExchangeClient, reqId: number): void {
    this.#cancel(client, reqId, 'quotes');
  }

  /** Where the client wants ticks that have happened, `recent` tells them first. */
  reqTickByTick(
    client: ExchangeClient,
    request: RequestOf<'reqTickByTickData'>,
    recent: (feed: Feed, show: TickShow, wanted: number) => void,
  ): void {
    const { reqId, contract, tickType, numberOfTicks } = request;
    const kind = (['Last', 'AllLast', 'BidAsk', 'MidPoint'] as const).find((one) => one === tickType);
    if (kind === undefined)
      return error(
        client,
        reqId,
        321,
        `Error validating request.-'bW' : cause - Invalid tick-by-tick type '${tickType}'`,
      );
    const feed = this.#feedFor(
      client,
      reqId,
      contract,
      10189,
      'Failed to request tick-by-tick data.No market data permissions',
    );
    if (feed === null) return;
    const quoted = kind === 'BidAsk' || kind === 'MidPoint';
    const { securityType } = feed.bars.instrument;
    if ((securityType === 'CASH' && !quoted) || (securityType === 'IND' && quoted))
      return error(
        client,
        reqId,
        10189,
        `Failed to request tick-by-tick data:${kind} is not available for ${securityType}`,
      );
    if (this.#isTaken(client, reqId)) return error(client, reqId, 322, 'Error processing request.-Duplicate ticker id');
    this.#watchers[feed.index].ticks.push({ client, reqId, kind, bid: NaN, ask: NaN });
    if (numberOfTicks > 0) recent(feed, TICKS_OF[kind], numberOfTicks);
  }

  cancelTickByTick(client: ExchangeClient, reqId: number): void {
    this.#cancel(client, reqId, 'ticks');
  }

  reqRealTimeBars(client: ExchangeClient, request: RequestOf<'reqRealTimeBars'>): void {
    const { reqId, contract, barSize, whatToShow, useRth } = request;
    const feed = this.#feedFor(client, reqId, contract, 420, 'Invalid Real-time Query:No market data permissions');
    if (feed === null) return;
    if (barSize !== 5 && barSize !== 0)
      return error(
        client,
        reqId,
        321,
        `Error validating request.-'bW' : cause - Real-time bars are of 5 seconds, not ${barSize}`,
      );
    if (!isShow(whatToShow) || whatToShow === 'ADJUSTED_LAST' || whatToShow === 'BID_ASK')
      return error(
        client,
        reqId,
        321,
        `Error validating request.-'bW' : cause - What to show field is invalid: '${whatToShow}'`,
      );
    if (!offers(feed.bars.instrument.securityType, whatToShow))
      return error(
        client,
        reqId,
        420,
        `Invalid Real-time Query:${whatToShow} is not available for ${feed.bars.instrument.securityType}`,
      );
    if (this.#isTaken(client, reqId)) return error(client, reqId, 322, 'Error processing request.-Duplicate ticker id');
    this.windows[feed.index].bar(whatToShow);
    this.#watchers[feed.index].bars.push({ client, reqId, show: whatToShow, useRth });
  }

  cancelRealTimeBars(client: ExchangeClient, reqId: number): void {
    this.#cancel(client, reqId, 'bars');
  }

  // events

  onTick(feed: Feed): void {
    this.windows[feed.index].add(feed);
    const { quotes, ticks } = this.#watchers[feed.index];
    if ((quotes.length === 0 && ticks.length === 0) || this.isStale(feed)) return;
    for (const stream of quotes) stream.update(feed, this.#world.nowMs);
    for (const one of ticks) sendTick(one, feed);
  }

  /** The window of five seconds is over. */
  onWindow(feed: Feed): void {
    const windows = this.windows[feed.index];
    const { bars } = this.#watchers[feed.index];
    if (bars.length > 0 && !this.isStale(feed)) {
      for (const { client, reqId, show, useRth } of bars) {
        const bar = windows.bar(show);
        // one that was asked for after the window's last tick begins with the next window
        if (Number.isNaN(bar.open) || (useRth && !feed.inSession(bar.startMs))) continue;
        client.send(realtimeBarMessage(reqId, bar, show));
      }
    }
    windows.end();
  }

  #typeFor(client: ExchangeClient, feed: Feed): number {
    if (this.#forcedType !== 1) return this.#forcedType;
    const asked = this.#askedType.get(client) ?? 1;
    // who may have live data gets it, whatever else was asked for, but for the frozen quote of a closed market
    return asked === 2 && !feed.inSession(this.#world.nowMs) ? 2 : 1;
  }

  #feedFor(client: ExchangeClient, reqId: number, query: ContractQuery, code: number, message: string): Feed | null {
    const found = this.#world.contracts.matches(query, this.#world.nowMs);
    if (found.length !== 1) {
      error(client, reqId, 200, found.length === 0 ? NO_DEFINITION : AMBIGUOUS);
      return null;
    }
    const feed = this.#world.feeds[found[0].feed];
    if (feed !== undefined) return feed;
    error(
      client,
      reqId,
      code,
      `${message}: no bars of ${found[0].contract.symbol} ${found[0].contract.secType} are replayed`,
    );
    return null;
  }

  #isTaken(client: ExchangeClient, reqId: number): boolean {
    return this.#watchers.some((watchers) =>
      [watchers.quotes, watchers.ticks, watchers.bars].some((list) =>
        list.some((one) => one.client === client && one.reqId === reqId),
      ),
    );
  }

  #cancel(client: ExchangeClient, reqId: number, kind: keyof Watchers): void {
    for (const watchers of this.#watchers) {
      const list: { client: ExchangeClient; reqId: number }[] = watchers[kind];
      const at = list.findIndex((one) => one.client === client && one.reqId === reqId);
      if (at < 0) continue;
      list.splice(at, 1);
      return;
    }
    error(client, reqId, 300, `Can't find EId with tickerId:${reqId}`);
  }
}

export const NO_DEFINITION = 'No security definition has been found for the request';
export const AMBIGUOUS = 'The contract description specified is ambiguous; more than one contract fits it';

function error(client: ExchangeClient, id: number, code: number, message: string): void {
  client.send({ type: 'error', id, code, message });
}

function sendTick(one: TickSubscription, feed: Feed): void {
  const i = feed.ticked - 1;
  const { path } = feed;
  const timeSec = Math.floor(path.timeMs[i] / 1000);
  const { client, reqId, kind } = one;
  let message: ServerMessage;
  if (kind === 'Last' || kind === 'AllLast') {
    if (path.size[i] === 0) return;
    const { exchange } = feed.bars.instrument;
    const [price, size] = [path.price[i], path.size[i]];
    message = {
      type: 'tickByTickLast',
      reqId,
      all: kind === 'AllLast',
      timeSec,
      price,
      size,
      attributes: 0,
      exchange,
      conditions: '',
    };
  } else {
    const [bidPrice, askPrice] = [path.bid[i], path.ask[i]];
    if (kind === 'MidPoint' && bidPrice === one.bid && askPrice === one.ask) return;
    one.bid = bidPrice;
    one.ask = askPrice;
    const [bidSize, askSize] = [path.bidSize[i], path.askSize[i]];
    message =
      kind === 'BidAsk'
        ? { type: 'tickByTickBidAsk', reqId, timeSec, bidPrice, askPrice, bidSize, askSize, attributes: 0 }
        : { type: 'tickByTickMidPoint', reqId, timeSec, midPoint: midpoint(bidPrice, askPrice) };
  }
  client.send(message);
}
