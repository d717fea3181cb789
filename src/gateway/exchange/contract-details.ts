/** What reqContractDetails, reqMatchingSymbols and reqMarketRule say of a contract. */
import type { TradingCalendar } from '#env/market/calendar.js';
import type { ContractDetails, ServerMessage } from '../wire/responses.js';
import type { ExchangeRequest } from '../wire/requests.js';
import type { ContractQuery } from '../wire/types.js';
import type { ContractBook, ContractEntry } from './contract-book.js';
import { OPTION_EXCHANGES, OPTION_MULTIPLIER } from './known-contracts.js';
import { listedExpirations, listedStrikes } from './option-chains.js';
import { knownSession, localDay } from './sessions.js';
import { dateText, hoursText, zoneName } from './wire-time.js';

type SecDefRequest = Extract<ExchangeRequest, { readonly type: 'reqSecDefOptParams' }>;

const HOUR_MS = 3_600_000;

/** As many days of hours as IBKR sends. */
const HOURS_DAYS = 6;
/** US stocks trade from 04:00 to 20:00, and until 17:00 on half days: four hours after the close, 5.5 before the open. */
const EARLY_MS = 5.5 * HOUR_MS;
const LATE_MS = 4 * HOUR_MS;

const ORDER_TYPES =
  'ACTIVETIM,DAY,GTC,GTD,IOC,FOK,LIT,LMT,LOC,MIT,MKT,MOC,NONALGO,OCA,OUTSIDERTH,SCALE,STP,STPLMT,TRAIL,TRAILLIT,TRAILLMT,WHATIF';

/** "date:hhmm-date:hhmm;date:CLOSED;...", of the days from `timeMs` on. `extended`: with the hours around the session. */
export function sessionHours(calendar: TradingCalendar, timeMs: number, extended: boolean): string {
  const first = localDay(calendar, timeMs);
  const days: string[] = [];
  for (let dayId = first; dayId < first + HOURS_DAYS; dayId++) {
    const session = knownSession(calendar, dayId);
    if (session === undefined) break;
    if (session === null) {
      days.push(`${dateText(dayId)}:CLOSED`);
      continue;
    }
    const widen = extended && calendar.name === 'XNYS';
    const from = session.openMs - (widen ? EARLY_MS : 0);
    const to = session.closeMs + (widen ? LATE_MS : 0);
    days.push(`${hoursText(from, calendar)}-${hoursText(to, calendar)}`);
  }
  return days.join(';');
}

/** `price` is what the contract trades at, NaN: not known; its increment is the one that clients go by. */
export function detailsOf(entry: ContractEntry, query: ContractQuery, nowMs: number, price: number): ContractDetails {
  const { contract, known, calendar } = entry;
  const isPair = known.secType === 'CASH';
  const valid = known.validExchanges.split(',');
  return {
    contract: { ...contract, exchange: query.exchange === '' ? contract.exchange : query.exchange },
    marketName: known.tradingClass,
    minTick: incrementAt(entry.increments, price),
    orderTypes: ORDER_TYPES,
    validExchanges: known.validExchanges,
    priceMagnifier: 1,
    underConId: known.underConId,
    longName: known.longName,
    contractMonth: known.lastTradeDate.slice(0, 6),
    industry: '',
    category: '',
    subcategory: '',
    timeZoneId: zoneName(calendar),
    tradingHours: sessionHours(calendar, nowMs, true),
    liquidHours: sessionHours(calendar, nowMs, false),
    secIdList: known.isin === '' ? [] : [{ tag: 'ISIN', value: known.isin }],
    aggGroup: isPair ? 4 : 1,
    underSymbol: known.secType === 'OPT' || known.secType === 'FUT' ? known.symbol : '',
    underSecType: known.secType === 'OPT' ? 'STK' : known.secType === 'FUT' ? 'IND' : '',
    marketRuleIds: valid.map(() => entry.marketRuleId).join(','),
    realExpirationDate: known.lastTradeDate,
    stockType: known.stockType,
    minSize: entry.lotSize,
    sizeIncrement: entry.lotSize,
    suggestedSizeIncrement: known.secType === 'STK' ? 100 : entry.lotSize,
  };
}

function incrementAt(increments: ContractEntry['increments'], price: number): number {
  return (increments.findLast(({ lowEdge }) => price >= lowEdge) ?? increments[0]).increment;
}

/** Options of one underlying, one message an exchange. */
export function optionParameters(
  book: ContractBook,
  { reqId, underlyingConId, underlyingSecType }: SecDefRequest,
  nowMs: number,
): ServerMessage[] {
  const entry = book.byConId(underlyingConId);
  const end: ServerMessage = { type: 'securityDefinitionOptionParameterEnd', reqId };
  const strikes = listedStrikes(book.priceOf(underlyingConId));
  if (entry?.known.secType !== 'STK' || underlyingSecType !== 'STK' || strikes.length === 0) return [end];
  const expirations = listedExpirations(nowMs);
  return [
    ...OPTION_EXCHANGES.split(',').map((exchange): ServerMessage => ({
      type: 'securityDefinitionOptionParameter',
      reqId,
      exchange,
      underlyingConId,
      tradingClass: entry.known.symbol,
      multiplier: OPTION_MULTIPLIER,
      expirations,
      strikes,
    })),
    end,
  ];
}

/** At most so many samples, as from IBKR. */
const MOST_SAMPLES = 16;

export function matchingSymbols(book: ContractBook, reqId: number, pattern: string): ServerMessage {
  const wanted = pattern.trim().toUpperCase();
  const samples = book.entries
    .filter(
      ({ known }) =>
        wanted !== '' && (known.symbol.startsWith(wanted) || known.longName.toUpperCase().includes(wanted)),
    )
    .sort((a, b) => Number(b.known.symbol === wanted) - Number(a.known.symbol === wanted))
    .slice(0, MOST_SAMPLES)
    .map(({ contract, known }) => ({
      contract,
      derivativeSecTypes: known.secType === 'STK' ? ['CFD', 'OPT', 'IOPT', 'WAR', 'BAG'] : [],
      description: known.longName,
    }));
  return { type: 'symbolSamples', reqId, samples };
}
