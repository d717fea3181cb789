/** Requests about the past: bars (kept up to date where asked), ticks, the first instant, the histogram, the schedule. */
import type { ExchangeClient } from '../exchange-port.js';
import type { ExchangeRequest } from '../wire/requests.js';
import type { HistoricalBar, ServerMessage } from '../wire/responses.js';
import type { ContractQuery } from '../wire/types.js';
import type { Feed } from './feed.js';
import { History } from './history.js';
import { parseHistoryQuery, type HistoryQuery } from './history-query.js';
import { AMBIGUOUS, NO_DEFINITION } from './market-data.js';
import { knownSessionsBetween } from './sessions.js';
import { hasVolume, midpoint, offers, type GatheredBar, type Show, type TickShow } from './show.js';
import type { World } from './world.js';
import { dateText, localTimeText, parseTime, utcTimeText, zoneName } from './wire-time.js';

type RequestOf<Type extends ExchangeRequest['type']> = Extract<ExchangeRequest, { readonly type: Type }>;

interface Following {
  readonly client: ExchangeClient;
  readonly reqId: number;
  readonly feed: Feed;
  readonly query: HistoryQuery;
  readonly useRth: boolean;
  readonly formatDate: number;
}

const MOST_TICKS = 1000;
const BAD_TIME =
  'End Date/Time: The date, time, or time-zone entered is invalid. The correct format is yyyymmdd hh:mm:ss xx/xxxx where yyyymmdd and xx/xxxx are optional (E.g.: 20031126 15:59:00 US/Eastern), or yyyymmdd-hh:mm:ss in UTC.';

export class HistoryService {
  readonly #world: World;
  readonly #history = new History();
  #following: Following[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** Whether bars of the feed are kept up to date. */
  follows(feed: Feed): boolean {
    return this.#following.some((one) => one.feed === feed);
  }

  detach(client: ExchangeClient): void {
    this.#following = this.#following.filter((one) => one.client !== client);
  }

  drop(): void {
    this.#following = [];
  }

  reqHistoricalData(client: ExchangeClient, request: RequestOf<'reqHistoricalData'>): void {
    const { reqId, contract, endDateTime, duration, barSize, whatToShow, useRth, keepUpToDate } = request;
    const formatDate = request.formatDate === 2 ? 2 : 1;
    if (keepUpToDate && endDateTime !== '')
      return invalid(client, reqId, 'End date is not supported with bars that are kept up to date');
    const feed = this.#feedFor(client, reqId, contract, whatToShow);
    if (feed === null) return;
    const end =
      endDateTime === ''
        ? { timeMs: this.#nowOf(feed), zoned: true }
        : parseTime(endDateTime, feed.calendar, this.#world.nowMs);
    if (end === 'invalid') return error(client, reqId, 10314, BAD_TIME);
    if (!end.zoned)
      client.send({
        type: 'error',
        id: reqId,
        code: 2174,
        message:
          'You submitted request with date-time attributes without explicit time zone. The time zone of the exchange was taken; please write it, or use yyyymmdd-hh:mm:ss in UTC.',
      });
    if (whatToShow === 'SCHEDULE') return this.#schedule(client, reqId, feed, duration, end.timeMs);
    const query = parseHistoryQuery(barSize, duration, whatToShow, keepUpToDate);
    if (typeof query === 'string') return invalid(client, reqId, query);
    if (!this.#hasData(client, reqId, feed, query.show, contract)) return;
    if (keepUpToDate && this.#following.some((one) => one.client === client && one.reqId === reqId))
      return error(client, reqId, 322, 'Error processing request.-Duplicate ticker id');
    // what lies ahead is not known: an end in the future is now
    const range = this.#history.range(feed, query, Math.min(end.timeMs, this.#nowOf(feed)), useRth);
    const found = this.#history.bars(feed, range, query.size, query.show, useRth, this.#nowOf(feed));
    if (found.length === 0 && !keepUpToDate) return noData(client, reqId, contract, whatToShow);
    client.send({
      type: 'historicalData',
      reqId,
      start: localTimeText(range.fromMs, feed.calendar),
      end: localTimeText(range.toMs, feed.calendar),
      bars: found.map((bar) => shown(bar, feed, query, formatDate)),
    });
    if (keepUpToDate) this.#following.push({ client, reqId, feed, query, useRth, formatDate });
  }

  cancelHistoricalData(client: ExchangeClient, reqId: number): void {
    const at = this.#following.findIndex((one) => one.client === client && one.reqId === reqId);
    if (at >= 0) this.#following.splice(at, 1);
    else error(client, reqId, 366, `No historical data query found for ticker id:${reqId}`);
  }

  /** Five seconds of a feed are over: the bars that are kept up to date are told. */
  onWindow(feed: Feed, windowEndMs: number): void {
    for (const one of this.#following) {
      if (one.feed !== feed) continue;
      const { query, useRth } = one;
      const bar = this.#history.currentBar(feed, query, useRth, windowEndMs);
      if (bar !== null)
        one.client.send({
          type: 'historicalDataUpdate',
          reqId: one.reqId,
          bar: shown(bar, feed, query, one.formatDate),
        });
    }
  }

  reqHeadTimestamp(client: ExchangeClient, request: RequestOf<'reqHeadTimestamp'>): void {
    const { reqId, contract, whatToShow, useRth, formatDate } = request;
    const feed = this.#feedFor(client, reqId, contract, whatToShow);
    if (feed === null) return;
    let t = 0;
    if (useRth) while (t < feed.bars.length - 1 && !feed.isRegular(t)) t++;
    const timeMs = feed.startOf(t);
    const timestamp = formatDate === 2 ? String(Math.floor(timeMs / 1000)) : utcTimeText(timeMs);
    client.send({ type: 'headTimestamp', reqId, timestamp });
  }

  reqHistoricalTicks(client: ExchangeClient, request: RequestOf<'reqHistoricalTicks'>): void {
    const { reqId, contract, startDateTime, endDateTime, numberOfTicks, whatToShow, useRth } = request;
    const feed = this.#feedFor(client, reqId, contract, whatToShow);
    if (feed === null) return;
    const backwards = startDateTime === '';
    if (backwards === (endDateTime === ''))
      return invalid(client, reqId, 'Exactly one of the start and the end of historical ticks must be given');
    if (whatToShow !== 'TRADES' && whatToShow !== 'BID_ASK' && whatToShow !== 'MIDPOINT')
      return invalid(client, reqId, `What to show field is missing or incorrect: '${whatToShow}'`);
    const parsed = parseTime(backwards ? endDateTime : startDateTime, feed.calendar, this.#world.nowMs);
    if (parsed === 'invalid') return error(client, reqId, 10314, BAD_TIME);
    if (!this.#hasData(client, reqId, feed, whatToShow, contract)) return;
    const nowMs = this.#nowOf(feed);
    const fromMs = backwards ? -Infinity : parsed.timeMs;
    const toMs = backwards ? Math.min(parsed.timeMs, nowMs) : nowMs;
    const wanted = Math.min(Math.max(1, numberOfTicks), MOST_TICKS);
    client.send(this.#tickMessage(reqId, feed, whatToShow, fromMs, toMs, backwards, useRth, wanted));
  }

  /** The last `wanted` ticks of a feed, whatever the hour. */
  recentTicks(client: ExchangeClient, reqId: number, feed: Feed, show: TickShow, wanted: number): void {
    const most = Math.min(wanted, MOST_TICKS);
    client.send(this.#tickMessage(reqId, feed, show, -Infinity, this.#nowOf(feed), true, false, most));
  }

  #tickMessage(
    reqId: number,
    feed: Feed,
    show: TickShow,
    fromMs: number,
    toMs: number,
    backwards: boolean,
    useRth: boolean,
    wanted: number,
  ): ServerMessage {
    const from = Math.max(fromMs, feed.startOf(0));
    const gather = <Tick>(make: (path: Feed['path'], i: number) => Tick | null): Tick[] => {
      const ticks: Tick[] = [];
      this.#history.ticks(feed, from, toMs, backwards, useRth, (path, i) => {
        const tick = make(path, i);
        if (tick !== null) ticks.push(tick);
        return ticks.length < wanted;
      });
      return backwards ? ticks.reverse() : ticks;
    };
    const secondOf = (path: Feed['path'], i: number): number => Math.floor(path.timeMs[i] / 1000);
    const { exchange, securityType } = feed.bars.instrument;
    if (show === 'TRADES') {
      const ticks = gather((path, i) =>
        path.size[i] === 0
          ? null
          : {
              timeSec: secondOf(path, i),
              attributes: 0,
              price: path.price[i],
              size: path.size[i],
              exchange,
              conditions: '',
            },
      );
      return { type: 'historicalTicksLast', reqId, ticks, done: true };
    }
    if (show === 'BID_ASK') {
      const ticks = gather((path, i) => ({
        timeSec: secondOf(path, i),
        attributes: 0,
        bidPrice: path.bid[i],
        askPrice: path.ask[i],
        bidSize: path.bidSize[i],
        askSize: path.askSize[i],
      }));
      return { type: 'historicalTicksBidAsk', reqId, ticks, done: true };
    }
    const ticks = gather((path, i) => ({
      timeSec: secondOf(path, i),
      price: securityType === 'CASH' ? path.price[i] : midpoint(path.bid[i], path.ask[i]),
      size: 0,
    }));
    return { type: 'historicalTicks', reqId, ticks, done: true };
  }

  reqHistogramData(client: ExchangeClient, request: RequestOf<'reqHistogramData'>): void {
    const { reqId, contract, timePeriod, useRth } = request;
    const feed = this.#feedFor(client, reqId, contract, 'TRADES');
    if (feed === null) return;
    const match = /^ *(\d{1,4}) *(second|day|week|month|year)s? *$/.exec(timePeriod);
    const unit =
      match === null ? undefined : ({ second: 'S', day: 'D', week: 'W', month: 'M', year: 'Y' } as const)[match[2]];
    if (match === null || unit === undefined)
      return invalid(client, reqId, `Histogram period is invalid: '${timePeriod}'`);
    const nowMs = this.#nowOf(feed);
    const query: HistoryQuery = { size: 'day', count: Number(match[1]), unit, show: 'TRADES' };
    const { fromMs } = this.#history.range(feed, query, nowMs, useRth);
    const sizes = new Map<number, number>();
    this.#history.ticks(feed, fromMs, nowMs, false, useRth, (path, i) => {
      if (path.size[i] > 0) sizes.set(path.price[i], (sizes.get(path.price[i]) ?? 0) + path.size[i]);
      return true;
    });
    const items = [...sizes].sort(([a], [b]) => a - b).map(([price, size]) => ({ price, size }));
    client.send({ type: 'histogramData', reqId, items });
  }

  #schedule(client: ExchangeClient, reqId: number, feed: Feed, duration: string, endMs: number): void {
    const query = parseHistoryQuery('1 day', duration, 'TRADES', false);
    if (typeof query === 'string') return invalid(client, reqId, query);
    const { fromMs } = this.#history.range(feed, query, endMs, true);
    const { calendar } = feed;
    const stamp = (timeMs: number): string => localTimeText(timeMs, calendar).replace(' ', '-').split(' ')[0];
    const sessions = knownSessionsBetween(calendar, fromMs, endMs).map(({ dayId, openMs, closeMs }) => ({
      start: stamp(openMs),
      end: stamp(closeMs),
      refDate: dateText(dayId),
    }));
    if (sessions.length === 0)
      return error(client, reqId, 162, 'Historical Market Data Service error message:HMDS query returned no data');
    client.send({
      type: 'historicalSchedule',
      reqId,
      start: sessions[0].start,
      end: sessions[sessions.length - 1].end,
      timeZoneId: zoneName(calendar),
      sessions,
    });
  }

  /** The past ends with the last tick that has happened: those of this very instant may not have. */
  #nowOf(feed: Feed): number {
    const next = feed.nextMs();
    return Math.min(this.#world.nowMs + 1, next);
  }

  #hasData(client: ExchangeClient, reqId: number, feed: Feed, show: Show, query: ContractQuery): boolean {
    if (offers(feed.bars.instrument.securityType, show)) return true;
    noData(client, reqId, query, show);
    return false;
  }

  #feedFor(client: ExchangeClient, reqId: number, query: ContractQuery, whatToShow: string): Feed | null {
    const found = this.#world.contracts.matches(query, this.#world.nowMs);
    if (found.length !== 1) {
      error(client, reqId, 200, found.length === 0 ? NO_DEFINITION : AMBIGUOUS);
      return null;
    }
    const feed = this.#world.feeds[found[0].feed];
    if (feed !== undefined) return feed;
    noData(client, reqId, query, whatToShow);
    return null;
  }
}

function shown(bar: GatheredBar, feed: Feed, query: HistoryQuery, formatDate: number): HistoricalBar {
  const traded = hasVolume(query.show);
  const date =
    typeof query.size !== 'number'
      ? dateText(bar.dayId)
      : formatDate === 2
        ? String(Math.floor(bar.startMs / 1000))
        : localTimeText(bar.startMs, feed.calendar);
  return {
    date,
    open: bar.open,
    high: bar.high,
    low: bar.low,
    close: bar.close,
    volume: traded ? bar.volume : -1,
    wap: traded ? bar.wap : -1,
    count: traded ? bar.count : -1,
  };
}

function error(client: ExchangeClient, id: number, code: number, message: string): void {
  client.send({ type: 'error', id, code, message });
}

function invalid(client: ExchangeClient, id: number, cause: string): void {
  error(client, id, 321, `Error validating request.-'bW' : cause - ${cause}`);
}

function noData(client: ExchangeClient, id: number, { symbol, exchange }: ContractQuery, whatToShow: string): void {
  const what = whatToShow.charAt(0) + whatToShow.slice(1).toLowerCase();
  error(
    client,
    id,
    162,
    `Historical Market Data Service error message:HMDS query returned no data: ${symbol}@${exchange} ${what}`,
  );
}
