/** One subscription of reqMktData: what it has sent, so that it sends changes only. */
import type { ExchangeClient } from '../exchange-port.js';
import type { Feed } from './feed.js';

/** Live tick type -> delayed one. */
const DELAYED: Readonly<Record<number, number>> = {
  0: 69,
  1: 66,
  2: 67,
  3: 70,
  4: 68,
  5: 71,
  6: 72,
  7: 73,
  8: 74,
  9: 75,
  14: 76,
  45: 88,
};
const [BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, HIGH, LOW, VOLUME, CLOSE, OPEN] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14,
];
const LAST_TIMESTAMP = 45;
const RT_VOLUME = 48;
const HALTED = 49;

export class QuoteStream {
  readonly client: ExchangeClient;
  readonly reqId: number;
  readonly #withRtVolume: boolean;
  #type = 1;
  /** Last value sent by live tick type; NaN: none. */
  readonly #sent = new Float64Array(16).fill(NaN);
  #tickedAtMs = NaN;

  constructor(client: ExchangeClient, reqId: number, genericTicks: readonly string[]) {
    this.client = client;
    this.reqId = reqId;
    this.#withRtVolume = genericTicks.includes('233') || genericTicks.includes('375');
  }

  begin(type: number, feed: Feed): void {
    this.#type = type;
    const { client, reqId } = this;
    client.send({ type: 'marketDataType', reqId, marketDataType: type });
    client.send({
      type: 'tickReqParams',
      reqId,
      minTick: Number.isNaN(feed.last) ? feed.grid.minTick : feed.grid.increment(feed.last),
      bboExchange: '9c0001',
      snapshotPermissions: 3,
    });
    if (!this.#isDelayed) client.send({ type: 'tickGeneric', reqId, tickType: HALTED, value: 0 });
  }

  /** The data turns to another type: everything is said anew. */
  turn(type: number, feed: Feed): void {
    if (type === this.#type) return;
    this.#sent.fill(NaN);
    this.#type = type;
    this.client.send({ type: 'marketDataType', reqId: this.reqId, marketDataType: type });
    this.update(feed, feed.lastTimeMs);
  }

  get #isDelayed(): boolean {
    return this.#type >= 3;
  }

  /** Sends what has changed. */
  update(feed: Feed, nowMs: number): void {
    const isIndex = feed.bars.instrument.securityType === 'IND';
    const isCash = feed.bars.instrument.securityType === 'CASH';
    if (!isIndex) {
      this.#quote(BID, BID_SIZE, feed.bid, feed.bidSize);
      this.#quote(ASK, ASK_SIZE, feed.ask, feed.askSize);
    }
    if (!isCash && !Number.isNaN(feed.last)) this.#trade(feed, nowMs);
    this.#price(HIGH, feed.dayHigh);
    this.#price(LOW, feed.dayLow);
    if (!isCash) this.#size(VOLUME, feed.dayVolume);
    this.#price(CLOSE, feed.previousClose);
    if (!isCash) this.#price(OPEN, feed.dayOpen);
  }

  #trade(feed: Feed, nowMs: number): void {
    if (feed.lastTimeMs === this.#tickedAtMs) return;
    this.#tickedAtMs = feed.lastTimeMs;
    const { client, reqId } = this;
    this.#quote(LAST, LAST_SIZE, feed.last, feed.lastSize);
    const tickType = this.#isDelayed ? DELAYED[LAST_TIMESTAMP] : LAST_TIMESTAMP;
    client.send({ type: 'tickString', reqId, tickType, value: String(Math.floor(feed.lastTimeMs / 1000)) });
    if (!this.#withRtVolume) return;
    const value = `${feed.last};${feed.lastSize};${Math.floor(nowMs)};${feed.dayVolume};${feed.last};true`;
    client.send({ type: 'tickString', reqId, tickType: RT_VOLUME, value });
  }

  /** A price with its size: the size alone where only it has changed; -1 where there is no quote yet. */
  #quote(priceType: number, sizeType: number, price: number, size: number): void {
    const shown = Number.isNaN(price) ? -1 : price;
    const shownSize = Number.isNaN(size) ? 0 : size;
    if (this.#sent[priceType] !== shown) {
      this.#sent[priceType] = shown;
      this.#sent[sizeType] = shownSize;
      this.client.send({
        type: 'tickPrice',
        reqId: this.reqId,
        tickType: this.#isDelayed ? DELAYED[priceType] : priceType,
        price: shown,
        size: shownSize,
        attributes: priceType === BID || priceType === ASK ? 1 : 0,
      });
    } else this.#size(sizeType, shownSize);
  }

  #price(tickType: number, price: number): void {
    if (Number.isNaN(price) || this.#sent[tickType] === price) return;
    this.#sent[tickType] = price;
    const shown = this.#isDelayed ? DELAYED[tickType] : tickType;
    this.client.send({ type: 'tickPrice', reqId: this.reqId, tickType: shown, price, size: 0, attributes: 0 });
  }

  #size(tickType: number, size: number): void {
    if (this.#sent[tickType] === size) return;
    this.#sent[tickType] = size;
    const shown = this.#isDelayed ? DELAYED[tickType] : tickType;
    this.client.send({ type: 'tickSize', reqId: this.reqId, tickType: shown, size });
  }
}
