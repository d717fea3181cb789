/** Which contracts exist, and which of them a client's description means. */
import type { Bars } from '#env/market/bars.js';
import { calendarNamed, type TradingCalendar } from '#env/market/calendar.js';
import type { Contract, ContractQuery } from '../wire/types.js';
import { derivatives, KNOWN_CONTRACTS, madeConId, type KnownContract } from './known-contracts.js';

/** A contract of the exchange. `feed` is the index of its bars in the options, or -1: details only. */
export interface ContractEntry {
  readonly contract: Contract;
  readonly known: KnownContract;
  readonly calendar: TradingCalendar;
  readonly increments: readonly { readonly lowEdge: number; readonly increment: number }[];
  readonly lotSize: number;
  /** Index into the market rules. */
  readonly marketRuleId: number;
  readonly feed: number;
}

/** Rules of IBKR that clients' tests and logs show, as far as they show them. */
const PUBLISHED_RULES: readonly (readonly [number, ContractEntry['increments']])[] = [
  [26, [{ lowEdge: 0, increment: 0.01 }]],
  [32, [{ lowEdge: 0, increment: 0.01 }]],
  [67, [{ lowEdge: 0, increment: 0.25 }]],
  [239, [{ lowEdge: 0, increment: 0.00005 }]],
  [635, [{ lowEdge: 0, increment: 0.0001 }]],
  [2806, [{ lowEdge: 0, increment: 0.25 }]],
];
/** Rules of which no number is known count from here. */
const FIRST_MADE_RULE = 1000;

export class ContractBook {
  readonly #entries: ContractEntry[] = [];
  /** By conId; derivatives are added as they are asked for. */
  readonly #byConId = new Map<number, ContractEntry>();
  readonly #rules = new Map<string, number>();
  readonly #incrementsByRule = new Map<number, ContractEntry['increments']>(PUBLISHED_RULES);
  /** Price at which a feed trades, by which strikes are listed; NaN: not known. */
  readonly #priceOf: (feed: number) => number;

  constructor(bars: readonly Bars[], priceOf: (feed: number) => number) {
    this.#priceOf = priceOf;
    bars.forEach((one, feed) =>
      this.#add(describe(one), one.instrument.ticks, one.instrument.lotSize, one.calendar, feed),
    );
    for (const known of KNOWN_CONTRACTS) {
      const replayed = this.#entries.some(
        ({ contract: c }) => c.secType === known.secType && c.symbol === known.symbol && c.currency === known.currency,
      );
      if (!replayed) this.#add(known, [{ lowEdge: 0, increment: known.minTick }], lotOf(known), known.calendar, -1);
    }
  }

  get entries(): readonly ContractEntry[] {
    return this.#entries;
  }

  /** Every contract that fits what is given; empty: error 200. */
  matches(query: ContractQuery, nowMs: number): ContractEntry[] {
    if (query.conId > 0) {
      const entry = this.byConId(query.conId);
      return entry !== undefined && (query.exchange === '' || trades(entry, query.exchange)) ? [entry] : [];
    }
    const wanted = normalized(query);
    const found = this.#entries.filter((entry) => fits(entry, wanted));
    if (found.length > 0) return found;
    return derivatives(wanted, nowMs, (stock) => this.priceOf(stock.conId))
      .map((known) => this.#derivative(known))
      .filter((entry) => fits(entry, wanted));
  }

  /** The entry of a derivative; where its made identifier belongs to another one, it has the next that is free. */
  #derivative(known: KnownContract): ContractEntry {
    let { conId } = known;
    for (;;) {
      const entry = this.#byConId.get(conId);
      if (entry === undefined)
        return this.#add({ ...known, conId }, [{ lowEdge: 0, increment: known.minTick }], 1, known.calendar, -1);
      if (isSameDerivative(entry.known, known)) return entry;
      conId++;
    }
  }

  byConId(conId: number): ContractEntry | undefined {
    return this.#byConId.get(conId);
  }

  /** Last price of a contract that is replayed; NaN: there is none. */
  priceOf(conId: number): number {
    const entry = this.#byConId.get(conId);
    return entry === undefined || entry.feed < 0 ? NaN : this.#priceOf(entry.feed);
  }

  increments(marketRuleId: number): ContractEntry['increments'] | undefined {
    return this.#incrementsByRule.get(marketRuleId);
  }

  #add(
    known: KnownContract,
    increments: ContractEntry['increments'],
    lotSize: number,
    calendarName: string,
    feed: number,
  ): ContractEntry {
    const exchanges = known.validExchanges.split(',');
    const entry: ContractEntry = {
      contract: {
        conId: known.conId,
        symbol: known.symbol,
        secType: known.secType,
        lastTradeDateOrContractMonth: known.lastTradeDate,
        strike: known.strike,
        right: known.right,
        multiplier: known.multiplier,
        exchange: exchanges[0],
        primaryExchange: known.primaryExchange,
        currency: known.currency,
        localSymbol: known.localSymbol,
        tradingClass: known.tradingClass,
      },
      known,
      calendar: calendarNamed(calendarName),
      increments,
      lotSize,
      marketRuleId: this.#ruleOf(increments),
      feed,
    };
    // derivatives are found by their description anew each time: the list stays small
    if (known.secType !== 'OPT' && known.secType !== 'FUT') this.#entries.push(entry);
    this.#byConId.set(known.conId, entry);
    return entry;
  }

  #ruleOf(increments: ContractEntry['increments']): number {
    const key = JSON.stringify(increments);
    let id = this.#rules.get(key);
    if (id === undefined) {
      id =
        PUBLISHED_RULES.find(([, published]) => JSON.stringify(published) === key)?.[0] ??
        this.#rules.size + FIRST_MADE_RULE;
      this.#rules.set(key, id);
      this.#incrementsByRule.set(id, increments);
    }
    return id;
  }
}

/** Local symbols of futures come again after ten years. */
function isSameDerivative(a: KnownContract, b: KnownContract): boolean {
  return a.secType === b.secType && a.localSymbol === b.localSymbol && a.lastTradeDate === b.lastTradeDate;
}

/** The contract of a data set: what is known under its name, with the data set's own exchange. */
function describe(bars: Bars): KnownContract {
  const { instrument, calendar } = bars;
  const { securityType: secType } = instrument;
  const isPair = secType === 'CASH';
  const name = isPair ? instrument.symbol.replace(/[./]/, '') : instrument.symbol;
  const symbol = isPair && name.length === 6 ? name.slice(0, 3) : name;
  const currency = isPair && name.length === 6 ? name.slice(3) : instrument.currency;
  const calendarName = calendar === 'FX' || calendar === '24x7' ? calendar : 'XNYS';
  const known = KNOWN_CONTRACTS.find((k) => k.secType === secType && k.symbol === symbol && k.currency === currency);
  if (known !== undefined) return { ...known, calendar: calendarName };
  const primary = instrument.exchange === 'SMART' ? 'NASDAQ' : instrument.exchange;
  return {
    conId: madeConId(`${secType} ${symbol} ${currency}`),
    symbol,
    secType,
    currency,
    primaryExchange: isPair || secType === 'IND' ? '' : primary,
    longName: bars.source,
    stockType: secType === 'STK' ? 'COMMON' : '',
    minTick: Math.min(...instrument.ticks.map(({ increment }) => increment)),
    calendar: calendarName,
    lastTradeDate: '',
    strike: 0,
    right: '',
    multiplier: '',
    localSymbol: isPair ? `${symbol}.${currency}` : symbol,
    tradingClass: isPair ? `${symbol}.${currency}` : secType === 'STK' && primary === 'NASDAQ' ? 'NMS' : symbol,
    validExchanges: isPair ? 'IDEALPRO' : secType === 'STK' ? `SMART,${primary}` : primary,
    underConId: 0,
    isin: '',
  };
}

const lotOf = ({ secType }: KnownContract): number => (secType === 'CRYPTO' ? 0.0001 : 1);

function normalized(query: ContractQuery): ContractQuery {
  return { ...query, symbol: query.symbol.toUpperCase(), right: query.right.toUpperCase().slice(0, 1) };
}

function trades(entry: ContractEntry, exchange: string): boolean {
  const { known } = entry;
  return (
    (exchange === 'SMART' ? known.secType !== 'CASH' || known.validExchanges.includes('SMART') : true) &&
    (exchange === 'SMART' ||
      `${known.validExchanges},${known.primaryExchange}`.split(',').includes(exchange) ||
      exchange === ALIASES[known.primaryExchange])
  );
}

/** Older names of exchanges that clients still write. */
const ALIASES: Readonly<Record<string, string>> = { NASDAQ: 'ISLAND' };

function fits(entry: ContractEntry, query: ContractQuery): boolean {
  const { contract: c, known } = entry;
  if (query.secIdType === 'ISIN' && query.secId !== '') return known.isin === query.secId;
  const given = (wanted: string, has: string): boolean => wanted === '' || wanted === has;
  return (
    (query.symbol !== '' || query.localSymbol !== '') &&
    (c.secType === query.secType || (query.secType === '' && query.localSymbol !== '')) &&
    // the local symbol of a currency pair is written with and without its dot
    given(query.symbol, c.symbol) &&
    given(query.localSymbol, c.localSymbol) &&
    given(query.currency, c.currency) &&
    given(query.tradingClass, c.tradingClass) &&
    given(query.multiplier, c.multiplier) &&
    c.lastTradeDateOrContractMonth.startsWith(query.lastTradeDateOrContractMonth) &&
    (query.strike === 0 || query.strike === c.strike || c.strike === 0) &&
    (query.primaryExchange === '' ||
      known.primaryExchange === '' ||
      query.primaryExchange === known.primaryExchange ||
      query.primaryExchange === ALIASES[known.primaryExchange]) &&
    (query.exchange === '' || trades(entry, query.exchange))
  );
}
