/** Our writer says a message; @stoqey/ib's decoder must understand it, to the last field, at every version. */
import { Decoder } from '@stoqey/ib/dist/core/io/decoder.js';
import { describe, expect, it } from 'vitest';
import { encodeMessage } from './encode.js';
import { CONTRACT, ORDER_STATE, plainOrder } from './order.fixture.js';
import type { ContractDetails, ServerMessage } from './responses.js';
import { MAX_SERVER_VERSION, MIN_SERVER_VERSION } from './versions.js';

const VERSIONS = Array.from({ length: MAX_SERVER_VERSION - MIN_SERVER_VERSION + 1 }, (_, i) => MIN_SERVER_VERSION + i);

interface Heard {
  readonly events: readonly { readonly name: string; readonly args: readonly unknown[] }[];
  readonly errors: readonly { readonly message: string; readonly code: number; readonly id: number | undefined }[];
  readonly infos: readonly { readonly message: string; readonly code: number }[];
}

/** What the decoder makes of one message. An underrun or a field left over is an error with code 505. */
function decode(message: ServerMessage, version: number): Heard {
  const events: { name: string; args: readonly unknown[] }[] = [];
  const errors: { message: string; code: number; id: number | undefined }[] = [];
  const infos: { message: string; code: number }[] = [];
  const decoder = new Decoder({
    serverVersion: version,
    emitEvent: (name, ...args) => {
      events.push({ name, args });
    },
    emitError: (text, code, id) => {
      errors.push({ message: text, code, id });
    },
    emitInfo: (text, code) => {
      infos.push({ message: text, code });
    },
  });
  const text = encodeMessage(message, version);
  expect(text.endsWith('\0')).toBe(true);
  const fields = text.split('\0').slice(0, -1);
  // this decoder does not expect the advisor's profile in completed orders, which ib_async's and IB's own do
  if (message.type === 'completedOrder' && version < 177 && fields.splice(31, 1)[0] !== 'a profile')
    throw new Error('the profile is not where it should be');
  decoder.enqueueMessage(fields);
  decoder.process();
  return { events, errors, infos };
}

const SEEN = { conId: 4711, symbol: 'SPY', secType: 'STK', currency: 'USD', localSymbol: 'SPY', tradingClass: 'SPY' };

const DETAILS: ContractDetails = {
  contract: CONTRACT,
  marketName: 'SPY',
  minTick: 0.01,
  orderTypes: 'LMT,MKT,STP',
  validExchanges: 'SMART,ARCA',
  priceMagnifier: 1,
  underConId: 0,
  longName: 'S&P 500 – ETF',
  contractMonth: '',
  industry: 'Financial',
  category: 'Fund',
  subcategory: 'Index',
  timeZoneId: 'US/Eastern',
  tradingHours: '20240102:0400-20240102:2000',
  liquidHours: '20240102:0930-20240102:1600',
  secIdList: [{ tag: 'ISIN', value: 'US78462F1030' }],
  aggGroup: 1,
  underSymbol: '',
  underSecType: '',
  marketRuleIds: '26,26',
  realExpirationDate: '',
  stockType: 'ETF',
  minSize: 1,
  sizeIncrement: 1,
  suggestedSizeIncrement: 100,
};

const CASES: readonly {
  readonly name: string;
  readonly message: ServerMessage;
  readonly events: readonly (readonly [string, ...unknown[]])[];
}[] = [
  {
    name: 'managedAccounts',
    message: { type: 'managedAccounts', accounts: ['DU1', 'DU2'] },
    events: [['managedAccounts', 'DU1,DU2']],
  },
  { name: 'nextValidId', message: { type: 'nextValidId', orderId: 42 }, events: [['nextValidId', 42]] },
  { name: 'currentTime', message: { type: 'currentTime', timeSec: 1704205800 }, events: [['currentTime', 1704205800]] },
  {
    name: 'contractDetailsEnd',
    message: { type: 'contractDetailsEnd', reqId: 3 },
    events: [['contractDetailsEnd', 3]],
  },
  {
    name: 'symbolSamples',
    message: {
      type: 'symbolSamples',
      reqId: 3,
      samples: [{ contract: CONTRACT, derivativeSecTypes: ['OPT', 'CFD'], description: 'an ETF' }],
    },
    events: [
      [
        'symbolSamples',
        3,
        [
          {
            contract: expect.objectContaining({ conId: 4711, symbol: 'SPY', primaryExch: 'ARCA', currency: 'USD' }),
            derivativeSecTypes: ['OPT', 'CFD'],
          },
        ],
      ],
    ],
  },
  {
    name: 'marketRule',
    message: {
      type: 'marketRule',
      marketRuleId: 26,
      increments: [
        { lowEdge: 0, increment: 0.0001 },
        { lowEdge: 1, increment: 0.01 },
      ],
    },
    events: [
      [
        'marketRule',
        26,
        [
          { lowEdge: 0, increment: 0.0001 },
          { lowEdge: 1, increment: 0.01 },
        ],
      ],
    ],
  },
  {
    name: 'marketDataType',
    message: { type: 'marketDataType', reqId: 3, marketDataType: 3 },
    events: [['marketDataType', 3, 3]],
  },
  {
    name: 'tickReqParams',
    message: { type: 'tickReqParams', reqId: 3, minTick: 1, bboExchange: '9c0001', snapshotPermissions: 3 },
    events: [['tickReqParams', 3, 1, '9c0001', 3]],
  },
  {
    name: 'tickPrice',
    message: { type: 'tickPrice', reqId: 3, tickType: 2, price: 470.25, size: 300, attributes: 1 },
    events: [
      ['tickPrice', 3, 2, 470.25, true],
      ['tickSize', 3, 3, 300],
    ],
  },
  {
    name: 'tickSize',
    message: { type: 'tickSize', reqId: 3, tickType: 8, size: 12345 },
    events: [['tickSize', 3, 8, 12345]],
  },
  {
    name: 'tickGeneric',
    message: { type: 'tickGeneric', reqId: 3, tickType: 46, value: 3 },
    events: [['tickGeneric', 3, 46, 3]],
  },
  {
    name: 'tickString',
    message: { type: 'tickString', reqId: 3, tickType: 45, value: '1704205800' },
    events: [['tickString', 3, 45, '1704205800']],
  },
  { name: 'tickSnapshotEnd', message: { type: 'tickSnapshotEnd', reqId: 3 }, events: [['tickSnapshotEnd', 3]] },
  {
    name: 'tickByTickLast',
    message: {
      type: 'tickByTickLast',
      reqId: 3,
      all: true,
      timeSec: 1704205800,
      price: 470.25,
      size: 5,
      attributes: 2,
      exchange: 'ARCA',
      conditions: 'T',
    },
    events: [['tickByTickAllLast', 3, 2, '1704205800', 470.25, 5, { pastLimit: false, unreported: true }, 'ARCA', 'T']],
  },
  {
    name: 'tickByTickBidAsk',
    message: {
      type: 'tickByTickBidAsk',
      reqId: 3,
      timeSec: 1704205800,
      bidPrice: 1,
      askPrice: 2,
      bidSize: 3,
      askSize: 4,
      attributes: 1,
    },
    events: [['tickByTickBidAsk', 3, '1704205800', 1, 2, 3, 4, { bidPastLow: true, askPastHigh: false }]],
  },
  {
    name: 'tickByTickMidPoint',
    message: { type: 'tickByTickMidPoint', reqId: 3, timeSec: 1704205800, midPoint: 1.5 },
    events: [['tickByTickMidPoint', 3, '1704205800', 1.5]],
  },
  {
    name: 'realtimeBar',
    message: {
      type: 'realtimeBar',
      reqId: 3,
      timeSec: 1704205800,
      open: 1,
      high: 4,
      low: 0.5,
      close: 2,
      volume: 100,
      wap: 1.75,
      count: 9,
    },
    events: [['realtimeBar', 3, 1704205800, 1, 4, 0.5, 2, 100, 1.75, 9]],
  },
  {
    name: 'historicalData',
    message: {
      type: 'historicalData',
      reqId: 3,
      start: 'A',
      end: 'B',
      bars: [
        { date: '20240102 09:30:00 US/Eastern', open: 1, high: 4, low: 0.5, close: 2, volume: 100, wap: 1.5, count: 9 },
      ],
    },
    events: [
      ['historicalData', 3, '20240102 09:30:00 US/Eastern', 1, 4, 0.5, 2, 100, 9, 1.5, undefined],
      ['historicalData', 3, 'finished-A-B', -1, -1, -1, -1, -1, -1, -1, false],
    ],
  },
  {
    name: 'historicalDataUpdate',
    message: {
      type: 'historicalDataUpdate',
      reqId: 3,
      bar: { date: '20240102', open: 1, high: 4, low: 0.5, close: 2, volume: 100, wap: 1.5, count: 9 },
    },
    events: [['historicalDataUpdate', 3, '20240102', 1, 4, 0.5, 2, 100, 9, 1.5]],
  },
  {
    name: 'headTimestamp',
    message: { type: 'headTimestamp', reqId: 3, timestamp: '20240102 14:30:00' },
    events: [['headTimestamp', 3, '20240102 14:30:00']],
  },
  {
    name: 'histogramData',
    message: { type: 'histogramData', reqId: 3, items: [{ price: 1.5, size: 7 }] },
    events: [['histogramData', 3, [{ price: 1.5, size: 7 }]]],
  },
  {
    name: 'historicalTicks',
    message: { type: 'historicalTicks', reqId: 3, ticks: [{ timeSec: 5, price: 1.5, size: 0 }], done: true },
    events: [['historicalTicks', 3, [{ time: 5, price: 1.5, size: 0 }], true]],
  },
  {
    name: 'historicalTicksBidAsk',
    message: {
      type: 'historicalTicksBidAsk',
      reqId: 3,
      ticks: [{ timeSec: 5, attributes: 0, bidPrice: 1, askPrice: 2, bidSize: 3, askSize: 4 }],
      done: true,
    },
    events: [
      [
        'historicalTicksBidAsk',
        3,
        [
          {
            time: 5,
            tickAttribBidAsk: { bidPastLow: false, askPastHigh: false },
            priceBid: 1,
            priceAsk: 2,
            sizeBid: 3,
            sizeAsk: 4,
          },
        ],
        true,
      ],
    ],
  },
  {
    name: 'historicalTicksLast',
    message: {
      type: 'historicalTicksLast',
      reqId: 3,
      ticks: [{ timeSec: 5, attributes: 1, price: 1.5, size: 2, exchange: 'ARCA', conditions: '' }],
      done: false,
    },
    events: [
      [
        'historicalTicksLast',
        3,
        [
          {
            time: 5,
            tickAttribLast: { pastLimit: true, unreported: false },
            price: 1.5,
            size: 2,
            exchange: 'ARCA',
            specialConditions: '',
          },
        ],
        false,
      ],
    ],
  },
  {
    name: 'historicalSchedule',
    message: {
      type: 'historicalSchedule',
      reqId: 3,
      start: 'A',
      end: 'B',
      timeZoneId: 'US/Eastern',
      sessions: [{ start: 'C', end: 'D', refDate: '20240102' }],
    },
    events: [
      [
        'historicalSchedule',
        3,
        'A',
        'B',
        'US/Eastern',
        [{ startDateTime: 'C', endDateTime: 'D', refDate: '20240102' }],
      ],
    ],
  },
  { name: 'openOrderEnd', message: { type: 'openOrderEnd' }, events: [['openOrderEnd']] },
  {
    name: 'orderStatus',
    message: {
      type: 'orderStatus',
      orderId: 7,
      status: 'Submitted',
      filled: 3,
      remaining: 7,
      avgFillPrice: 470.1,
      permId: 1_234_567,
      parentId: 6,
      lastFillPrice: 470.2,
      clientId: 5,
      whyHeld: '',
      mktCapPrice: 0,
    },
    events: [['orderStatus', 7, 'Submitted', 3, 7, 470.1, 1_234_567, 6, 470.2, 5, '', 0]],
  },
  { name: 'completedOrdersEnd', message: { type: 'completedOrdersEnd' }, events: [['completedOrdersEnd']] },
  {
    name: 'execDetails',
    message: {
      type: 'execDetails',
      reqId: -1,
      contract: CONTRACT,
      execution: {
        execId: '0001.01.01',
        orderId: 7,
        time: '20240102 09:31:00 US/Eastern',
        account: 'DU1',
        exchange: 'ARCA',
        side: 'BOT',
        shares: 3,
        cumQty: 3,
        price: 470.2,
        avgPrice: 470.2,
        permId: 1_234_567,
        clientId: 5,
        orderRef: 'ref',
        lastLiquidity: 2,
      },
    },
    events: [
      [
        'execDetails',
        -1,
        expect.objectContaining({ ...SEEN, exchange: 'SMART' }),
        expect.objectContaining({
          execId: '0001.01.01',
          orderId: 7,
          time: '20240102 09:31:00 US/Eastern',
          acctNumber: 'DU1',
          exchange: 'ARCA',
          side: 'BOT',
          shares: 3,
          price: 470.2,
          permId: 1_234_567,
          clientId: 5,
          liquidation: 0,
          cumQty: 3,
          avgPrice: 470.2,
          orderRef: 'ref',
          modelCode: '',
          lastLiquidity: 2,
        }),
      ],
    ],
  },
  { name: 'execDetailsEnd', message: { type: 'execDetailsEnd', reqId: 3 }, events: [['execDetailsEnd', 3]] },
  {
    name: 'commissionReport',
    message: { type: 'commissionReport', execId: '0001', commission: 1.05, currency: 'USD', realizedPnl: null },
    events: [
      [
        'commissionReport',
        expect.objectContaining({ execId: '0001', commission: 1.05, currency: 'USD', realizedPNL: undefined }),
      ],
    ],
  },
  {
    name: 'accountValue',
    message: { type: 'accountValue', key: 'NetLiquidation', value: '100000.00', currency: 'USD', account: 'DU1' },
    events: [['updateAccountValue', 'NetLiquidation', '100000.00', 'USD', 'DU1']],
  },
  {
    name: 'portfolioValue',
    message: {
      type: 'portfolioValue',
      contract: CONTRACT,
      position: -5,
      marketPrice: 2,
      marketValue: -10,
      averageCost: 1,
      unrealizedPnl: -5,
      realizedPnl: 0.5,
      account: 'DU1',
    },
    events: [
      ['updatePortfolio', expect.objectContaining({ ...SEEN, primaryExch: 'ARCA' }), -5, 2, -10, 1, -5, 0.5, 'DU1'],
    ],
  },
  {
    name: 'accountUpdateTime',
    message: { type: 'accountUpdateTime', time: '09:31' },
    events: [['updateAccountTime', '09:31']],
  },
  {
    name: 'accountDownloadEnd',
    message: { type: 'accountDownloadEnd', account: 'DU1' },
    events: [['accountDownloadEnd', 'DU1']],
  },
  {
    name: 'accountSummary',
    message: { type: 'accountSummary', reqId: 3, account: 'DU1', tag: 'BuyingPower', value: '1', currency: 'USD' },
    events: [['accountSummary', 3, 'DU1', 'BuyingPower', '1', 'USD']],
  },
  { name: 'accountSummaryEnd', message: { type: 'accountSummaryEnd', reqId: 3 }, events: [['accountSummaryEnd', 3]] },
  {
    name: 'accountUpdateMulti',
    message: {
      type: 'accountUpdateMulti',
      reqId: 3,
      account: 'DU1',
      modelCode: '',
      key: 'k',
      value: 'v',
      currency: 'USD',
    },
    events: [['accountUpdateMulti', 3, 'DU1', '', 'k', 'v', 'USD']],
  },
  {
    name: 'accountUpdateMultiEnd',
    message: { type: 'accountUpdateMultiEnd', reqId: 3 },
    events: [['accountUpdateMultiEnd', '3']],
  },
  {
    name: 'position',
    message: { type: 'position', account: 'DU1', contract: CONTRACT, position: 5, averageCost: 470.3 },
    events: [['position', 'DU1', expect.objectContaining(SEEN), 5, 470.3]],
  },
  { name: 'positionEnd', message: { type: 'positionEnd' }, events: [['positionEnd']] },
  {
    name: 'positionMulti',
    message: {
      type: 'positionMulti',
      reqId: 3,
      account: 'DU1',
      modelCode: '',
      contract: CONTRACT,
      position: 5,
      averageCost: 470.3,
    },
    events: [['positionMulti', 3, 'DU1', '', expect.objectContaining(SEEN), 5, 470.3]],
  },
  { name: 'positionMultiEnd', message: { type: 'positionMultiEnd', reqId: 3 }, events: [['positionMultiEnd', 3]] },
  {
    name: 'pnl',
    message: { type: 'pnl', reqId: 3, daily: 1.5, unrealized: -2, realized: null },
    events: [['pnl', 3, 1.5, -2, undefined]],
  },
  {
    name: 'pnlSingle',
    message: { type: 'pnlSingle', reqId: 3, position: 5, daily: 1.5, unrealized: -2, realized: null, value: 10 },
    events: [['pnlSingle', 3, 5, 1.5, -2, undefined, 10]],
  },
  {
    name: 'mktDepthExchanges',
    message: {
      type: 'mktDepthExchanges',
      exchanges: [
        { exchange: 'ISLAND', secType: 'STK', listingExchange: '', serviceDataType: 'Deep2', aggGroup: null },
      ],
    },
    events: [
      [
        'mktDepthExchanges',
        [{ exchange: 'ISLAND', secType: 'STK', listingExch: '', serviceDataType: 'Deep2', aggGroup: undefined }],
      ],
    ],
  },
  {
    name: 'smartComponents',
    message: { type: 'smartComponents', reqId: 3, components: [{ bitNumber: 1, exchange: 'ARCA', letter: 'P' }] },
    events: [['smartComponents', 3, new Map([[1, ['ARCA', 'P']]])]],
  },
  {
    name: 'newsProviders',
    message: { type: 'newsProviders', providers: [{ code: 'BZ', name: 'B' }] },
    events: [['newsProviders', [{ providerCode: 'BZ', providerName: 'B' }]]],
  },
  {
    name: 'historicalNewsEnd',
    message: { type: 'historicalNewsEnd', reqId: 3, hasMore: false },
    events: [['historicalNewsEnd', 3, false]],
  },
  {
    name: 'scannerParameters',
    message: { type: 'scannerParameters', xml: '<a/>' },
    events: [['scannerParameters', '<a/>']],
  },
  {
    name: 'scannerData',
    message: { type: 'scannerData', reqId: 3, rows: [DETAILS] },
    events: [
      ['scannerData', 3, 0, { contract: expect.objectContaining(SEEN), marketName: 'SPY' }, '', '', '', ''],
      ['scannerDataEnd', 3],
    ],
  },
  {
    name: 'securityDefinitionOptionParameter',
    message: {
      type: 'securityDefinitionOptionParameter',
      reqId: 3,
      exchange: 'CBOE',
      underlyingConId: 4711,
      tradingClass: 'SPY',
      multiplier: '100',
      expirations: ['20240105', '20240112'],
      strikes: [470, 472.5],
    },
    events: [
      ['securityDefinitionOptionParameter', 3, 'CBOE', 4711, 'SPY', 100, ['20240105', '20240112'], [470, 472.5]],
    ],
  },
  {
    name: 'securityDefinitionOptionParameterEnd',
    message: { type: 'securityDefinitionOptionParameterEnd', reqId: 3 },
    events: [['securityDefinitionOptionParameterEnd', 3]],
  },
  {
    name: 'softDollarTiers',
    message: { type: 'softDollarTiers', reqId: 3, tiers: [{ name: 'a', value: 'b', displayName: 'c' }] },
    events: [['softDollarTiers', 3, [{ name: 'a', value: 'b', displayName: 'c' }]]],
  },
  {
    name: 'familyCodes',
    message: { type: 'familyCodes', codes: [{ account: 'DU1', familyCode: '' }] },
    events: [['familyCodes', [{ accountID: 'DU1', familyCode: '' }]]],
  },
  {
    name: 'displayGroupList',
    message: { type: 'displayGroupList', reqId: 3, groups: '1|2' },
    events: [['displayGroupList', 3, '1|2']],
  },
  {
    name: 'displayGroupUpdated',
    message: { type: 'displayGroupUpdated', reqId: 3, contractInfo: 'none' },
    events: [['displayGroupUpdated', 3, 'none']],
  },
  {
    name: 'userInfo',
    message: { type: 'userInfo', reqId: 3, whiteBrandingId: '' },
    events: [['userInfo', 3, '']],
  },
];

describe('messages of the gateway, at every version from 157 to 193', () => {
  it.each(CASES)('$name', ({ message, events }) => {
    for (const version of VERSIONS) {
      const heard = decode(message, version);
      expect(heard.errors, `version ${version}`).toEqual([]);
      expect(
        heard.events.map(({ name, args }) => [name, ...args]),
        `version ${version}`,
      ).toEqual(events);
    }
  });

  it('contractDetails', () => {
    for (const version of VERSIONS) {
      const heard = decode({ type: 'contractDetails', reqId: 3, details: DETAILS }, version);
      expect(heard.errors, `version ${version}`).toEqual([]);
      const [reqId, details] = heard.events[0].args;
      expect(reqId).toBe(3);
      expect(details, `version ${version}`).toMatchObject({
        contract: { ...SEEN, exchange: 'SMART', primaryExch: 'ARCA' },
        minTick: 0.01,
        validExchanges: 'SMART,ARCA',
        longName: 'S&P 500 – ETF',
        timeZoneId: 'US/Eastern',
        tradingHours: '20240102:0400-20240102:2000',
        liquidHours: '20240102:0930-20240102:1600',
        secIdList: [{ tag: 'ISIN', value: 'US78462F1030' }],
        marketRuleIds: '26,26',
        stockType: 'ETF',
        ...(version >= 164 ? { minSize: 1, sizeIncrement: 1, suggestedSizeIncrement: 100 } : {}),
      });
    }
  });

  const order = plainOrder({
    action: 'SELL',
    totalQuantity: 10,
    orderType: 'TRAIL LIMIT',
    lmtPrice: 99,
    auxPrice: 0.5,
    tif: 'GTC',
    ocaGroup: 'oca1',
    ocaType: 1,
    account: 'DU1',
    orderRef: 'ref',
    parentId: 6,
    outsideRth: true,
    whatIf: true,
    trailStopPrice: 98.5,
    trailingPercent: 1.5,
    lmtPriceOffset: 0.1,
    algoStrategy: 'Adaptive',
    algoParams: [{ tag: 'adaptivePriority', value: 'Normal' }],
    hedgeType: 'B',
    hedgeParam: '0.9',
    scalePriceIncrement: 0.05,
    scaleAutoReset: true,
    cashQty: 500,
    duration: 60,
    autoCancelParent: true,
    professionalCustomer: true,
    includeOvernight: true,
    extOperator: 'op',
    minTradeQty: 5,
    faProfile: 'a profile',
  });
  const state = {
    ...ORDER_STATE,
    initMarginBefore: 1,
    initMarginChange: 2.5,
    initMarginAfter: 3.5,
    commission: 1.05,
    commissionCurrency: 'USD',
    warningText: 'careful',
    completedTime: '20240102 10:00:00 US/Eastern',
    completedStatus: 'Filled Size: 10',
  };
  const seenOrder = {
    action: 'SELL',
    totalQuantity: 10,
    orderType: 'TRAIL LIMIT',
    lmtPrice: 99,
    auxPrice: 0.5,
    tif: 'GTC',
    ocaGroup: 'oca1',
    ocaType: 1,
    account: 'DU1',
    orderRef: 'ref',
    permId: 77,
    outsideRth: true,
    trailStopPrice: 98.5,
    trailingPercent: 1.5,
    lmtPriceOffset: 0.1,
    algoStrategy: 'Adaptive',
    algoParams: [{ tag: 'adaptivePriority', value: 'Normal' }],
    hedgeType: 'B',
    hedgeParam: '0.9',
    scalePriceIncrement: 0.05,
    scaleAutoReset: true,
    cashQty: 500,
    deltaNeutralOrderType: 'None',
  };

  it('openOrder', () => {
    for (const version of VERSIONS) {
      const heard = decode(
        { type: 'openOrder', orderId: 7, clientId: 5, permId: 77, contract: CONTRACT, order, orderState: state },
        version,
      );
      expect(heard.errors, `version ${version}`).toEqual([]);
      const [orderId, contract, seen, seenState] = heard.events[0].args;
      expect(orderId).toBe(7);
      expect(contract, `version ${version}`).toMatchObject({ ...SEEN, exchange: 'SMART' });
      expect(seen, `version ${version}`).toMatchObject({
        ...seenOrder,
        clientId: 5,
        parentId: 6,
        whatIf: true,
        ...(version >= 162 ? { autoCancelParent: true } : {}),
        ...(version >= 158 ? { duration: 60 } : {}),
        ...(version >= 170 ? { minTradeQty: 5 } : {}),
        ...(version >= 184 ? { professionalCustomer: true } : {}),
        ...(version >= 189 ? { includeOvernight: true } : {}),
        ...(version >= 193 ? { extOperator: 'op' } : {}),
      });
      expect(seenState, `version ${version}`).toMatchObject({
        status: 'Submitted',
        initMarginBefore: 1,
        maintMarginBefore: undefined,
        initMarginChange: 2.5,
        initMarginAfter: 3.5,
        commission: 1.05,
        minCommission: undefined,
        commissionCurrency: 'USD',
        warningText: 'careful',
      });
    }
  });

  it('completedOrder', () => {
    for (const version of VERSIONS) {
      const heard = decode(
        {
          type: 'completedOrder',
          permId: 77,
          contract: CONTRACT,
          order,
          orderState: { ...state, status: 'Filled' },
          filledQuantity: 10,
          parentPermId: 76,
        },
        version,
      );
      expect(heard.errors, `version ${version}`).toEqual([]);
      const [contract, seen, seenState] = heard.events[0].args;
      expect(contract, `version ${version}`).toMatchObject(SEEN);
      expect(seen, `version ${version}`).toMatchObject({
        ...seenOrder,
        filledQuantity: 10,
        parentPermId: 76,
        ...(version >= 170 ? { minTradeQty: 5 } : {}),
      });
      expect(seenState, `version ${version}`).toMatchObject({
        status: 'Filled',
        completedTime: '20240102 10:00:00 US/Eastern',
        completedStatus: 'Filled Size: 10',
      });
    }
  });

  it('conditions, in open and in completed orders', () => {
    const conditional = plainOrder({
      action: 'BUY',
      totalQuantity: 1,
      orderType: 'MKT',
      conditions: [
        { type: 1, conjunction: 'o', fields: ['1', '100.5', '4711', 'SMART', '0'] },
        { type: 3, conjunction: 'a', fields: ['1', '20240102 10:00:00 US/Eastern'] },
        { type: 4, conjunction: 'a', fields: ['0', '30'] },
        { type: 5, conjunction: 'a', fields: ['STK', 'SMART', 'SPY'] },
        { type: 6, conjunction: 'a', fields: ['1', '1000', '4711', 'SMART'] },
        { type: 7, conjunction: 'a', fields: ['1', '1.5', '4711', 'SMART'] },
      ],
      conditionsIgnoreRth: true,
      conditionsCancelOrder: true,
      adjustedOrderType: 'STP',
      faProfile: 'a profile',
    });
    const seenConditions = [
      { type: 1, conjunctionConnection: 'o', price: 100.5, conId: 4711, exchange: 'SMART', isMore: true },
      { type: 3, time: '20240102 10:00:00 US/Eastern', isMore: true },
      { type: 4, percent: 30, isMore: false },
      { type: 5, secType: 'STK', symbol: 'SPY' },
      { type: 6, volume: 1000 },
      { type: 7, percent: 1.5 },
    ];
    for (const version of VERSIONS) {
      const open = decode(
        {
          type: 'openOrder',
          orderId: 7,
          clientId: 5,
          permId: 77,
          contract: CONTRACT,
          order: conditional,
          orderState: state,
        },
        version,
      );
      expect(open.errors, `version ${version}`).toEqual([]);
      expect(open.events[0].args[2], `version ${version}`).toMatchObject({
        conditions: seenConditions,
        conditionsIgnoreRth: true,
        conditionsCancelOrder: true,
      });
      const completed = decode(
        {
          type: 'completedOrder',
          permId: 77,
          contract: CONTRACT,
          order: conditional,
          orderState: state,
          filledQuantity: 1,
          parentPermId: 0,
        },
        version,
      );
      expect(completed.errors, `version ${version}`).toEqual([]);
      expect(completed.events[0].args[1], `version ${version}`).toMatchObject({ conditions: seenConditions });
    }
  });

  it('a plain order, as openOrder and completedOrder', () => {
    const plain = plainOrder({ action: 'BUY', totalQuantity: 1, orderType: 'MKT', faProfile: 'a profile' });
    for (const version of VERSIONS) {
      const open = decode(
        { type: 'openOrder', orderId: 7, clientId: 5, permId: 77, contract: CONTRACT, order: plain, orderState: state },
        version,
      );
      const completed = decode(
        {
          type: 'completedOrder',
          permId: 77,
          contract: CONTRACT,
          order: plain,
          orderState: state,
          filledQuantity: 1,
          parentPermId: 0,
        },
        version,
      );
      expect([...open.errors, ...completed.errors], `version ${version}`).toEqual([]);
      expect(open.events[0].args[2]).toMatchObject({ lmtPrice: undefined, auxPrice: undefined, orderType: 'MKT' });
    }
  });

  it('errors, with the order that they speak of and what was rejected; notices', () => {
    for (const version of VERSIONS) {
      const error = decode({ type: 'error', id: 7, code: 201, message: 'Order rejected – no' }, version);
      expect(error.errors).toEqual([{ message: 'Order rejected – no', code: 201, id: 7 }]);
      const notice = decode({ type: 'error', id: -1, code: 2104, message: 'OK:usfarm' }, version);
      expect(notice.infos).toEqual([{ message: 'OK:usfarm', code: 2104 }]);
    }
  });

  it('keeps a NUL inside a text from shifting the fields after it', () => {
    const message = { type: 'accountValue', key: 'a\0b', value: 'c', currency: 'USD', account: 'DU1' } as const;
    expect(decode(message, 176).events).toEqual([{ name: 'updateAccountValue', args: ['ab', 'c', 'USD', 'DU1'] }]);
  });
});
