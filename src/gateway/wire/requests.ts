/** What a client asks. The names are those of the TWS API; `type` tells them apart. */
import type { ContractQuery, Contract, Order } from './types.js';

export interface ExecutionFilter {
  /** 0: any client. */
  readonly clientId: number;
  readonly account: string;
  /** "yyyymmdd-hh:mm:ss" or "yyyymmdd hh:mm:ss": executions since then; empty: all of the day. */
  readonly time: string;
  readonly symbol: string;
  readonly secType: string;
  readonly exchange: string;
  /** BUY, SELL or empty. */
  readonly side: string;
}

/** Requests that the exchange answers. Everything else is answered by the server itself. */
export type ExchangeRequest =
  // contracts
  | { readonly type: 'reqContractDetails'; readonly reqId: number; readonly contract: ContractQuery }
  | { readonly type: 'reqMatchingSymbols'; readonly reqId: number; readonly pattern: string }
  | {
      readonly type: 'reqSecDefOptParams';
      readonly reqId: number;
      readonly underlyingSymbol: string;
      readonly futFopExchange: string;
      readonly underlyingSecType: string;
      readonly underlyingConId: number;
    }
  | { readonly type: 'reqMarketRule'; readonly marketRuleId: number }
  // market data
  | {
      readonly type: 'reqMktData';
      readonly reqId: number;
      readonly contract: ContractQuery;
      /** Generic ticks asked for, e.g. ["233", "165"]; may be empty. */
      readonly genericTicks: readonly string[];
      readonly snapshot: boolean;
      readonly regulatorySnapshot: boolean;
    }
  | { readonly type: 'cancelMktData'; readonly reqId: number }
  /** 1 live, 2 frozen, 3 delayed, 4 delayed frozen: for later reqMktData of this client. */
  | { readonly type: 'reqMarketDataType'; readonly marketDataType: number }
  | {
      readonly type: 'reqTickByTickData';
      readonly reqId: number;
      readonly contract: ContractQuery;
      /** Last, AllLast, BidAsk, MidPoint. */
      readonly tickType: string;
      readonly numberOfTicks: number;
      readonly ignoreSize: boolean;
    }
  | { readonly type: 'cancelTickByTickData'; readonly reqId: number }
  | {
      readonly type: 'reqRealTimeBars';
      readonly reqId: number;
      readonly contract: ContractQuery;
      /** Seconds; only 5 exists. */
      readonly barSize: number;
      readonly whatToShow: string;
      readonly useRth: boolean;
    }
  | { readonly type: 'cancelRealTimeBars'; readonly reqId: number }
  // history
  | {
      readonly type: 'reqHistoricalData';
      readonly reqId: number;
      readonly contract: ContractQuery;
      /** "yyyymmdd hh:mm:ss zone", "yyyymmdd-hh:mm:ss" (UTC), or empty: now. */
      readonly endDateTime: string;
      /** "1 D", "3600 S", ... */
      readonly duration: string;
      /** "1 min", "5 mins", "1 day", ... */
      readonly barSize: string;
      readonly whatToShow: string;
      readonly useRth: boolean;
      /** 1 text in the exchange's zone, 2 epoch seconds. */
      readonly formatDate: number;
      readonly keepUpToDate: boolean;
    }
  | { readonly type: 'cancelHistoricalData'; readonly reqId: number }
  | {
      readonly type: 'reqHeadTimestamp';
      readonly reqId: number;
      readonly contract: ContractQuery;
      readonly useRth: boolean;
      readonly whatToShow: string;
      readonly formatDate: number;
    }
  | { readonly type: 'cancelHeadTimestamp'; readonly reqId: number }
  | {
      readonly type: 'reqHistoricalTicks';
      readonly reqId: number;
      readonly contract: ContractQuery;
      readonly startDateTime: string;
      readonly endDateTime: string;
      readonly numberOfTicks: number;
      /** TRADES, BID_ASK, MIDPOINT. */
      readonly whatToShow: string;
      readonly useRth: boolean;
      readonly ignoreSize: boolean;
    }
  | {
      readonly type: 'reqHistogramData';
      readonly reqId: number;
      readonly contract: ContractQuery;
      readonly useRth: boolean;
      /** "3 days", ... */
      readonly timePeriod: string;
    }
  | { readonly type: 'cancelHistogramData'; readonly reqId: number }
  // orders
  | { readonly type: 'placeOrder'; readonly orderId: number; readonly contract: ContractQuery; readonly order: Order }
  | { readonly type: 'cancelOrder'; readonly orderId: number }
  | { readonly type: 'reqGlobalCancel' }
  | { readonly type: 'reqOpenOrders' }
  | { readonly type: 'reqAllOpenOrders' }
  | { readonly type: 'reqAutoOpenOrders'; readonly bind: boolean }
  | { readonly type: 'reqExecutions'; readonly reqId: number; readonly filter: ExecutionFilter }
  | { readonly type: 'reqCompletedOrders'; readonly apiOnly: boolean }
  // account
  | { readonly type: 'reqAccountUpdates'; readonly subscribe: boolean; readonly account: string }
  | {
      readonly type: 'reqAccountUpdatesMulti';
      readonly reqId: number;
      readonly account: string;
      readonly modelCode: string;
      readonly ledgerAndNlv: boolean;
    }
  | { readonly type: 'cancelAccountUpdatesMulti'; readonly reqId: number }
  | {
      readonly type: 'reqAccountSummary';
      readonly reqId: number;
      /** "All" or a group's name. */
      readonly group: string;
      /** "NetLiquidation", ..., "$LEDGER:ALL". */
      readonly tags: readonly string[];
    }
  | { readonly type: 'cancelAccountSummary'; readonly reqId: number }
  | { readonly type: 'reqPositions' }
  | { readonly type: 'cancelPositions' }
  | {
      readonly type: 'reqPositionsMulti';
      readonly reqId: number;
      readonly account: string;
      readonly modelCode: string;
    }
  | { readonly type: 'cancelPositionsMulti'; readonly reqId: number }
  | { readonly type: 'reqPnL'; readonly reqId: number; readonly account: string; readonly modelCode: string }
  | { readonly type: 'cancelPnL'; readonly reqId: number }
  | {
      readonly type: 'reqPnLSingle';
      readonly reqId: number;
      readonly account: string;
      readonly modelCode: string;
      readonly conId: number;
    }
  | { readonly type: 'cancelPnLSingle'; readonly reqId: number };

/** Requests that need no market: the server answers them, or says that the simulation has no such data. */
export type SessionRequest =
  | { readonly type: 'startApi'; readonly clientId: number; readonly optionalCapabilities: string }
  | { readonly type: 'reqIds'; readonly count: number }
  | { readonly type: 'reqManagedAccts' }
  | { readonly type: 'reqCurrentTime' }
  | { readonly type: 'setServerLogLevel'; readonly level: number }
  | {
      readonly type: 'reqMktDepth';
      readonly reqId: number;
      readonly contract: ContractQuery;
      readonly rows: number;
      readonly smartDepth: boolean;
    }
  | { readonly type: 'cancelMktDepth'; readonly reqId: number; readonly smartDepth: boolean }
  | { readonly type: 'reqMktDepthExchanges' }
  | { readonly type: 'reqSmartComponents'; readonly reqId: number; readonly bboExchange: string }
  | { readonly type: 'reqNewsBulletins'; readonly all: boolean }
  | { readonly type: 'cancelNewsBulletins' }
  | { readonly type: 'reqNewsProviders' }
  | { readonly type: 'reqNewsArticle'; readonly reqId: number; readonly provider: string; readonly articleId: string }
  | {
      readonly type: 'reqHistoricalNews';
      readonly reqId: number;
      readonly conId: number;
      readonly providers: string;
      readonly startDateTime: string;
      readonly endDateTime: string;
      readonly totalResults: number;
    }
  | {
      readonly type: 'reqFundamentalData';
      readonly reqId: number;
      readonly contract: ContractQuery;
      readonly reportType: string;
    }
  | { readonly type: 'cancelFundamentalData'; readonly reqId: number }
  | {
      readonly type: 'calculateImpliedVolatility';
      readonly reqId: number;
      readonly contract: Contract;
      readonly optionPrice: number;
      readonly underPrice: number;
    }
  | { readonly type: 'cancelCalculateImpliedVolatility'; readonly reqId: number }
  | {
      readonly type: 'calculateOptionPrice';
      readonly reqId: number;
      readonly contract: Contract;
      readonly volatility: number;
      readonly underPrice: number;
    }
  | { readonly type: 'cancelCalculateOptionPrice'; readonly reqId: number }
  | {
      readonly type: 'exerciseOptions';
      readonly reqId: number;
      readonly contract: Contract;
      readonly exerciseAction: number;
      readonly exerciseQuantity: number;
      readonly account: string;
    }
  | { readonly type: 'reqScannerParameters' }
  | {
      readonly type: 'reqScannerSubscription';
      readonly reqId: number;
      readonly rows: number | null;
      readonly instrument: string;
      readonly locationCode: string;
      readonly scanCode: string;
      readonly abovePrice: number | null;
      readonly belowPrice: number | null;
    }
  | { readonly type: 'cancelScannerSubscription'; readonly reqId: number }
  | { readonly type: 'requestFA'; readonly faDataType: number }
  | { readonly type: 'replaceFA'; readonly reqId: number; readonly faDataType: number; readonly xml: string }
  | { readonly type: 'queryDisplayGroups'; readonly reqId: number }
  | { readonly type: 'subscribeToGroupEvents'; readonly reqId: number; readonly groupId: number }
  | { readonly type: 'updateDisplayGroup'; readonly reqId: number; readonly contractInfo: string }
  | { readonly type: 'unsubscribeFromGroupEvents'; readonly reqId: number }
  /** The verify messages (65, 66, 72, 73) belong to IB's own extensions. */
  | { readonly type: 'verify'; readonly messageId: number }
  | { readonly type: 'reqSoftDollarTiers'; readonly reqId: number }
  | { readonly type: 'reqFamilyCodes' }
  | { readonly type: 'reqWshMetaData'; readonly reqId: number }
  | { readonly type: 'cancelWshMetaData'; readonly reqId: number }
  | { readonly type: 'reqWshEventData'; readonly reqId: number; readonly conId: number }
  | { readonly type: 'cancelWshEventData'; readonly reqId: number }
  | { readonly type: 'reqUserInfo'; readonly reqId: number };

/** Everything that a client can say. */
export type ClientRequest = ExchangeRequest | SessionRequest;
