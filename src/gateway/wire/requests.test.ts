/** @stoqey/ib's encoder says a request; our parser must understand it, to the last field, at every version. */
import { Encoder } from '@stoqey/ib/dist/core/io/encoder.js';
import {
  BarSizeSetting,
  ConjunctionConnection,
  MarginCondition,
  OptionType,
  OrderAction,
  OrderType,
  PercentChangeCondition,
  PriceCondition,
  SecType,
  TimeCondition,
  TriggerMethod,
  VolumeCondition,
  ExecutionCondition,
  TimeInForce,
  type Contract as StoqeyContract,
  type Order as StoqeyOrder,
} from '@stoqey/ib';
import { describe, expect, it } from 'vitest';
import { FieldError } from './fields.js';
import { parseRequest } from './parse.js';
import type { ClientRequest } from './requests.js';
import { MAX_SERVER_VERSION, MIN_SERVER_VERSION } from './versions.js';

const VERSIONS = Array.from({ length: MAX_SERVER_VERSION - MIN_SERVER_VERSION + 1 }, (_, i) => MIN_SERVER_VERSION + i);

const SPY: StoqeyContract = {
  conId: 4711,
  symbol: 'SPY',
  secType: SecType.STK,
  exchange: 'SMART',
  primaryExch: 'ARCA',
  currency: 'USD',
  localSymbol: 'SPY',
  tradingClass: 'SPY',
};
const BAG: StoqeyContract = {
  symbol: 'SPY',
  secType: SecType.BAG,
  exchange: 'SMART',
  currency: 'USD',
  comboLegs: [
    { conId: 1, ratio: 1, action: OrderAction.BUY, exchange: 'SMART', exemptCode: -1 },
    { conId: 2, ratio: 2, action: OrderAction.SELL, exchange: 'SMART', exemptCode: -1 },
  ],
  deltaNeutralContract: { conId: 9, delta: 0.5, price: 100 },
};

/** What the encoder sends, as the fields that arrive. */
function encode(version: number, call: (encoder: Encoder) => void): readonly string[] | null {
  let sent: unknown[] | null = null;
  let refused = false;
  const encoder = new Encoder({
    serverVersion: version,
    sendMsg: (tokens: unknown[]) => {
      sent = tokens;
    },
    emitError: () => {
      refused = true;
    },
  });
  call(encoder);
  if (sent === null) {
    if (!refused) throw new Error('the encoder said nothing');
    return null; // this version has no such message
  }
  // as @stoqey/ib's socket does: flattened, booleans as 1 and 0, undefined as the empty field
  const tokens = (sent as unknown[])
    .flat(Infinity)
    .map((token) => (typeof token === 'boolean' ? Number(token) : token));
  return `${tokens.join('\0')}\0`.split('\0').slice(0, -1);
}

interface Case {
  readonly name: string;
  readonly call: (encoder: Encoder) => void;
  readonly expected: object;
}

const query = { symbol: 'SPY', secType: 'STK', conId: 4711, primaryExchange: 'ARCA', tradingClass: 'SPY' };
const CASES: readonly Case[] = [
  {
    name: 'reqMktData',
    call: (e) => e.reqMktData(7, SPY, '233,165', true, false),
    expected: {
      type: 'reqMktData',
      reqId: 7,
      contract: query,
      genericTicks: ['233', '165'],
      snapshot: true,
      regulatorySnapshot: false,
    },
  },
  {
    name: 'reqMktData of a combo',
    call: (e) => e.reqMktData(7, BAG, '', false, false),
    expected: {
      type: 'reqMktData',
      contract: {
        secType: 'BAG',
        comboLegs: [{ conId: 1 }, { conId: 2, ratio: 2, action: 'SELL' }],
        deltaNeutralContract: { conId: 9, delta: 0.5, price: 100 },
      },
      genericTicks: [],
    },
  },
  { name: 'cancelMktData', call: (e) => e.cancelMktData(7), expected: { type: 'cancelMktData', reqId: 7 } },
  { name: 'cancelOrder', call: (e) => e.cancelOrder(12, {}), expected: { type: 'cancelOrder', orderId: 12 } },
  { name: 'globalCancel', call: (e) => e.reqGlobalCancel({}), expected: { type: 'reqGlobalCancel' } },
  { name: 'reqOpenOrders', call: (e) => e.reqOpenOrders(), expected: { type: 'reqOpenOrders' } },
  { name: 'reqAllOpenOrders', call: (e) => e.reqAllOpenOrders(), expected: { type: 'reqAllOpenOrders' } },
  {
    name: 'reqAutoOpenOrders',
    call: (e) => e.reqAutoOpenOrders(true),
    expected: { type: 'reqAutoOpenOrders', bind: true },
  },
  {
    name: 'reqAccountUpdates',
    call: (e) => e.reqAccountUpdates(true, 'DU1'),
    expected: { type: 'reqAccountUpdates', subscribe: true, account: 'DU1' },
  },
  {
    name: 'reqExecutions',
    call: (e) => e.reqExecutions(3, { clientId: '5', acctCode: 'DU1', symbol: 'SPY', side: 'BUY' }),
    expected: {
      type: 'reqExecutions',
      reqId: 3,
      filter: { clientId: 5, account: 'DU1', time: '', symbol: 'SPY', secType: '', exchange: '', side: 'BUY' },
    },
  },
  { name: 'reqIds', call: (e) => e.reqIds(1), expected: { type: 'reqIds', count: 1 } },
  {
    name: 'reqContractDetails',
    call: (e) => e.reqContractDetails(9, { ...SPY, secIdType: 'ISIN', secId: 'US78462F1030' }),
    expected: {
      type: 'reqContractDetails',
      reqId: 9,
      contract: { ...query, secIdType: 'ISIN', secId: 'US78462F1030', includeExpired: false },
    },
  },
  {
    name: 'reqContractDetails of an option',
    call: (e) =>
      e.reqContractDetails(9, {
        symbol: 'SPY',
        secType: SecType.OPT,
        lastTradeDateOrContractMonth: '20240119',
        strike: 450.5,
        right: OptionType.Put,
        multiplier: 100,
        includeExpired: true,
      }),
    expected: {
      contract: { strike: 450.5, right: 'P', multiplier: '100', lastTradeDateOrContractMonth: '20240119' },
    },
  },
  {
    name: 'reqMktDepth',
    call: (e) => e.reqMktDepth(5, SPY, 10, true, []),
    expected: { type: 'reqMktDepth', reqId: 5, rows: 10, smartDepth: true, contract: query },
  },
  {
    name: 'cancelMktDepth',
    call: (e) => e.cancelMktDepth(5, true),
    expected: { type: 'cancelMktDepth', smartDepth: true },
  },
  {
    name: 'reqNewsBulletins',
    call: (e) => e.reqNewsBulletins(true),
    expected: { type: 'reqNewsBulletins', all: true },
  },
  { name: 'cancelNewsBulletins', call: (e) => e.cancelNewsBulletins(), expected: { type: 'cancelNewsBulletins' } },
  { name: 'setServerLogLevel', call: (e) => e.setServerLogLevel(5), expected: { type: 'setServerLogLevel', level: 5 } },
  { name: 'reqManagedAccts', call: (e) => e.reqManagedAccts(), expected: { type: 'reqManagedAccts' } },
  { name: 'requestFA', call: (e) => e.requestFA(1), expected: { type: 'requestFA', faDataType: 1 } },
  {
    name: 'replaceFA',
    call: (e) => e.replaceFA(4, 1, '<x/>'),
    expected: { type: 'replaceFA', reqId: 4, faDataType: 1, xml: '<x/>' },
  },
  {
    name: 'reqHistoricalData',
    call: (e) => e.reqHistoricalData(2, SPY, '', '1 D', BarSizeSetting.MINUTES_ONE, 'TRADES', 1, 2, true, []),
    expected: {
      type: 'reqHistoricalData',
      reqId: 2,
      contract: query,
      endDateTime: '',
      duration: '1 D',
      barSize: '1 min',
      whatToShow: 'TRADES',
      useRth: true,
      formatDate: 2,
      keepUpToDate: true,
    },
  },
  {
    name: 'reqHistoricalData of a combo',
    call: (e) => e.reqHistoricalData(2, BAG, '', '1 D', BarSizeSetting.MINUTES_ONE, 'TRADES', 0, 1, false, []),
    expected: { contract: { comboLegs: [{ conId: 1 }, { conId: 2 }] }, keepUpToDate: false, useRth: false },
  },
  {
    name: 'exerciseOptions',
    call: (e) => e.exerciseOptions(6, SPY, 1, 2, 'DU1', 0),
    expected: { type: 'exerciseOptions', exerciseAction: 1, exerciseQuantity: 2, account: 'DU1' },
  },
  {
    name: 'reqScannerSubscription',
    call: (e) =>
      e.reqScannerSubscription(
        8,
        { numberOfRows: 10, instrument: 'STK', locationCode: 'STK.US', scanCode: 'TOP_PERC_GAIN' } as never,
        [],
        [],
      ),
    expected: { type: 'reqScannerSubscription', reqId: 8, rows: 10, instrument: 'STK', locationCode: 'STK.US' },
  },
  {
    name: 'cancelScannerSubscription',
    call: (e) => e.cancelScannerSubscription(8),
    expected: { type: 'cancelScannerSubscription', reqId: 8 },
  },
  { name: 'reqScannerParameters', call: (e) => e.reqScannerParameters(), expected: { type: 'reqScannerParameters' } },
  {
    name: 'cancelHistoricalData',
    call: (e) => e.cancelHistoricalData(2),
    expected: { type: 'cancelHistoricalData', reqId: 2 },
  },
  { name: 'reqCurrentTime', call: (e) => e.reqCurrentTime(), expected: { type: 'reqCurrentTime' } },
  {
    name: 'reqRealTimeBars',
    call: (e) => e.reqRealTimeBars(3, SPY, 5, 'TRADES', true, []),
    expected: { type: 'reqRealTimeBars', reqId: 3, barSize: 5, whatToShow: 'TRADES', useRth: true, contract: query },
  },
  {
    name: 'cancelRealTimeBars',
    call: (e) => e.cancelRealTimeBars(3),
    expected: { type: 'cancelRealTimeBars', reqId: 3 },
  },
  {
    name: 'reqFundamentalData',
    call: (e) => e.reqFundamentalData(3, SPY, 'ReportSnapshot', []),
    expected: { type: 'reqFundamentalData', reqId: 3, reportType: 'ReportSnapshot' },
  },
  {
    name: 'cancelFundamentalData',
    call: (e) => e.cancelFundamentalData(3),
    expected: { type: 'cancelFundamentalData', reqId: 3 },
  },
  {
    name: 'calculateImpliedVolatility',
    call: (e) => e.calculateImpliedVolatility(3, SPY, 1.5, 100, []),
    expected: { type: 'calculateImpliedVolatility', optionPrice: 1.5, underPrice: 100 },
  },
  {
    name: 'calculateOptionPrice',
    call: (e) => e.calculateOptionPrice(3, SPY, 0.2, 100, []),
    expected: { type: 'calculateOptionPrice', volatility: 0.2, underPrice: 100 },
  },
  {
    name: 'cancelCalculateImpliedVolatility',
    call: (e) => e.cancelCalculateImpliedVolatility(3),
    expected: { type: 'cancelCalculateImpliedVolatility' },
  },
  {
    name: 'cancelCalculateOptionPrice',
    call: (e) => e.cancelCalculateOptionPrice(3),
    expected: { type: 'cancelCalculateOptionPrice' },
  },
  {
    name: 'reqMarketDataType',
    call: (e) => e.reqMarketDataType(3),
    expected: { type: 'reqMarketDataType', marketDataType: 3 },
  },
  { name: 'reqPositions', call: (e) => e.reqPositions(), expected: { type: 'reqPositions' } },
  { name: 'cancelPositions', call: (e) => e.cancelPositions(), expected: { type: 'cancelPositions' } },
  {
    name: 'reqAccountSummary',
    call: (e) => e.reqAccountSummary(4, 'All', 'NetLiquidation,TotalCashValue'),
    expected: {
      type: 'reqAccountSummary',
      reqId: 4,
      group: 'All',
      tags: ['NetLiquidation', 'TotalCashValue'],
    },
  },
  {
    name: 'cancelAccountSummary',
    call: (e) => e.cancelAccountSummary(4),
    expected: { type: 'cancelAccountSummary', reqId: 4 },
  },
  { name: 'queryDisplayGroups', call: (e) => e.queryDisplayGroups(4), expected: { type: 'queryDisplayGroups' } },
  {
    name: 'subscribeToGroupEvents',
    call: (e) => e.subscribeToGroupEvents(4, 2),
    expected: { type: 'subscribeToGroupEvents', reqId: 4, groupId: 2 },
  },
  {
    name: 'updateDisplayGroup',
    call: (e) => e.updateDisplayGroup(4, '8314@SMART'),
    expected: { type: 'updateDisplayGroup', contractInfo: '8314@SMART' },
  },
  {
    name: 'unsubscribeToGroupEvents',
    call: (e) => e.unsubscribeToGroupEvents(4),
    expected: { type: 'unsubscribeFromGroupEvents', reqId: 4 },
  },
  {
    name: 'reqPositionsMulti',
    call: (e) => e.reqPositionsMulti(4, 'DU1', ''),
    expected: { type: 'reqPositionsMulti', reqId: 4, account: 'DU1', modelCode: '' },
  },
  {
    name: 'cancelPositionsMulti',
    call: (e) => e.cancelPositionsMulti(4),
    expected: { type: 'cancelPositionsMulti', reqId: 4 },
  },
  {
    name: 'reqAccountUpdatesMulti',
    call: (e) => e.reqAccountUpdatesMulti(4, 'DU1', '', true),
    expected: { type: 'reqAccountUpdatesMulti', reqId: 4, account: 'DU1', ledgerAndNlv: true },
  },
  {
    name: 'cancelAccountUpdatesMulti',
    call: (e) => e.cancelAccountUpdatesMulti(4),
    expected: { type: 'cancelAccountUpdatesMulti', reqId: 4 },
  },
  {
    name: 'reqSecDefOptParams',
    call: (e) => e.reqSecDefOptParams(4, 'SPY', '', SecType.STK, 4711),
    expected: { type: 'reqSecDefOptParams', underlyingSymbol: 'SPY', underlyingConId: 4711 },
  },
  { name: 'reqSoftDollarTiers', call: (e) => e.reqSoftDollarTiers(4), expected: { type: 'reqSoftDollarTiers' } },
  { name: 'reqFamilyCodes', call: (e) => e.reqFamilyCodes(), expected: { type: 'reqFamilyCodes' } },
  {
    name: 'reqMatchingSymbols',
    call: (e) => e.reqMatchingSymbols(4, 'SP'),
    expected: { type: 'reqMatchingSymbols', pattern: 'SP' },
  },
  { name: 'reqMktDepthExchanges', call: (e) => e.reqMktDepthExchanges(), expected: { type: 'reqMktDepthExchanges' } },
  {
    name: 'reqSmartComponents',
    call: (e) => e.reqSmartComponents(4, 'a6'),
    expected: { type: 'reqSmartComponents', bboExchange: 'a6' },
  },
  {
    name: 'reqNewsArticle',
    call: (e) => e.reqNewsArticle(4, 'BZ', 'BZ$1', []),
    expected: { type: 'reqNewsArticle', provider: 'BZ', articleId: 'BZ$1' },
  },
  { name: 'reqNewsProviders', call: (e) => e.reqNewsProviders(), expected: { type: 'reqNewsProviders' } },
  {
    name: 'reqHistoricalNews',
    call: (e) => e.reqHistoricalNews(4, 4711, 'BZ', '', '', 10, []),
    expected: { type: 'reqHistoricalNews', conId: 4711, totalResults: 10 },
  },
  {
    name: 'reqHeadTimestamp',
    call: (e) => e.reqHeadTimestamp(4, SPY, 'TRADES', true, 1),
    expected: { type: 'reqHeadTimestamp', contract: query, useRth: true, whatToShow: 'TRADES', formatDate: 1 },
  },
  {
    name: 'reqHistogramData',
    call: (e) => e.reqHistogramData(4, SPY, true, '3 days'),
    expected: { type: 'reqHistogramData', contract: query, useRth: true, timePeriod: '3 days' },
  },
  { name: 'cancelHistogramData', call: (e) => e.cancelHistogramData(4), expected: { type: 'cancelHistogramData' } },
  { name: 'cancelHeadTimestamp', call: (e) => e.cancelHeadTimestamp(4), expected: { type: 'cancelHeadTimestamp' } },
  { name: 'reqMarketRule', call: (e) => e.reqMarketRule(26), expected: { type: 'reqMarketRule', marketRuleId: 26 } },
  { name: 'reqPnL', call: (e) => e.reqPnL(4, 'DU1', ''), expected: { type: 'reqPnL', reqId: 4, account: 'DU1' } },
  { name: 'cancelPnL', call: (e) => e.cancelPnL(4), expected: { type: 'cancelPnL', reqId: 4 } },
  {
    name: 'reqPnLSingle',
    call: (e) => e.reqPnLSingle(4, 'DU1', '', 4711),
    expected: { type: 'reqPnLSingle', reqId: 4, account: 'DU1', conId: 4711 },
  },
  { name: 'cancelPnLSingle', call: (e) => e.cancelPnLSingle(4), expected: { type: 'cancelPnLSingle', reqId: 4 } },
  {
    name: 'reqHistoricalTicks',
    call: (e) => e.reqHistoricalTicks(4, SPY, '20240102 09:30:00', '', 100, 'TRADES' as never, 1, false, []),
    expected: {
      type: 'reqHistoricalTicks',
      contract: query,
      startDateTime: '20240102 09:30:00',
      numberOfTicks: 100,
      whatToShow: 'TRADES',
      useRth: true,
      ignoreSize: false,
    },
  },
  {
    name: 'reqTickByTickData',
    call: (e) => e.reqTickByTickData(4, SPY, 'BidAsk' as never, 5, true),
    expected: { type: 'reqTickByTickData', tickType: 'BidAsk', numberOfTicks: 5, ignoreSize: true, contract: query },
  },
  {
    name: 'cancelTickByTickData',
    call: (e) => e.cancelTickByTickData(4),
    expected: { type: 'cancelTickByTickData', reqId: 4 },
  },
  {
    name: 'reqCompletedOrders',
    call: (e) => e.reqCompletedOrders(true),
    expected: { type: 'reqCompletedOrders', apiOnly: true },
  },
  { name: 'reqWshMetaData', call: (e) => e.reqWshMetaData(4), expected: { type: 'reqWshMetaData', reqId: 4 } },
  {
    name: 'reqCancelWshMetaData',
    call: (e) => e.reqCancelWshMetaData(4),
    expected: { type: 'cancelWshMetaData', reqId: 4 },
  },
  {
    name: 'reqWshEventData',
    call: (e) => e.reqWshEventData(4, { conId: 4711 } as never),
    expected: { type: 'reqWshEventData', reqId: 4, conId: 4711 },
  },
  {
    name: 'reqCancelWshEventData',
    call: (e) => e.reqCancelWshEventData(4),
    expected: { type: 'cancelWshEventData', reqId: 4 },
  },
  { name: 'reqUserInfo', call: (e) => e.reqUserInfo(4), expected: { type: 'reqUserInfo', reqId: 4 } },
];

const and = ConjunctionConnection.AND;
/** Each with the block of fields that it brings along. */
const ORDERS: readonly {
  readonly name: string;
  readonly contract: StoqeyContract;
  readonly order: StoqeyOrder;
  readonly expected: object;
  readonly since?: number;
}[] = [
  {
    name: 'a market order',
    contract: SPY,
    order: { action: OrderAction.BUY, orderType: OrderType.MKT, totalQuantity: 10, transmit: true, account: 'DU1' },
    expected: {
      action: 'BUY',
      orderType: 'MKT',
      totalQuantity: 10,
      transmit: true,
      account: 'DU1',
      lmtPrice: null,
      auxPrice: null,
      outsideRth: false,
      whatIf: false,
    },
  },
  {
    name: 'a bracket stop with OCA',
    contract: SPY,
    order: {
      action: OrderAction.SELL,
      orderType: OrderType.STP_LMT,
      totalQuantity: 0.5,
      lmtPrice: 99.5,
      auxPrice: 100.25,
      tif: TimeInForce.GTC,
      ocaGroup: 'oca1',
      ocaType: 1,
      parentId: 41,
      transmit: false,
      outsideRth: true,
      orderRef: 'ref-1',
      whatIf: true,
      goodTillDate: '20240201 16:00:00 US/Eastern',
      cashQty: 500,
    },
    expected: {
      action: 'SELL',
      orderType: 'STP LMT',
      totalQuantity: 0.5,
      lmtPrice: 99.5,
      auxPrice: 100.25,
      tif: 'GTC',
      ocaGroup: 'oca1',
      ocaType: 1,
      parentId: 41,
      transmit: false,
      outsideRth: true,
      orderRef: 'ref-1',
      whatIf: true,
      goodTillDate: '20240201 16:00:00 US/Eastern',
      cashQty: 500,
    },
  },
  {
    name: 'a trailing stop by percent',
    contract: SPY,
    order: {
      action: OrderAction.SELL,
      orderType: OrderType.TRAIL,
      totalQuantity: 10,
      trailingPercent: 2.5,
      trailStopPrice: 95,
      lmtPriceOffset: 0.1,
      triggerMethod: TriggerMethod.Last,
    },
    expected: { orderType: 'TRAIL', trailingPercent: 2.5, trailStopPrice: 95, lmtPriceOffset: 0.1, triggerMethod: 2 },
  },
  {
    name: 'a combo',
    contract: BAG,
    order: {
      action: OrderAction.BUY,
      orderType: OrderType.LMT,
      lmtPrice: 1,
      totalQuantity: 1,
      orderComboLegs: [{ price: 1.5 }, { price: 2 }],
      smartComboRoutingParams: [{ tag: 'NonGuaranteed', value: '1' }],
    },
    expected: {
      orderComboLegPrices: [1.5, 2],
      smartComboRoutingParams: [{ tag: 'NonGuaranteed', value: '1' }],
      lmtPrice: 1,
    },
  },
  {
    name: 'a delta neutral order (as openOrder gives it back: "None")',
    contract: SPY,
    order: {
      action: OrderAction.BUY,
      orderType: OrderType.MKT,
      totalQuantity: 1,
      deltaNeutralOrderType: 'None' as never,
      deltaNeutralConId: 0,
      deltaNeutralOpenClose: '?',
      whatIf: true,
    },
    expected: { deltaNeutralOrderType: 'None', deltaNeutralOpenClose: '?', whatIf: true },
  },
  ...[0, 0.05].map((scalePriceIncrement) => ({
    name: `a scale order with an increment of ${scalePriceIncrement}`,
    contract: SPY,
    order: {
      action: OrderAction.BUY,
      orderType: OrderType.LMT,
      totalQuantity: 1,
      lmtPrice: 10,
      scalePriceIncrement,
      scaleInitLevelSize: 5,
      scaleAutoReset: true,
      whatIf: true,
    },
    expected: { scalePriceIncrement, scaleInitLevelSize: 5, scaleAutoReset: true, whatIf: true },
  })),
  {
    name: 'a hedge',
    contract: SPY,
    order: {
      action: OrderAction.BUY,
      orderType: OrderType.MKT,
      totalQuantity: 1,
      hedgeType: 'B',
      hedgeParam: '0.9',
      whatIf: true,
    },
    expected: { hedgeType: 'B', hedgeParam: '0.9', whatIf: true },
  },
  {
    name: 'an algorithm',
    contract: SPY,
    order: {
      action: OrderAction.BUY,
      orderType: OrderType.LMT,
      lmtPrice: 10,
      totalQuantity: 1,
      algoStrategy: 'Adaptive',
      algoParams: [{ tag: 'adaptivePriority', value: 'Normal' }],
      whatIf: true,
    },
    expected: {
      algoStrategy: 'Adaptive',
      algoParams: [{ tag: 'adaptivePriority', value: 'Normal' }],
      whatIf: true,
    },
  },
  {
    name: 'a pegged-to-benchmark order',
    contract: SPY,
    order: {
      action: OrderAction.BUY,
      orderType: OrderType.PEG_BENCH,
      totalQuantity: 1,
      referenceContractId: 55,
      peggedChangeAmount: 0.1,
      referenceChangeAmount: 0.2,
      referenceExchangeId: 'ISLAND',
      triggerPrice: 9.5,
    },
    expected: { referenceContractId: 55, peggedChangeAmount: 0.1, referenceExchangeId: 'ISLAND', triggerPrice: 9.5 },
  },
  {
    name: 'an order with a condition of each kind',
    contract: SPY,
    order: {
      action: OrderAction.BUY,
      orderType: OrderType.MKT,
      totalQuantity: 1,
      conditions: [
        new PriceCondition(100, TriggerMethod.Default, 4711, 'SMART', true, and),
        new TimeCondition('20240102 10:00:00 US/Eastern', true, and),
        new MarginCondition(30, false, and),
        new ExecutionCondition('SMART', SecType.STK, 'SPY', and),
        new VolumeCondition(1000, 4711, 'SMART', true, and),
        new PercentChangeCondition(1.5, 4711, 'SMART', true, and),
      ],
      conditionsCancelOrder: true,
      adjustedOrderType: 'STP' as never,
    },
    expected: {
      conditions: [
        { type: 1, fields: ['1', '100', '4711', 'SMART', '0'] },
        { type: 3 },
        { type: 4 },
        { type: 5, fields: ['STK', 'SMART', 'SPY'] },
        { type: 6 },
        { type: 7 },
      ],
      conditionsCancelOrder: true,
      adjustedOrderType: 'STP',
    },
  },
  {
    name: 'an order for IBKRATS',
    contract: { ...SPY, exchange: 'IBKRATS' },
    order: { action: OrderAction.BUY, orderType: OrderType.MKT, totalQuantity: 1, minTradeQty: 5 },
    expected: { minTradeQty: 5 },
    since: 170,
  },
  {
    name: 'a pegged-to-best order up to the midpoint',
    contract: SPY,
    order: {
      action: OrderAction.BUY,
      orderType: OrderType.PEG_BEST,
      totalQuantity: 1,
      minCompeteSize: 100,
      competeAgainstBestOffset: Infinity,
      midOffsetAtWhole: 0.01,
      midOffsetAtHalf: 0.02,
    },
    expected: { competeAgainstBestOffset: Infinity, midOffsetAtWhole: 0.01, midOffsetAtHalf: 0.02 },
    since: 170,
  },
  {
    name: 'a pegged-to-midpoint order',
    contract: SPY,
    order: {
      action: OrderAction.BUY,
      orderType: OrderType.PEG_MID,
      totalQuantity: 1,
      midOffsetAtWhole: 0.01,
      midOffsetAtHalf: 0.02,
    },
    expected: { midOffsetAtWhole: 0.01, midOffsetAtHalf: 0.02 },
    since: 170,
  },
  {
    name: 'an order with every late field',
    contract: SPY,
    order: {
      action: OrderAction.BUY,
      orderType: OrderType.MKT,
      totalQuantity: 1,
      duration: 60,
      postToAts: 1,
      autoCancelParent: true,
      advancedErrorOverride: '8229',
      manualOrderTime: '20240102-09:30:00',
      customerAccount: 'c',
      professionalCustomer: true,
      includeOvernight: true,
      manualOrderIndicator: 1,
      extOperator: 'op',
    },
    expected: {
      duration: 60,
      postToAts: 1,
      autoCancelParent: true,
      advancedErrorOverride: '8229',
      customerAccount: 'c',
      professionalCustomer: true,
      includeOvernight: true,
      manualOrderIndicator: 1,
      extOperator: 'op',
    },
    since: 192,
  },
];

describe('requests of @stoqey/ib, at every version from 157 to 193', () => {
  it.each(CASES)('$name', ({ call, expected }) => {
    let understood = 0;
    for (const version of VERSIONS) {
      const fields = encode(version, call);
      if (fields === null) continue;
      expect(parseRequest(fields, version), `version ${version}`).toMatchObject(expected);
      understood++;
    }
    expect(understood).toBeGreaterThan(0);
  });

  it.each(ORDERS)('placeOrder: $name', ({ contract, order, expected, since = MIN_SERVER_VERSION }) => {
    for (const version of VERSIONS.filter((version) => version >= since)) {
      const fields = encode(version, (encoder) => encoder.placeOrder(17, contract, order));
      expect(fields, `version ${version}`).not.toBeNull();
      const request = parseRequest(fields ?? [], version);
      expect(request, `version ${version}`).toMatchObject({ type: 'placeOrder', orderId: 17, order: expected });
    }
  });

  it('a plain order has 115 fields at 176 and 118 at 193', () => {
    const order = { action: OrderAction.BUY, orderType: OrderType.MKT, totalQuantity: 1 };
    const length = (version: number) => encode(version, (e) => e.placeOrder(1, SPY, order))?.length;
    expect([length(176), length(193)]).toEqual([115, 118]);
  });

  it('says so where a field is left over or missing, at every version and for every message', () => {
    let tried = 0;
    for (const { call } of CASES) {
      for (const version of [157, 176, 178, 193]) {
        const fields = encode(version, call);
        // a lone text of options after these may be preceded by its count: one field more is another way to say it
        if (fields === null || ['52', '54', '55'].includes(fields[0])) continue;
        tried++;
        expect(() => parseRequest([...fields, ''], version), `${fields[0]} and one more`).toThrow(FieldError);
        const short = fields.length > 1 ? fields.slice(0, -1) : [...fields, '', ''];
        expect(() => parseRequest(short, version), `${fields[0]} and one less`).toThrow(FieldError);
      }
    }
    expect(tried).toBeGreaterThan(200);
  });

  it('says so where an order of another version comes', () => {
    const order = { action: OrderAction.BUY, orderType: OrderType.MKT, totalQuantity: 1 };
    for (const [sent, read] of [
      [178, 176],
      [193, 178],
      [157, 193],
    ]) {
      const fields = encode(sent, (encoder) => encoder.placeOrder(1, SPY, order)) ?? [];
      expect(() => parseRequest(fields, read), `${sent} read as ${read}`).toThrow(FieldError);
    }
  });

  it('refuses numbers that are none', () => {
    for (const lmtPrice of [NaN, Infinity, -Infinity]) {
      const order = { action: OrderAction.BUY, orderType: OrderType.LMT, totalQuantity: 1, lmtPrice };
      const fields = encode(193, (encoder) => encoder.placeOrder(1, SPY, order)) ?? [];
      expect(() => parseRequest(fields, 193)).toThrow(/lmtPrice/);
    }
  });

  it('reads the scale block as ib_async writes it: absent where the increment is 0', () => {
    const order = {
      action: OrderAction.BUY,
      orderType: OrderType.MKT,
      totalQuantity: 1,
      scalePriceIncrement: 0,
      whatIf: true,
    };
    const fields = [...(encode(178, (encoder) => encoder.placeOrder(1, SPY, order)) ?? [])];
    const increment = fields.length;
    // the seven fields of the block follow the increment; find them by cutting where the parser agrees again
    const readings = Array.from({ length: increment - 8 }, (_, at) => [
      ...fields.slice(0, at + 1),
      ...fields.slice(at + 8),
    ]).filter((candidate) => {
      try {
        const request: ClientRequest = parseRequest(candidate, 178);
        return request.type === 'placeOrder' && request.order.whatIf && request.order.scalePriceIncrement === 0;
      } catch (error) {
        if (error instanceof FieldError) return false;
        throw error;
      }
    });
    expect(readings.length).toBeGreaterThan(0);
  });
});
