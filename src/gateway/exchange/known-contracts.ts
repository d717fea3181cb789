/**
 * Contracts that clients and their test suites ask for, whether or not bars of them are replayed. Without bars there
 * are details, and orders that rest and are never filled; market data is answered with an error. The contract
 * identifiers are IBKR's, where they are widely known; others are made from the contract's name.
 */
import type { Contract } from '../wire/types.js';
import { listedExpirations, listedStrikes, thirdFriday } from './option-chains.js';
import { dateText } from './wire-time.js';

export interface KnownContract {
  readonly conId: number;
  readonly symbol: string;
  readonly secType: string;
  readonly currency: string;
  readonly primaryExchange: string;
  readonly longName: string;
  readonly stockType: string;
  readonly minTick: number;
  readonly calendar: 'XNYS' | 'FX' | '24x7';
  readonly lastTradeDate: string;
  readonly strike: number;
  readonly right: string;
  readonly multiplier: string;
  readonly localSymbol: string;
  readonly tradingClass: string;
  readonly validExchanges: string;
  readonly underConId: number;
  readonly isin: string;
}

const none = { lastTradeDate: '', strike: 0, right: '', multiplier: '', underConId: 0, isin: '' };

const US_STOCK_EXCHANGES =
  'SMART,AMEX,NYSE,CBOE,PHLX,ISE,CHX,ARCA,NASDAQ,DRCTEDGE,BEX,BATS,EDGEA,BYX,IEX,EDGX,FOXRIVER,PEARL,NYSENAT,LTSE,MEMX,PSX';

const stock = (
  conId: number,
  symbol: string,
  primaryExchange: string,
  longName: string,
  stockType = 'COMMON',
  isin = '',
): KnownContract => ({
  ...none,
  conId,
  symbol,
  secType: 'STK',
  currency: 'USD',
  primaryExchange,
  longName,
  stockType,
  minTick: 0.01,
  calendar: 'XNYS',
  localSymbol: symbol,
  tradingClass: primaryExchange === 'NASDAQ' ? 'NMS' : symbol,
  validExchanges: US_STOCK_EXCHANGES,
  isin,
});

const pair = (conId: number, symbol: string, currency: string, minTick: number, longName: string): KnownContract => ({
  ...none,
  conId,
  symbol,
  secType: 'CASH',
  currency,
  primaryExchange: '',
  longName,
  stockType: '',
  minTick,
  calendar: 'FX',
  localSymbol: `${symbol}.${currency}`,
  tradingClass: `${symbol}.${currency}`,
  validExchanges: 'IDEALPRO',
});

const index = (conId: number, symbol: string, exchange: string, currency: string, longName: string): KnownContract => ({
  ...none,
  conId,
  symbol,
  secType: 'IND',
  currency,
  primaryExchange: '',
  longName,
  stockType: '',
  minTick: 0.01,
  calendar: 'XNYS',
  localSymbol: symbol,
  tradingClass: symbol,
  validExchanges: exchange,
});

const crypto = (conId: number, symbol: string, longName: string): KnownContract => ({
  ...none,
  conId,
  symbol,
  secType: 'CRYPTO',
  currency: 'USD',
  primaryExchange: '',
  longName,
  stockType: '',
  minTick: 0.25,
  calendar: '24x7',
  localSymbol: `${symbol}.USD`,
  tradingClass: symbol,
  validExchanges: 'PAXOS',
});

/** Made identifiers lie above those that IBKR has given out. */
const MADE_FROM = 1_200_000_000;
const MADE_RANGE = 800_000_000;

/** A contract identifier from a name: FNV-1a, folded. */
export function madeConId(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0;
  return MADE_FROM + (hash % MADE_RANGE);
}

/** Stocks by name alone: symbol, primary exchange, name, kind. */
const NAMED_STOCKS: readonly (readonly [string, string, string, string?])[] = [
  ['ABBV', 'NYSE', 'ABBVIE INC'],
  ['ADBE', 'NASDAQ', 'ADOBE INC'],
  ['AMC', 'NYSE', 'AMC ENTERTAINMENT HLDS-CL A'],
  ['AVGO', 'NASDAQ', 'BROADCOM INC'],
  ['AXP', 'NYSE', 'AMERICAN EXPRESS CO'],
  ['BA', 'NYSE', 'BOEING CO/THE'],
  ['BAC', 'NYSE', 'BANK OF AMERICA CORP'],
  ['C', 'NYSE', 'CITIGROUP INC'],
  ['CAT', 'NYSE', 'CATERPILLAR INC'],
  ['COST', 'NASDAQ', 'COSTCO WHOLESALE CORP'],
  ['CRM', 'NYSE', 'SALESFORCE INC'],
  ['CSCO', 'NASDAQ', 'CISCO SYSTEMS INC'],
  ['CVX', 'NYSE', 'CHEVRON CORP'],
  ['DIA', 'ARCA', 'SPDR DOW JONES INDUSTRIAL AVERAGE ETF', 'ETF'],
  ['DIS', 'NYSE', 'WALT DISNEY CO/THE'],
  ['EEM', 'ARCA', 'ISHARES MSCI EMERGING MARKETS ETF', 'ETF'],
  ['F', 'NYSE', 'FORD MOTOR CO'],
  ['GE', 'NYSE', 'GENERAL ELECTRIC'],
  ['GLD', 'ARCA', 'SPDR GOLD SHARES', 'ETF'],
  ['GM', 'NYSE', 'GENERAL MOTORS CO'],
  ['GME', 'NYSE', 'GAMESTOP CORP-CLASS A'],
  ['GS', 'NYSE', 'GOLDMAN SACHS GROUP INC'],
  ['HD', 'NYSE', 'HOME DEPOT INC'],
  ['IWM', 'ARCA', 'ISHARES RUSSELL 2000 ETF', 'ETF'],
  ['JNJ', 'NYSE', 'JOHNSON & JOHNSON'],
  ['JPM', 'NYSE', 'JPMORGAN CHASE & CO'],
  ['KO', 'NYSE', 'COCA-COLA CO/THE'],
  ['LLY', 'NYSE', 'ELI LILLY & CO'],
  ['MA', 'NYSE', 'MASTERCARD INC - A'],
  ['MCD', 'NYSE', "MCDONALD'S CORP"],
  ['MRK', 'NYSE', 'MERCK & CO. INC.'],
  ['MU', 'NASDAQ', 'MICRON TECHNOLOGY INC'],
  ['NFLX', 'NASDAQ', 'NETFLIX INC'],
  ['NKE', 'NYSE', 'NIKE INC -CL B'],
  ['ORCL', 'NYSE', 'ORACLE CORP'],
  ['PEP', 'NASDAQ', 'PEPSICO INC'],
  ['PFE', 'NYSE', 'PFIZER INC'],
  ['PG', 'NYSE', 'PROCTER & GAMBLE CO/THE'],
  ['PYPL', 'NASDAQ', 'PAYPAL HOLDINGS INC'],
  ['QCOM', 'NASDAQ', 'QUALCOMM INC'],
  ['SBUX', 'NASDAQ', 'STARBUCKS CORP'],
  ['SLV', 'ARCA', 'ISHARES SILVER TRUST', 'ETF'],
  ['T', 'NYSE', 'AT&T INC'],
  ['TLT', 'NASDAQ', 'ISHARES 20+ YEAR TREASURY BOND ETF', 'ETF'],
  ['TQQQ', 'NASDAQ', 'PROSHARES ULTRAPRO QQQ', 'ETF'],
  ['TXN', 'NASDAQ', 'TEXAS INSTRUMENTS INC'],
  ['UNH', 'NYSE', 'UNITEDHEALTH GROUP INC'],
  ['V', 'NYSE', 'VISA INC-CLASS A SHARES'],
  ['VOO', 'ARCA', 'VANGUARD S&P 500 ETF', 'ETF'],
  ['VTI', 'ARCA', 'VANGUARD TOTAL STOCK MARKET ETF', 'ETF'],
  ['VZ', 'NYSE', 'VERIZON COMMUNICATIONS INC'],
  ['WFC', 'NYSE', 'WELLS FARGO & CO'],
  ['WMT', 'NYSE', 'WALMART INC'],
  ['XLE', 'ARCA', 'ENERGY SELECT SECTOR SPDR', 'ETF'],
  ['XLF', 'ARCA', 'FINANCIAL SELECT SECTOR SPDR', 'ETF'],
  ['XLK', 'ARCA', 'TECHNOLOGY SELECT SECTOR SPDR', 'ETF'],
  ['XOM', 'NYSE', 'EXXON MOBIL CORP'],
];

export const KNOWN_CONTRACTS: readonly KnownContract[] = [
  stock(265598, 'AAPL', 'NASDAQ', 'APPLE INC', 'COMMON', 'US0378331005'),
  stock(272093, 'MSFT', 'NASDAQ', 'MICROSOFT CORP', 'COMMON', 'US5949181045'),
  stock(756733, 'SPY', 'ARCA', 'SPDR S&P 500 ETF TRUST', 'ETF', 'US78462F1030'),
  stock(320227571, 'QQQ', 'NASDAQ', 'INVESCO QQQ TRUST SERIES 1', 'ETF', 'US46090E1038'),
  stock(8314, 'IBM', 'NYSE', 'INTL BUSINESS MACHINES CORP', 'COMMON', 'US4592001014'),
  stock(3691937, 'AMZN', 'NASDAQ', 'AMAZON.COM INC', 'COMMON', 'US0231351067'),
  stock(208813720, 'GOOG', 'NASDAQ', 'ALPHABET INC-CL C', 'COMMON', 'US02079K1079'),
  stock(208813719, 'GOOGL', 'NASDAQ', 'ALPHABET INC-CL A', 'COMMON', 'US02079K3059'),
  stock(76792991, 'TSLA', 'NASDAQ', 'TESLA INC', 'COMMON', 'US88160R1014'),
  stock(4815747, 'NVDA', 'NASDAQ', 'NVIDIA CORP', 'COMMON', 'US67066G1040'),
  stock(107113386, 'META', 'NASDAQ', 'META PLATFORMS INC-CLASS A', 'COMMON', 'US30303M1027'),
  stock(270639, 'INTC', 'NASDAQ', 'INTEL CORP', 'COMMON', 'US4581401001'),
  stock(4391, 'AMD', 'NASDAQ', 'ADVANCED MICRO DEVICES', 'COMMON', 'US0079031078'),
  stock(8979, 'MMM', 'NYSE', '3M CO', 'COMMON', 'US88579Y1010'),
  stock(444857009, 'PLTR', 'NASDAQ', 'PALANTIR TECHNOLOGIES INC-A'),
  ...NAMED_STOCKS.map(([symbol, exchange, longName, stockType]) =>
    stock(madeConId(`STK ${symbol} USD`), symbol, exchange, longName, stockType),
  ),
  pair(12087792, 'EUR', 'USD', 0.00005, 'European Monetary Union Euro'),
  pair(12087797, 'GBP', 'USD', 0.00005, 'British pound'),
  pair(14433401, 'AUD', 'USD', 0.00005, 'Australian dollar'),
  pair(15016059, 'USD', 'JPY', 0.005, 'United States dollar'),
  pair(15016062, 'USD', 'CAD', 0.00005, 'United States dollar'),
  pair(12087820, 'USD', 'CHF', 0.00005, 'United States dollar'),
  pair(12087807, 'EUR', 'GBP', 0.00005, 'European Monetary Union Euro'),
  index(416904, 'SPX', 'CBOE', 'USD', 'S&P 500 Stock Index'),
  index(13455763, 'VIX', 'CBOE', 'USD', 'CBOE Volatility Index'),
  index(11004968, 'ES', 'CME', 'USD', 'E-mini S&P 500'),
  index(825711, 'DAX', 'EUREX', 'EUR', 'DAX 40 Index (Deutsche Aktien Xchange 40)'),
  crypto(479624278, 'BTC', 'Bitcoin cryptocurrency'),
  crypto(495759171, 'ETH', 'Ethereum cryptocurrency'),
  {
    ...none,
    conId: 449463867,
    symbol: 'US064159KJ44',
    secType: 'BOND',
    currency: 'USD',
    primaryExchange: '',
    longName: 'BANK OF NOVA SCOTIA',
    stockType: '',
    minTick: 0.001,
    calendar: 'XNYS',
    localSymbol: '',
    tradingClass: 'BNS',
    validExchanges: 'SMART',
    isin: 'US064159KJ44',
  },
];

/** Identifiers of derivatives that published test suites name. */
const KNOWN_DERIVATIVES: Readonly<Record<string, number>> = {
  'OPT SPY 20260116 440 C': 653318228,
  'OPT SPY 20281215 750 C': 843630132,
};

const FUTURE_ROOTS: Readonly<Record<string, { multiplier: string; minTick: number; longName: string }>> = {
  ES: { multiplier: '50', minTick: 0.25, longName: 'E-mini S&P 500' },
  MES: { multiplier: '5', minTick: 0.25, longName: 'Micro E-Mini S&P 500 Stock Price Index' },
  NQ: { multiplier: '20', minTick: 0.25, longName: 'E-mini NASDAQ 100' },
};
const MONTH_CODES = 'FGHJKMNQUVXZ';

/** The quarterly future of a known root, or null. */
function future(root: string, year: number, month: number): KnownContract | null {
  const known = FUTURE_ROOTS[root];
  if (known === undefined || month % 3 !== 0 || year < 2000 || year > 2099) return null;
  const lastTradeDate = dateText(thirdFriday(year, month - 1));
  return {
    ...none,
    conId: madeConId(`FUT ${root} ${lastTradeDate}`),
    symbol: root,
    secType: 'FUT',
    currency: 'USD',
    primaryExchange: '',
    longName: known.longName,
    stockType: '',
    minTick: known.minTick,
    calendar: 'XNYS',
    lastTradeDate,
    multiplier: known.multiplier,
    localSymbol: `${root}${MONTH_CODES[month - 1]}${year % 10}`,
    tradingClass: root,
    validExchanges: 'CME',
    underConId: 11004968,
  };
}

/**
 * The derivatives that a description means: the quarterly futures of a known root (all of the next two years where no
 * month is given), the options on a known stock (`priceOf` tells where its strikes stand; NaN: not known).
 */
export function derivatives(
  query: Contract,
  nowMs: number,
  priceOf: (stock: KnownContract) => number,
): KnownContract[] {
  const month = /^(\d{4})(\d{2})(\d{2})?$/.exec(query.lastTradeDateOrContractMonth);
  if (query.secType === 'FUT') {
    const wanted = (found: KnownContract | null): boolean =>
      found !== null &&
      found.lastTradeDate.startsWith(query.lastTradeDateOrContractMonth) &&
      (query.localSymbol === '' || query.localSymbol === found.localSymbol);
    const local = /^([A-Z]{2,3})([FGHJKMNQUVXZ])(\d)$/.exec(query.localSymbol);
    const root = query.symbol !== '' ? query.symbol : (local?.[1] ?? query.tradingClass);
    const year = new Date(nowMs).getUTCFullYear();
    const years =
      month !== null
        ? [Number(month[1])]
        : local !== null
          ? Array.from({ length: 10 }, (_, k) => year + k)
          : [year, year + 1];
    return years
      .flatMap((y) => [3, 6, 9, 12].map((m) => future(root, y, m)).filter((found) => found !== null))
      .filter(wanted);
  }
  return query.secType === 'OPT' ? options(query, nowMs, priceOf) : [];
}

/** All that a description leaves open is taken from what is listed: expirations, strikes, rights. */
function options(query: Contract, nowMs: number, priceOf: (stock: KnownContract) => number): KnownContract[] {
  const under = KNOWN_CONTRACTS.find(({ secType, symbol }) => secType === 'STK' && symbol === query.symbol);
  if (under === undefined) return [];
  const date = query.lastTradeDateOrContractMonth;
  const dates = isDate(date) ? [date] : listedExpirations(nowMs).filter((listed) => listed.startsWith(date));
  const strikes = query.strike > 0 ? [query.strike] : listedStrikes(priceOf(under));
  const right = query.right.slice(0, 1);
  const rights = right === '' ? ['C', 'P'] : right === 'C' || right === 'P' ? [right] : [];
  return dates.flatMap((day) => strikes.flatMap((strike) => rights.map((one) => option(under, day, strike, one))));
}

/** Any weekday may be asked for by its date. */
function isDate(text: string): boolean {
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(text);
  if (match === null) return false;
  const weekday = new Date(Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]))).getUTCDay();
  return weekday !== 0 && weekday !== 6;
}

export const OPTION_EXCHANGES = 'SMART,AMEX,CBOE,PHLX,ISE,BOX,NASDAQOM,CBOE2,BATS';
export const OPTION_MULTIPLIER = '100';

function option(under: KnownContract, date: string, strike: number, right: string): KnownContract {
  const { symbol } = under;
  const name = `OPT ${symbol} ${date} ${strike} ${right}`;
  const strikeText = String(Math.round(strike * 1000)).padStart(8, '0');
  return {
    ...none,
    conId: KNOWN_DERIVATIVES[name] ?? madeConId(name),
    symbol,
    secType: 'OPT',
    currency: 'USD',
    primaryExchange: '',
    longName: under.longName,
    stockType: '',
    minTick: 0.01,
    calendar: 'XNYS',
    lastTradeDate: date,
    strike,
    right,
    multiplier: OPTION_MULTIPLIER,
    localSymbol: `${symbol.padEnd(6)}${date.slice(2)}${right}${strikeText}`,
    tradingClass: symbol,
    validExchanges: OPTION_EXCHANGES,
    underConId: under.conId,
  };
}
