/** Market scanner over the instruments that are replayed: ranked by today's volume, or by the change since yesterday. */
import type { Exchange, ExchangeClient } from '../exchange-port.js';
import type { SessionRequest } from '../wire/requests.js';
import type { ContractDetails, ServerMessage } from '../wire/responses.js';

type ScanRequest = Extract<SessionRequest, { readonly type: 'reqScannerSubscription' }>;

const SCAN_CODES = ['MOST_ACTIVE', 'TOP_PERC_GAIN', 'TOP_PERC_LOSE'] as const;
type ScanCode = (typeof SCAN_CODES)[number];
const DEFAULT_ROWS = 50;
const SCANNER_ERROR = 162;

const LAST = 4;
const CLOSE = 9;
const VOLUME = 8;

export const SCANNER_PARAMETERS = `<?xml version="1.0" encoding="UTF-8"?><ScanParameterResponse><InstrumentList varName="instrumentList"><Instrument><name>US Stocks</name><type>STK</type></Instrument></InstrumentList><LocationTree varName="locationTree"><Location><displayName>US Stocks</displayName><locationCode>STK.US</locationCode></Location></LocationTree><ScanTypeList varName="scanTypeList">${SCAN_CODES.map((code) => `<ScanType><scanCode>${code}</scanCode></ScanType>`).join('')}</ScanTypeList></ScanParameterResponse>`;

/** One answer to a subscription; what changes later is not told. */
export function scan(exchange: Exchange, symbols: readonly string[], request: ScanRequest): ServerMessage {
  const code = SCAN_CODES.find((known) => known === request.scanCode);
  if (code === undefined || request.instrument !== 'STK') {
    const message = `Historical Market Data Service error message:Scan of ${request.instrument} by ${request.scanCode} is not simulated; ${SCAN_CODES.join(', ')} of STK are`;
    return { type: 'error', id: request.reqId, code: SCANNER_ERROR, message };
  }
  const found = symbols
    .map((symbol) => look(exchange, symbol))
    .filter((one) => one !== null)
    .filter(({ last }) => last >= (request.abovePrice ?? 0) && last <= (request.belowPrice ?? Infinity));
  found.sort((a, b) => score(b, code) - score(a, code));
  const rows = found.slice(0, request.rows === null || request.rows <= 0 ? DEFAULT_ROWS : request.rows);
  return { type: 'scannerData', reqId: request.reqId, rows: rows.map(({ details }) => details) };
}

interface Seen {
  readonly details: ContractDetails;
  readonly last: number;
  readonly close: number;
  readonly volume: number;
}

function score({ last, close, volume }: Seen, code: ScanCode): number {
  if (code === 'MOST_ACTIVE') return volume;
  const change = close > 0 ? last / close - 1 : 0;
  return code === 'TOP_PERC_GAIN' ? change : -change;
}

/** What a client would see that asks for the contract and a snapshot of it. */
function look(exchange: Exchange, symbol: string): Seen | null {
  const heard: ServerMessage[] = [];
  const listener: ExchangeClient = { clientId: -1, send: (message) => heard.push(message) };
  const contract = {
    conId: 0,
    symbol,
    secType: 'STK',
    lastTradeDateOrContractMonth: '',
    strike: 0,
    right: '',
    multiplier: '',
    exchange: 'SMART',
    primaryExchange: '',
    currency: 'USD',
    localSymbol: '',
    tradingClass: '',
    includeExpired: false,
    secIdType: '',
    secId: '',
    issuerId: '',
    comboLegs: [],
    deltaNeutralContract: null,
  };
  exchange.handle(listener, { type: 'reqContractDetails', reqId: 1, contract });
  exchange.handle(listener, {
    type: 'reqMktData',
    reqId: 2,
    contract,
    genericTicks: [],
    snapshot: true,
    regulatorySnapshot: false,
  });
  exchange.detach(listener);
  let details: ContractDetails | null = null;
  let [last, close, volume] = [0, 0, 0];
  for (const message of heard) {
    if (message.type === 'contractDetails') details = message.details;
    else if (message.type === 'tickPrice' && message.tickType === LAST) last = message.price;
    else if (message.type === 'tickPrice' && message.tickType === CLOSE) close = message.price;
    else if (message.type === 'tickSize' && message.tickType === VOLUME) volume = message.size;
  }
  return details === null ? null : { details, last, close, volume };
}
