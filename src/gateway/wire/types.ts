/**
 * What the TWS wire protocol speaks of: contracts, orders, executions. Shared by both directions.
 * `null` is a number that is not set (the wire's empty field, 1.7976931348623157E308 or 2147483647);
 * an empty string is a text that is not set. Prices are in the contract's currency, quantities in units (shares).
 */

export interface TagValue {
  readonly tag: string;
  readonly value: string;
}

export interface ComboLeg {
  readonly conId: number;
  readonly ratio: number;
  readonly action: string;
  readonly exchange: string;
  readonly openClose: number;
  readonly shortSaleSlot: number;
  readonly designatedLocation: string;
  readonly exemptCode: number;
}

export interface DeltaNeutralContract {
  readonly conId: number;
  readonly delta: number;
  readonly price: number;
}

/** A contract as a client describes it (fields may be empty) or as the gateway knows it. */
export interface Contract {
  /** 0: not given. */
  readonly conId: number;
  readonly symbol: string;
  /** STK, CASH, IND, FUT, OPT, BAG, ... */
  readonly secType: string;
  readonly lastTradeDateOrContractMonth: string;
  /** 0: none. */
  readonly strike: number;
  /** C, P, or empty. Some clients write 0 or ? for "none"; the parser makes them empty. */
  readonly right: string;
  readonly multiplier: string;
  readonly exchange: string;
  readonly primaryExchange: string;
  readonly currency: string;
  readonly localSymbol: string;
  readonly tradingClass: string;
}

/** What some requests say beside the contract. */
export interface ContractQuery extends Contract {
  readonly includeExpired: boolean;
  /** ISIN, CUSIP, SEDOL, FIGI, or empty. */
  readonly secIdType: string;
  readonly secId: string;
  readonly issuerId: string;
  /** Not empty: a combo (secType BAG). */
  readonly comboLegs: readonly ComboLeg[];
  readonly deltaNeutralContract: DeltaNeutralContract | null;
}

export type OrderAction = 'BUY' | 'SELL' | 'SSHORT' | 'SLONG';

/** What an order waits for, as it is written. */
export interface OrderCondition {
  /** 1 price, 3 time, 4 margin, 5 execution, 6 volume, 7 percent change. */
  readonly type: number;
  /** How the next one joins: a (and) or o (or). */
  readonly conjunction: string;
  readonly fields: readonly string[];
}

/** An order, field by field as placeOrder and openOrder carry it. What the simulation acts upon comes first. */
export interface Order {
  /** BUY, SELL; as the client wrote it, in upper case. */
  readonly action: string;
  readonly totalQuantity: number;
  /** MKT, LMT, STP, STP LMT, TRAIL, TRAIL LIMIT, ...; in upper case. */
  readonly orderType: string;
  readonly lmtPrice: number | null;
  /** Stop price of STP and STP LMT; trailing amount of TRAIL. */
  readonly auxPrice: number | null;
  /** DAY, GTC, IOC, ...; empty means DAY. */
  readonly tif: string;
  readonly ocaGroup: string;
  /** 1 cancel the rest with block, 2 and 3 reduce the rest; 0 not set. */
  readonly ocaType: number;
  /** Empty: the only account. */
  readonly account: string;
  readonly orderRef: string;
  /** false: held at the gateway until an order of the same bracket is transmitted. */
  readonly transmit: boolean;
  /** 0: no parent. */
  readonly parentId: number;
  readonly outsideRth: boolean;
  readonly whatIf: boolean;
  readonly allOrNone: boolean;
  readonly minQty: number | null;
  readonly displaySize: number | null;
  /** 0 default, 1 double bid/ask, 2 last, 3 double last, 4 bid/ask, 7 last or bid/ask, 8 midpoint. */
  readonly triggerMethod: number;
  readonly hidden: boolean;
  /** yyyymmdd hh:mm:ss zone, or empty. */
  readonly goodAfterTime: string;
  readonly goodTillDate: string;
  /** Initial stop price of TRAIL and TRAIL LIMIT. */
  readonly trailStopPrice: number | null;
  /** Percent (1 is 1%); excludes auxPrice. */
  readonly trailingPercent: number | null;
  readonly lmtPriceOffset: number | null;
  readonly cashQty: number | null;
  readonly overridePercentageConstraints: boolean;
  readonly conditions: readonly OrderCondition[];
  readonly conditionsIgnoreRth: boolean;
  readonly conditionsCancelOrder: boolean;
  readonly algoStrategy: string;
  readonly algoParams: readonly TagValue[];

  readonly openClose: string;
  readonly origin: number;
  readonly blockOrder: boolean;
  readonly sweepToFill: boolean;
  readonly orderComboLegPrices: readonly (number | null)[];
  readonly smartComboRoutingParams: readonly TagValue[];
  readonly discretionaryAmt: number;
  readonly faGroup: string;
  readonly faMethod: string;
  readonly faPercentage: string;
  readonly faProfile: string;
  readonly modelCode: string;
  readonly shortSaleSlot: number;
  readonly designatedLocation: string;
  readonly exemptCode: number;
  readonly rule80A: string;
  readonly settlingFirm: string;
  readonly percentOffset: number | null;
  readonly eTradeOnly: boolean;
  readonly firmQuoteOnly: boolean;
  readonly nbboPriceCap: number | null;
  readonly auctionStrategy: number;
  readonly startingPrice: number | null;
  readonly stockRefPrice: number | null;
  readonly delta: number | null;
  readonly stockRangeLower: number | null;
  readonly stockRangeUpper: number | null;
  readonly volatility: number | null;
  readonly volatilityType: number | null;
  readonly deltaNeutralOrderType: string;
  readonly deltaNeutralAuxPrice: number | null;
  readonly deltaNeutralConId: number;
  readonly deltaNeutralSettlingFirm: string;
  readonly deltaNeutralClearingAccount: string;
  readonly deltaNeutralClearingIntent: string;
  readonly deltaNeutralOpenClose: string;
  readonly deltaNeutralShortSale: boolean;
  readonly deltaNeutralShortSaleSlot: number;
  readonly deltaNeutralDesignatedLocation: string;
  readonly continuousUpdate: boolean;
  readonly referencePriceType: number | null;
  readonly scaleInitLevelSize: number | null;
  readonly scaleSubsLevelSize: number | null;
  readonly scalePriceIncrement: number | null;
  readonly scalePriceAdjustValue: number | null;
  readonly scalePriceAdjustInterval: number | null;
  readonly scaleProfitOffset: number | null;
  readonly scaleAutoReset: boolean;
  readonly scaleInitPosition: number | null;
  readonly scaleInitFillQty: number | null;
  readonly scaleRandomPercent: boolean;
  readonly scaleTable: string;
  readonly activeStartTime: string;
  readonly activeStopTime: string;
  readonly hedgeType: string;
  readonly hedgeParam: string;
  readonly optOutSmartRouting: boolean;
  readonly clearingAccount: string;
  readonly clearingIntent: string;
  readonly notHeld: boolean;
  readonly algoId: string;
  readonly orderMiscOptions: string;
  readonly solicited: boolean;
  readonly randomizeSize: boolean;
  readonly randomizePrice: boolean;
  readonly referenceContractId: number;
  readonly isPeggedChangeAmountDecrease: boolean;
  readonly peggedChangeAmount: number;
  readonly referenceChangeAmount: number;
  readonly referenceExchangeId: string;
  readonly adjustedOrderType: string;
  readonly triggerPrice: number | null;
  readonly adjustedStopPrice: number | null;
  readonly adjustedStopLimitPrice: number | null;
  readonly adjustedTrailingAmount: number | null;
  readonly adjustableTrailingUnit: number;
  readonly extOperator: string;
  readonly softDollarTierName: string;
  readonly softDollarTierValue: string;
  readonly mifid2DecisionMaker: string;
  readonly mifid2DecisionAlgo: string;
  readonly mifid2ExecutionTrader: string;
  readonly mifid2ExecutionAlgo: string;
  readonly dontUseAutoPriceForHedge: boolean;
  readonly isOmsContainer: boolean;
  readonly discretionaryUpToLimitPrice: boolean;
  readonly usePriceMgmtAlgo: boolean | null;
  readonly duration: number | null;
  readonly postToAts: number | null;
  readonly autoCancelParent: boolean;
  readonly advancedErrorOverride: string;
  readonly manualOrderTime: string;
  readonly minTradeQty: number | null;
  readonly minCompeteSize: number | null;
  readonly competeAgainstBestOffset: number | null;
  readonly midOffsetAtWhole: number | null;
  readonly midOffsetAtHalf: number | null;
  readonly customerAccount: string;
  readonly professionalCustomer: boolean;
  readonly includeOvernight: boolean;
  readonly manualOrderIndicator: number | null;
}

/** The statuses that orderStatus and openOrder carry. */
export type OrderStatus =
  | 'ApiPending'
  | 'PendingSubmit'
  | 'PendingCancel'
  | 'PreSubmitted'
  | 'Submitted'
  | 'ApiCancelled'
  | 'Cancelled'
  | 'Filled'
  | 'Inactive';

/** What openOrder says beside the order: its status and, for a what-if, margins and commission (account currency). */
export interface OrderState {
  readonly status: OrderStatus;
  readonly initMarginBefore: number | null;
  readonly maintMarginBefore: number | null;
  readonly equityWithLoanBefore: number | null;
  readonly initMarginChange: number | null;
  readonly maintMarginChange: number | null;
  readonly equityWithLoanChange: number | null;
  readonly initMarginAfter: number | null;
  readonly maintMarginAfter: number | null;
  readonly equityWithLoanAfter: number | null;
  readonly commission: number | null;
  readonly minCommission: number | null;
  readonly maxCommission: number | null;
  readonly commissionCurrency: string;
  readonly warningText: string;
  /** yyyymmdd hh:mm:ss zone; completedOrder only. */
  readonly completedTime: string;
  /** completedOrder only. */
  readonly completedStatus: string;
}

export interface Execution {
  /** Unique; a correction has the same text but for the number after the last dot (....01, then ....02). */
  readonly execId: string;
  readonly orderId: number;
  /** As the wire carries it: "yyyymmdd hh:mm:ss zone" (see `wireTime`). */
  readonly time: string;
  readonly account: string;
  readonly exchange: string;
  readonly side: 'BOT' | 'SLD';
  /** Units of this fill, and since the order began. */
  readonly shares: number;
  readonly cumQty: number;
  readonly price: number;
  readonly avgPrice: number;
  readonly permId: number;
  readonly clientId: number;
  readonly orderRef: string;
  /** 1 added liquidity, 2 removed, 3 routed out. */
  readonly lastLiquidity: number;
}
