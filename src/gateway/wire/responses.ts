/**
 * What the gateway says. The names are those of the TWS API's callbacks; `type` tells them apart. Prices in the
 * contract's currency, sizes and positions in units; `null` is a number that is not set. Texts are plain: the
 * encoder removes NULs and escapes what the protocol version cannot carry.
 */
import type { Contract, Execution, Order, OrderState, OrderStatus, TagValue } from './types.js';

export interface HistoricalBar {
  /** As the client asked: text or epoch seconds ("20240102 09:30:00 US/Eastern", "20240102", "1704205800"). */
  readonly date: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly wap: number;
  /** Number of trades; -1: not known (as for MIDPOINT, BID and ASK). */
  readonly count: number;
}

export interface ContractDetails {
  readonly contract: Contract;
  readonly marketName: string;
  readonly minTick: number;
  /** Comma-separated, e.g. "LMT,MKT,STP,STPLMT,TRAIL". */
  readonly orderTypes: string;
  readonly validExchanges: string;
  readonly priceMagnifier: number;
  readonly underConId: number;
  readonly longName: string;
  readonly contractMonth: string;
  readonly industry: string;
  readonly category: string;
  readonly subcategory: string;
  /** IANA, e.g. "US/Eastern". */
  readonly timeZoneId: string;
  /** "20240102:0400-20240102:2000;20240103:CLOSED;...". */
  readonly tradingHours: string;
  readonly liquidHours: string;
  readonly secIdList: readonly TagValue[];
  readonly aggGroup: number;
  readonly underSymbol: string;
  readonly underSecType: string;
  /** Comma-separated, one for each of validExchanges. */
  readonly marketRuleIds: string;
  readonly realExpirationDate: string;
  /** COMMON, ETF, ... */
  readonly stockType: string;
  readonly minSize: number;
  readonly sizeIncrement: number;
  readonly suggestedSizeIncrement: number;
}

export type ServerMessage =
  // session
  | { readonly type: 'managedAccounts'; readonly accounts: readonly string[] }
  | { readonly type: 'nextValidId'; readonly orderId: number }
  /** Epoch seconds of market time. */
  | { readonly type: 'currentTime'; readonly timeSec: number }
  | {
      readonly type: 'error';
      /** Request or order; -1: the session (notices). */
      readonly id: number;
      readonly code: number;
      readonly message: string;
      readonly advancedOrderRejectJson?: string;
    }
  // contracts
  | { readonly type: 'contractDetails'; readonly reqId: number; readonly details: ContractDetails }
  | { readonly type: 'contractDetailsEnd'; readonly reqId: number }
  | {
      readonly type: 'symbolSamples';
      readonly reqId: number;
      readonly samples: readonly {
        readonly contract: Contract;
        readonly derivativeSecTypes: readonly string[];
        readonly description: string;
      }[];
    }
  | {
      readonly type: 'marketRule';
      readonly marketRuleId: number;
      readonly increments: readonly { readonly lowEdge: number; readonly increment: number }[];
    }
  // market data
  | { readonly type: 'marketDataType'; readonly reqId: number; readonly marketDataType: number }
  | {
      readonly type: 'tickReqParams';
      readonly reqId: number;
      readonly minTick: number;
      readonly bboExchange: string;
      readonly snapshotPermissions: number;
    }
  | {
      readonly type: 'tickPrice';
      readonly reqId: number;
      /** 1 bid, 2 ask, 4 last, 6 high, 7 low, 9 close, 14 open; delayed: 66, 67, 68, 72, 73, 75, 76. */
      readonly tickType: number;
      /** -1: no quote. */
      readonly price: number;
      readonly size: number;
      /** Bits: 1 can auto-execute, 2 past limit, 4 pre-open. */
      readonly attributes: number;
    }
  /** 0 bid, 3 ask, 5 last, 8 volume, 21 average volume; delayed: 69, 70, 71, 74. */
  | { readonly type: 'tickSize'; readonly reqId: number; readonly tickType: number; readonly size: number }
  | { readonly type: 'tickGeneric'; readonly reqId: number; readonly tickType: number; readonly value: number }
  /** 45 last timestamp (epoch seconds), 48 RT volume, 32 and 33 exchanges, ... */
  | { readonly type: 'tickString'; readonly reqId: number; readonly tickType: number; readonly value: string }
  | { readonly type: 'tickSnapshotEnd'; readonly reqId: number }
  | {
      readonly type: 'tickByTickLast';
      readonly reqId: number;
      /** true: AllLast (2), false: Last (1). */
      readonly all: boolean;
      readonly timeSec: number;
      readonly price: number;
      readonly size: number;
      /** Bits: 1 past limit, 2 unreported. */
      readonly attributes: number;
      readonly exchange: string;
      readonly conditions: string;
    }
  | {
      readonly type: 'tickByTickBidAsk';
      readonly reqId: number;
      readonly timeSec: number;
      readonly bidPrice: number;
      readonly askPrice: number;
      readonly bidSize: number;
      readonly askSize: number;
      /** Bits: 1 bid past low, 2 ask past high. */
      readonly attributes: number;
    }
  | {
      readonly type: 'tickByTickMidPoint';
      readonly reqId: number;
      readonly timeSec: number;
      readonly midPoint: number;
    }
  | {
      readonly type: 'realtimeBar';
      readonly reqId: number;
      /** Start of the 5-second bar. */
      readonly timeSec: number;
      readonly open: number;
      readonly high: number;
      readonly low: number;
      readonly close: number;
      readonly volume: number;
      readonly wap: number;
      readonly count: number;
    }
  // history
  | {
      readonly type: 'historicalData';
      readonly reqId: number;
      readonly start: string;
      readonly end: string;
      readonly bars: readonly HistoricalBar[];
    }
  | { readonly type: 'historicalDataUpdate'; readonly reqId: number; readonly bar: HistoricalBar }
  | { readonly type: 'headTimestamp'; readonly reqId: number; readonly timestamp: string }
  | {
      readonly type: 'histogramData';
      readonly reqId: number;
      readonly items: readonly { readonly price: number; readonly size: number }[];
    }
  | {
      readonly type: 'historicalTicks';
      readonly reqId: number;
      readonly ticks: readonly { readonly timeSec: number; readonly price: number; readonly size: number }[];
      readonly done: boolean;
    }
  | {
      readonly type: 'historicalTicksBidAsk';
      readonly reqId: number;
      readonly ticks: readonly {
        readonly timeSec: number;
        readonly attributes: number;
        readonly bidPrice: number;
        readonly askPrice: number;
        readonly bidSize: number;
        readonly askSize: number;
      }[];
      readonly done: boolean;
    }
  | {
      readonly type: 'historicalTicksLast';
      readonly reqId: number;
      readonly ticks: readonly {
        readonly timeSec: number;
        readonly attributes: number;
        readonly price: number;
        readonly size: number;
        readonly exchange: string;
        readonly conditions: string;
      }[];
      readonly done: boolean;
    }
  | {
      /** Answer to reqHistoricalData with whatToShow SCHEDULE. */
      readonly type: 'historicalSchedule';
      readonly reqId: number;
      readonly start: string;
      readonly end: string;
      readonly timeZoneId: string;
      readonly sessions: readonly { readonly start: string; readonly end: string; readonly refDate: string }[];
    }
  // orders
  | {
      readonly type: 'openOrder';
      readonly orderId: number;
      readonly clientId: number;
      readonly permId: number;
      readonly contract: Contract;
      readonly order: Order;
      readonly orderState: OrderState;
    }
  | { readonly type: 'openOrderEnd' }
  | {
      readonly type: 'orderStatus';
      readonly orderId: number;
      readonly status: OrderStatus;
      readonly filled: number;
      readonly remaining: number;
      readonly avgFillPrice: number;
      readonly permId: number;
      readonly parentId: number;
      readonly lastFillPrice: number;
      readonly clientId: number;
      readonly whyHeld: string;
      readonly mktCapPrice: number;
    }
  | {
      readonly type: 'completedOrder';
      readonly permId: number;
      readonly contract: Contract;
      readonly order: Order;
      readonly orderState: OrderState;
      readonly filledQuantity: number;
      readonly parentPermId: number;
    }
  | { readonly type: 'completedOrdersEnd' }
  | {
      readonly type: 'execDetails';
      /** -1: as it happens; otherwise the reqExecutions that asked. */
      readonly reqId: number;
      readonly contract: Contract;
      readonly execution: Execution;
    }
  | { readonly type: 'execDetailsEnd'; readonly reqId: number }
  | {
      readonly type: 'commissionReport';
      readonly execId: string;
      readonly commission: number;
      readonly currency: string;
      /** null: the execution opened or added. */
      readonly realizedPnl: number | null;
    }
  // account
  | {
      readonly type: 'accountValue';
      readonly key: string;
      readonly value: string;
      readonly currency: string;
      readonly account: string;
    }
  | {
      readonly type: 'portfolioValue';
      readonly contract: Contract;
      readonly position: number;
      readonly marketPrice: number;
      readonly marketValue: number;
      readonly averageCost: number;
      readonly unrealizedPnl: number;
      readonly realizedPnl: number;
      readonly account: string;
    }
  /** "hh:mm" */
  | { readonly type: 'accountUpdateTime'; readonly time: string }
  | { readonly type: 'accountDownloadEnd'; readonly account: string }
  | {
      readonly type: 'accountSummary';
      readonly reqId: number;
      readonly account: string;
      readonly tag: string;
      readonly value: string;
      readonly currency: string;
    }
  | { readonly type: 'accountSummaryEnd'; readonly reqId: number }
  | {
      readonly type: 'accountUpdateMulti';
      readonly reqId: number;
      readonly account: string;
      readonly modelCode: string;
      readonly key: string;
      readonly value: string;
      readonly currency: string;
    }
  | { readonly type: 'accountUpdateMultiEnd'; readonly reqId: number }
  | {
      readonly type: 'position';
      readonly account: string;
      readonly contract: Contract;
      readonly position: number;
      readonly averageCost: number;
    }
  | { readonly type: 'positionEnd' }
  | {
      readonly type: 'positionMulti';
      readonly reqId: number;
      readonly account: string;
      readonly modelCode: string;
      readonly contract: Contract;
      readonly position: number;
      readonly averageCost: number;
    }
  | { readonly type: 'positionMultiEnd'; readonly reqId: number }
  | {
      readonly type: 'pnl';
      readonly reqId: number;
      readonly daily: number;
      readonly unrealized: number | null;
      readonly realized: number | null;
    }
  | {
      readonly type: 'pnlSingle';
      readonly reqId: number;
      readonly position: number;
      readonly daily: number | null;
      readonly unrealized: number | null;
      readonly realized: number | null;
      readonly value: number;
    }
  // what the server answers by itself
  | {
      readonly type: 'mktDepthExchanges';
      readonly exchanges: readonly {
        readonly exchange: string;
        readonly secType: string;
        readonly listingExchange: string;
        readonly serviceDataType: string;
        readonly aggGroup: number | null;
      }[];
    }
  | {
      readonly type: 'smartComponents';
      readonly reqId: number;
      readonly components: readonly {
        readonly bitNumber: number;
        readonly exchange: string;
        readonly letter: string;
      }[];
    }
  | {
      readonly type: 'newsProviders';
      readonly providers: readonly { readonly code: string; readonly name: string }[];
    }
  | { readonly type: 'historicalNewsEnd'; readonly reqId: number; readonly hasMore: boolean }
  | { readonly type: 'scannerParameters'; readonly xml: string }
  /** In the order of their rank. */
  | { readonly type: 'scannerData'; readonly reqId: number; readonly rows: readonly ContractDetails[] }
  | {
      readonly type: 'securityDefinitionOptionParameter';
      readonly reqId: number;
      readonly exchange: string;
      readonly underlyingConId: number;
      readonly tradingClass: string;
      readonly multiplier: string;
      /** yyyymmdd. */
      readonly expirations: readonly string[];
      readonly strikes: readonly number[];
    }
  | { readonly type: 'securityDefinitionOptionParameterEnd'; readonly reqId: number }
  | {
      readonly type: 'softDollarTiers';
      readonly reqId: number;
      readonly tiers: readonly { readonly name: string; readonly value: string; readonly displayName: string }[];
    }
  | {
      readonly type: 'familyCodes';
      readonly codes: readonly { readonly account: string; readonly familyCode: string }[];
    }
  | { readonly type: 'displayGroupList'; readonly reqId: number; readonly groups: string }
  | { readonly type: 'displayGroupUpdated'; readonly reqId: number; readonly contractInfo: string }
  | { readonly type: 'userInfo'; readonly reqId: number; readonly whiteBrandingId: string };
