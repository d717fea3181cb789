/** Requests of a client, for server versions 157 to 193: fields in, typed request out, nothing left over. */
import { FieldReader } from './fields.js';
import {
  readComboLegs,
  readContract,
  readContractAndExpired,
  readContractWithoutPrimary,
  toQuery,
} from './parse-contract.js';
import { parsePlaceOrder } from './parse-order.js';
import type { ClientRequest } from './requests.js';
import type { ContractQuery } from './types.js';
import { SINCE } from './versions.js';

type Parser = (r: FieldReader, version: number) => ClientRequest;

/** A request of which only "version, reqId" is said. */
const versionedId =
  <T extends ClientRequest['type']>(make: (reqId: number) => ClientRequest & { readonly type: T }): Parser =>
  (r) => {
    r.skip(1);
    return make(r.int('reqId'));
  };

const PARSERS: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [1, readMktData],
  [2, versionedId((reqId) => ({ type: 'cancelMktData', reqId }))],
  [4, readCancelOrder],
  [5, (r) => versionOnly(r, { type: 'reqOpenOrders' })],
  [
    6,
    (r) => {
      r.skip(1);
      return { type: 'reqAccountUpdates', subscribe: r.bool('subscribe'), account: r.text() };
    },
  ],
  [7, readExecutions],
  [
    8,
    (r) => {
      r.skip(1);
      return { type: 'reqIds', count: r.int('numIds') };
    },
  ],
  [9, readContractDetails],
  [10, readMktDepth],
  [
    11,
    (r) => {
      r.skip(1);
      return { type: 'cancelMktDepth', reqId: r.int('reqId'), smartDepth: r.bool('isSmartDepth') };
    },
  ],
  [
    12,
    (r) => {
      r.skip(1);
      return { type: 'reqNewsBulletins', all: r.bool('allMsgs') };
    },
  ],
  [13, (r) => versionOnly(r, { type: 'cancelNewsBulletins' })],
  [
    14,
    (r) => {
      r.skip(1);
      return { type: 'setServerLogLevel', level: r.int('logLevel') };
    },
  ],
  [
    15,
    (r) => {
      r.skip(1);
      return { type: 'reqAutoOpenOrders', bind: r.bool('bAutoBind') };
    },
  ],
  [16, (r) => versionOnly(r, { type: 'reqAllOpenOrders' })],
  [17, (r) => versionOnly(r, { type: 'reqManagedAccts' })],
  [
    18,
    (r) => {
      r.skip(1);
      return { type: 'requestFA', faDataType: r.int('faDataType') };
    },
  ],
  [
    19,
    (r) => {
      r.skip(1);
      const faDataType = r.int('faDataType');
      const xml = r.text();
      return { type: 'replaceFA', faDataType, xml, reqId: r.int('reqId') };
    },
  ],
  [20, readHistoricalData],
  [21, readExerciseOptions],
  [22, readScannerSubscription],
  [23, versionedId((reqId) => ({ type: 'cancelScannerSubscription', reqId }))],
  [24, (r) => versionOnly(r, { type: 'reqScannerParameters' })],
  [25, versionedId((reqId) => ({ type: 'cancelHistoricalData', reqId }))],
  [49, (r) => versionOnly(r, { type: 'reqCurrentTime' })],
  [50, readRealTimeBars],
  [51, versionedId((reqId) => ({ type: 'cancelRealTimeBars', reqId }))],
  [52, readFundamentalData],
  [53, versionedId((reqId) => ({ type: 'cancelFundamentalData', reqId }))],
  [
    54,
    (r) => {
      r.skip(1);
      const reqId = r.int('reqId');
      const contract = readContract(r);
      const optionPrice = r.double('optionPrice');
      const underPrice = r.double('underPrice');
      skipOptions(r);
      return { type: 'calculateImpliedVolatility', reqId, contract, optionPrice, underPrice };
    },
  ],
  [
    55,
    (r) => {
      r.skip(1);
      const reqId = r.int('reqId');
      const contract = readContract(r);
      const volatility = r.double('volatility');
      const underPrice = r.double('underPrice');
      skipOptions(r);
      return { type: 'calculateOptionPrice', reqId, contract, volatility, underPrice };
    },
  ],
  [56, versionedId((reqId) => ({ type: 'cancelCalculateImpliedVolatility', reqId }))],
  [57, versionedId((reqId) => ({ type: 'cancelCalculateOptionPrice', reqId }))],
  [
    58,
    (r, version) => {
      r.skip(version >= SINCE.CME_TAGGING_FIELDS ? 2 : 1);
      return { type: 'reqGlobalCancel' };
    },
  ],
  [
    59,
    (r) => {
      r.skip(1);
      return { type: 'reqMarketDataType', marketDataType: r.int('marketDataType') };
    },
  ],
  [61, (r) => versionOnly(r, { type: 'reqPositions' })],
  [
    62,
    (r) => {
      r.skip(1);
      const reqId = r.int('reqId');
      const group = r.text();
      const tags = splitList(r.text());
      return { type: 'reqAccountSummary', reqId, group, tags };
    },
  ],
  [63, versionedId((reqId) => ({ type: 'cancelAccountSummary', reqId }))],
  [64, (r) => versionOnly(r, { type: 'cancelPositions' })],
  [65, (r) => verify(r, 65, 3)],
  [66, (r) => verify(r, 66, 2)],
  [67, versionedId((reqId) => ({ type: 'queryDisplayGroups', reqId }))],
  [
    68,
    (r) => {
      r.skip(1);
      return { type: 'subscribeToGroupEvents', reqId: r.int('reqId'), groupId: r.int('groupId') };
    },
  ],
  [
    69,
    (r) => {
      r.skip(1);
      return { type: 'updateDisplayGroup', reqId: r.int('reqId'), contractInfo: r.text() };
    },
  ],
  [70, versionedId((reqId) => ({ type: 'unsubscribeFromGroupEvents', reqId }))],
  [
    71,
    (r) => {
      r.skip(1);
      return { type: 'startApi', clientId: r.int('clientId'), optionalCapabilities: r.text() };
    },
  ],
  [72, (r) => verify(r, 72, 4)],
  [73, (r) => verify(r, 73, 3)],
  [
    74,
    (r) => {
      r.skip(1);
      return { type: 'reqPositionsMulti', reqId: r.int('reqId'), account: r.text(), modelCode: r.text() };
    },
  ],
  [75, versionedId((reqId) => ({ type: 'cancelPositionsMulti', reqId }))],
  [
    76,
    (r) => {
      r.skip(1);
      const reqId = r.int('reqId');
      const account = r.text();
      const modelCode = r.text();
      return { type: 'reqAccountUpdatesMulti', reqId, account, modelCode, ledgerAndNlv: r.bool('ledgerAndNLV') };
    },
  ],
  [77, versionedId((reqId) => ({ type: 'cancelAccountUpdatesMulti', reqId }))],
  [
    78,
    (r) => ({
      type: 'reqSecDefOptParams',
      reqId: r.int('reqId'),
      underlyingSymbol: r.text(),
      futFopExchange: r.text(),
      underlyingSecType: r.text(),
      underlyingConId: r.int('underlyingConId'),
    }),
  ],
  [79, (r) => ({ type: 'reqSoftDollarTiers', reqId: r.int('reqId') })],
  [80, () => ({ type: 'reqFamilyCodes' })],
  [81, (r) => ({ type: 'reqMatchingSymbols', reqId: r.int('reqId'), pattern: r.text() })],
  [82, () => ({ type: 'reqMktDepthExchanges' })],
  [83, (r) => ({ type: 'reqSmartComponents', reqId: r.int('reqId'), bboExchange: r.text() })],
  [
    84,
    (r) => {
      const reqId = r.int('reqId');
      const provider = r.text();
      const articleId = r.text();
      r.skip(1); // options
      return { type: 'reqNewsArticle', reqId, provider, articleId };
    },
  ],
  [85, () => ({ type: 'reqNewsProviders' })],
  [
    86,
    (r) => {
      const request = {
        type: 'reqHistoricalNews',
        reqId: r.int('reqId'),
        conId: r.int('conId'),
        providers: r.text(),
        startDateTime: r.text(),
        endDateTime: r.text(),
        totalResults: r.int('totalResults'),
      } as const;
      r.skip(1); // options
      return request;
    },
  ],
  [
    87,
    (r) => ({
      type: 'reqHeadTimestamp',
      reqId: r.int('reqId'),
      contract: readContractAndExpired(r),
      useRth: r.bool('useRTH'),
      whatToShow: r.text().toUpperCase(),
      formatDate: r.int('formatDate'),
    }),
  ],
  [
    88,
    (r) => ({
      type: 'reqHistogramData',
      reqId: r.int('reqId'),
      contract: readContractAndExpired(r),
      useRth: r.bool('useRTH'),
      timePeriod: r.text(),
    }),
  ],
  [89, (r) => ({ type: 'cancelHistogramData', reqId: r.int('reqId') })],
  [90, (r) => ({ type: 'cancelHeadTimestamp', reqId: r.int('reqId') })],
  [91, (r) => ({ type: 'reqMarketRule', marketRuleId: r.int('marketRuleId') })],
  [92, (r) => ({ type: 'reqPnL', reqId: r.int('reqId'), account: r.text(), modelCode: r.text() })],
  [93, (r) => ({ type: 'cancelPnL', reqId: r.int('reqId') })],
  [
    94,
    (r) => ({
      type: 'reqPnLSingle',
      reqId: r.int('reqId'),
      account: r.text(),
      modelCode: r.text(),
      conId: r.int('conId'),
    }),
  ],
  [95, (r) => ({ type: 'cancelPnLSingle', reqId: r.int('reqId') })],
  [96, readHistoricalTicks],
  [
    97,
    (r) => ({
      type: 'reqTickByTickData',
      reqId: r.int('reqId'),
      contract: toQuery(readContract(r)),
      tickType: r.text(),
      numberOfTicks: r.int('numberOfTicks'),
      ignoreSize: r.bool('ignoreSize'),
    }),
  ],
  [98, (r) => ({ type: 'cancelTickByTickData', reqId: r.int('reqId') })],
  [99, (r) => ({ type: 'reqCompletedOrders', apiOnly: r.bool('apiOnly') })],
  [100, (r) => ({ type: 'reqWshMetaData', reqId: r.int('reqId') })],
  [101, (r) => ({ type: 'cancelWshMetaData', reqId: r.int('reqId') })],
  [
    102,
    (r, version) => {
      const reqId = r.int('reqId');
      const conId = r.optionalInt('conId') ?? 0;
      if (version >= SINCE.WSH_EVENT_DATA_FILTERS) r.skip(4);
      if (version >= SINCE.WSH_EVENT_DATA_FILTERS_DATE) r.skip(3);
      return { type: 'reqWshEventData', reqId, conId };
    },
  ],
  [103, (r) => ({ type: 'cancelWshEventData', reqId: r.int('reqId') })],
  [104, (r) => ({ type: 'reqUserInfo', reqId: r.int('reqId') })],
]);

/** The message ids that `parseRequest` understands. */
export function knowsMessage(id: number): boolean {
  return id === 3 || PARSERS.has(id);
}

/**
 * The request that these fields (message id first) mean at a server version. Throws FieldError where a field is
 * missing, senseless or left over; call it for ids only that `knowsMessage`.
 */
export function parseRequest(fields: readonly string[], version: number): ClientRequest {
  const id = Number(fields[0]);
  if (id === 3) return parsePlaceOrder(fields, version);
  const parser = PARSERS.get(id);
  if (parser === undefined) throw new RangeError(`message ${id} has no parser`);
  const reader = new FieldReader(fields, 1);
  const request = parser(reader, version);
  reader.end();
  return request;
}

function versionOnly(r: FieldReader, request: ClientRequest): ClientRequest {
  r.skip(1);
  return request;
}

function verify(r: FieldReader, messageId: number, fields: number): ClientRequest {
  r.skip(fields);
  return { type: 'verify', messageId };
}

function splitList(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Reserved options: a text, before which some clients write how many there are. */
function skipOptions(r: FieldReader): void {
  r.skip(r.remaining > 1 ? 2 : 1);
}

/** Data requests: the legs of a combo after the contract. */
function withLegs(r: FieldReader, contract: ContractQuery): ContractQuery {
  return contract.secType === 'BAG' ? { ...contract, comboLegs: readComboLegs(r, false) } : contract;
}

function readMktData(r: FieldReader): ClientRequest {
  r.skip(1);
  const reqId = r.int('reqId');
  const contract = withLegs(r, toQuery(readContract(r)));
  const deltaNeutralContract = r.bool('deltaNeutralContract')
    ? { conId: r.int('conId'), delta: r.double('delta'), price: r.double('price') }
    : null;
  const genericTicks = splitList(r.text());
  const snapshot = r.bool('snapshot');
  const regulatorySnapshot = r.bool('regulatorySnapshot');
  r.skip(1); // options
  return {
    type: 'reqMktData',
    reqId,
    contract: { ...contract, deltaNeutralContract },
    genericTicks,
    snapshot,
    regulatorySnapshot,
  };
}

function readCancelOrder(r: FieldReader, version: number): ClientRequest {
  if (version < SINCE.CME_TAGGING_FIELDS) r.skip(1);
  const orderId = r.int('orderId');
  if (version >= SINCE.MANUAL_ORDER_TIME) r.skip(1);
  if (version >= SINCE.RFQ_FIELDS && version < SINCE.UNDO_RFQ_FIELDS) r.skip(3);
  if (version >= SINCE.CME_TAGGING_FIELDS) r.skip(2);
  return { type: 'cancelOrder', orderId };
}

function readExecutions(r: FieldReader): ClientRequest {
  r.skip(1);
  return {
    type: 'reqExecutions',
    reqId: r.int('reqId'),
    filter: {
      clientId: r.int('clientId'),
      account: r.text(),
      time: r.text(),
      symbol: r.text(),
      secType: r.text(),
      exchange: r.text(),
      side: r.text(),
    },
  };
}

function readContractDetails(r: FieldReader, version: number): ClientRequest {
  r.skip(1);
  const reqId = r.int('reqId');
  const contract = readContractAndExpired(r);
  const secIdType = r.text();
  const secId = r.text();
  const issuerId = version >= SINCE.BOND_ISSUERID ? r.text() : '';
  return { type: 'reqContractDetails', reqId, contract: { ...contract, secIdType, secId, issuerId } };
}

function readMktDepth(r: FieldReader): ClientRequest {
  r.skip(1);
  const reqId = r.int('reqId');
  const contract = toQuery(readContract(r));
  const rows = r.int('numRows');
  const smartDepth = r.bool('isSmartDepth');
  r.skip(1); // options
  return { type: 'reqMktDepth', reqId, contract, rows, smartDepth };
}

function readHistoricalData(r: FieldReader): ClientRequest {
  const reqId = r.int('reqId');
  const base = readContractAndExpired(r);
  const endDateTime = r.text();
  const barSize = r.text();
  const duration = r.text();
  const useRth = r.bool('useRTH');
  const whatToShow = r.text().toUpperCase();
  const formatDate = r.int('formatDate');
  const contract = withLegs(r, base);
  const keepUpToDate = r.bool('keepUpToDate');
  r.skip(1); // options
  return {
    type: 'reqHistoricalData',
    reqId,
    contract,
    endDateTime,
    duration,
    barSize,
    whatToShow,
    useRth,
    formatDate,
    keepUpToDate,
  };
}

function readExerciseOptions(r: FieldReader, version: number): ClientRequest {
  r.skip(1);
  const reqId = r.int('reqId');
  const contract = readContractWithoutPrimary(r);
  const exerciseAction = r.int('exerciseAction');
  const exerciseQuantity = r.int('exerciseQuantity');
  const account = r.text();
  r.skip(1); // override
  if (version >= SINCE.MANUAL_ORDER_TIME_EXERCISE_OPTIONS) r.skip(1);
  if (version >= SINCE.CUSTOMER_ACCOUNT) r.skip(1);
  if (version >= SINCE.PROFESSIONAL_CUSTOMER) r.skip(1);
  return { type: 'exerciseOptions', reqId, contract, exerciseAction, exerciseQuantity, account };
}

function readScannerSubscription(r: FieldReader): ClientRequest {
  const reqId = r.int('reqId');
  const rows = r.optionalInt('numberOfRows');
  const instrument = r.text();
  const locationCode = r.text();
  const scanCode = r.text();
  const abovePrice = r.optionalDouble('abovePrice');
  const belowPrice = r.optionalDouble('belowPrice');
  r.skip(17); // other filters, and options
  return { type: 'reqScannerSubscription', reqId, rows, instrument, locationCode, scanCode, abovePrice, belowPrice };
}

function readRealTimeBars(r: FieldReader): ClientRequest {
  r.skip(1);
  const reqId = r.int('reqId');
  const contract = toQuery(readContract(r));
  const barSize = r.int('barSize');
  const whatToShow = r.text().toUpperCase();
  const useRth = r.bool('useRTH');
  r.skip(1); // options
  return { type: 'reqRealTimeBars', reqId, contract, barSize, whatToShow, useRth };
}

function readFundamentalData(r: FieldReader): ClientRequest {
  r.skip(1);
  const reqId = r.int('reqId');
  const contract = toQuery({
    conId: r.int('conId'),
    symbol: r.text(),
    secType: r.text().toUpperCase(),
    lastTradeDateOrContractMonth: '',
    strike: 0,
    right: '',
    multiplier: '',
    exchange: r.text(),
    primaryExchange: r.text(),
    currency: r.text(),
    localSymbol: r.text(),
    tradingClass: '',
  });
  const reportType = r.text();
  skipOptions(r);
  return { type: 'reqFundamentalData', reqId, contract, reportType };
}

function readHistoricalTicks(r: FieldReader): ClientRequest {
  const request = {
    type: 'reqHistoricalTicks',
    reqId: r.int('reqId'),
    contract: readContractAndExpired(r),
    startDateTime: r.text(),
    endDateTime: r.text(),
    numberOfTicks: r.int('numberOfTicks'),
    whatToShow: r.text().toUpperCase(),
    useRth: r.bool('useRth'),
    ignoreSize: r.bool('ignoreSize'),
  } as const;
  r.skip(1); // options
  return request;
}
