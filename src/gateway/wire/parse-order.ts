/** placeOrder, field by field, for server versions 157 to 193. */
import { FieldError, FieldReader } from './fields.js';
import { readComboLegs, readContract, readTagValues, toQuery } from './parse-contract.js';
import type { ClientRequest } from './requests.js';
import type { ComboLeg, Order, OrderCondition, TagValue } from './types.js';
import { SINCE } from './versions.js';

/** Fields after type and conjunction, by the condition's type. */
const CONDITION_FIELDS: Readonly<Record<number, number>> = { 1: 5, 3: 2, 4: 2, 5: 3, 6: 4, 7: 4 };

/**
 * Some clients send the block of scale parameters where the price increment is set, others only where it is positive:
 * where it is 0 the message can mean either, and the reading that ends where the message ends is the right one.
 */
export function parsePlaceOrder(fields: readonly string[], version: number): ClientRequest {
  let firstError: unknown = null;
  for (const scaleBlockAtZero of [true, false]) {
    try {
      const reader = new FieldReader(fields, 1);
      const request = readPlaceOrder(reader, version, scaleBlockAtZero);
      reader.end();
      return request;
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      firstError ??= error;
    }
  }
  throw firstError;
}

function readPlaceOrder(r: FieldReader, version: number, scaleBlockAtZero: boolean): ClientRequest {
  const orderId = r.int('orderId');
  const contract = readContract(r);
  const secIdType = r.text();
  const secId = r.text();
  const isBag = contract.secType === 'BAG';

  const action = r.text().toUpperCase();
  const totalQuantity = r.double('totalQuantity');
  const orderType = r.text().toUpperCase();
  const lmtPrice = r.optionalDouble('lmtPrice');
  const auxPrice = r.optionalDouble('auxPrice');
  const tif = r.text().toUpperCase();
  const ocaGroup = r.text();
  const account = r.text();
  const openClose = r.text();
  const origin = r.int('origin');
  const orderRef = r.text();
  const transmit = r.bool('transmit');
  const parentId = r.int('parentId');
  const blockOrder = r.bool('blockOrder');
  const sweepToFill = r.bool('sweepToFill');
  const displaySize = r.optionalInt('displaySize');
  const triggerMethod = r.int('triggerMethod');
  const outsideRth = r.bool('outsideRth');
  const hidden = r.bool('hidden');

  let comboLegs: readonly ComboLeg[] = [];
  const orderComboLegPrices: (number | null)[] = [];
  let smartComboRoutingParams: readonly TagValue[] = [];
  if (isBag) {
    comboLegs = readComboLegs(r, true);
    const prices = r.count('orderComboLegs');
    for (let i = 0; i < prices; i++) orderComboLegPrices.push(r.optionalDouble('orderComboLeg.price'));
    smartComboRoutingParams = readTagValues(r, 'smartComboRoutingParams');
  }

  r.text(); // shares allocation: deprecated
  const discretionaryAmt = r.double('discretionaryAmt');
  const goodAfterTime = r.text();
  const goodTillDate = r.text();
  const faGroup = r.text();
  const faMethod = r.text();
  const faPercentage = r.text();
  const faProfile = version < SINCE.FA_PROFILE_DESUPPORT ? r.text() : '';
  const modelCode = r.text();
  const shortSaleSlot = r.int('shortSaleSlot');
  const designatedLocation = r.text();
  const exemptCode = r.int('exemptCode');
  const ocaType = r.int('ocaType');
  const rule80A = r.text();
  const settlingFirm = r.text();
  const allOrNone = r.bool('allOrNone');
  const minQty = r.optionalInt('minQty');
  const percentOffset = r.optionalDouble('percentOffset');
  const eTradeOnly = r.bool('eTradeOnly');
  const firmQuoteOnly = r.bool('firmQuoteOnly');
  const nbboPriceCap = r.optionalDouble('nbboPriceCap');
  const auctionStrategy = r.int('auctionStrategy');
  const startingPrice = r.optionalDouble('startingPrice');
  const stockRefPrice = r.optionalDouble('stockRefPrice');
  const delta = r.optionalDouble('delta');
  const stockRangeLower = r.optionalDouble('stockRangeLower');
  const stockRangeUpper = r.optionalDouble('stockRangeUpper');
  const overridePercentageConstraints = r.bool('overridePercentageConstraints');
  const volatility = r.optionalDouble('volatility');
  const volatilityType = r.optionalInt('volatilityType');
  const deltaNeutralOrderType = r.text();
  const deltaNeutralAuxPrice = r.optionalDouble('deltaNeutralAuxPrice');
  const hasDeltaNeutral = deltaNeutralOrderType !== '';
  const deltaNeutral = {
    deltaNeutralConId: hasDeltaNeutral ? r.int('deltaNeutralConId') : 0,
    deltaNeutralSettlingFirm: hasDeltaNeutral ? r.text() : '',
    deltaNeutralClearingAccount: hasDeltaNeutral ? r.text() : '',
    deltaNeutralClearingIntent: hasDeltaNeutral ? r.text() : '',
    deltaNeutralOpenClose: hasDeltaNeutral ? r.text() : '',
    deltaNeutralShortSale: hasDeltaNeutral ? r.bool('deltaNeutralShortSale') : false,
    deltaNeutralShortSaleSlot: hasDeltaNeutral ? r.int('deltaNeutralShortSaleSlot') : 0,
    deltaNeutralDesignatedLocation: hasDeltaNeutral ? r.text() : '',
  };
  const continuousUpdate = r.int('continuousUpdate') !== 0;
  const referencePriceType = r.optionalInt('referencePriceType');
  const trailStopPrice = r.optionalDouble('trailStopPrice');
  const trailingPercent = r.optionalDouble('trailingPercent');
  const scaleInitLevelSize = r.optionalInt('scaleInitLevelSize');
  const scaleSubsLevelSize = r.optionalInt('scaleSubsLevelSize');
  const scalePriceIncrement = r.optionalDouble('scalePriceIncrement');
  const hasScale = scalePriceIncrement !== null && (scalePriceIncrement > 0 || scaleBlockAtZero);
  const scaleBlock = {
    scalePriceAdjustValue: hasScale ? r.optionalDouble('scalePriceAdjustValue') : null,
    scalePriceAdjustInterval: hasScale ? r.optionalInt('scalePriceAdjustInterval') : null,
    scaleProfitOffset: hasScale ? r.optionalDouble('scaleProfitOffset') : null,
    scaleAutoReset: hasScale ? r.bool('scaleAutoReset') : false,
    scaleInitPosition: hasScale ? r.optionalInt('scaleInitPosition') : null,
    scaleInitFillQty: hasScale ? r.optionalInt('scaleInitFillQty') : null,
    scaleRandomPercent: hasScale ? r.bool('scaleRandomPercent') : false,
  };
  const scaleTable = r.text();
  const activeStartTime = r.text();
  const activeStopTime = r.text();
  const hedgeType = r.text();
  const hedgeParam = hedgeType === '' ? '' : r.text();
  const optOutSmartRouting = r.bool('optOutSmartRouting');
  const clearingAccount = r.text();
  const clearingIntent = r.text();
  const notHeld = r.bool('notHeld');
  const deltaNeutralContract = r.bool('deltaNeutralContract')
    ? {
        conId: r.int('deltaNeutralContract.conId'),
        delta: r.double('deltaNeutralContract.delta'),
        price: r.double('deltaNeutralContract.price'),
      }
    : null;
  const algoStrategy = r.text();
  const algoParams = algoStrategy === '' ? [] : readTagValues(r, 'algoParams');
  const algoId = r.text();
  const whatIf = r.bool('whatIf');
  const orderMiscOptions = r.text();
  const solicited = r.bool('solicited');
  const randomizeSize = r.bool('randomizeSize');
  const randomizePrice = r.bool('randomizePrice');
  const isPegBench = orderType === 'PEG BENCH' || orderType === 'PEGBENCH';
  const pegBench = {
    referenceContractId: isPegBench ? r.int('referenceContractId') : 0,
    isPeggedChangeAmountDecrease: isPegBench ? r.bool('isPeggedChangeAmountDecrease') : false,
    peggedChangeAmount: isPegBench ? r.double('peggedChangeAmount') : 0,
    referenceChangeAmount: isPegBench ? r.double('referenceChangeAmount') : 0,
    referenceExchangeId: isPegBench ? r.text() : '',
  };
  const conditions = readConditions(r);
  const conditionsIgnoreRth = conditions.length > 0 ? r.bool('conditionsIgnoreRth') : false;
  const conditionsCancelOrder = conditions.length > 0 ? r.bool('conditionsCancelOrder') : false;
  const adjustedOrderType = r.text();
  const triggerPrice = r.optionalDouble('triggerPrice');
  const lmtPriceOffset = r.optionalDouble('lmtPriceOffset');
  const adjustedStopPrice = r.optionalDouble('adjustedStopPrice');
  const adjustedStopLimitPrice = r.optionalDouble('adjustedStopLimitPrice');
  const adjustedTrailingAmount = r.optionalDouble('adjustedTrailingAmount');
  const adjustableTrailingUnit = r.int('adjustableTrailingUnit');
  const extOperator = r.text();
  const softDollarTierName = r.text();
  const softDollarTierValue = r.text();
  const cashQty = r.optionalDouble('cashQty');
  const mifid2DecisionMaker = r.text();
  const mifid2DecisionAlgo = r.text();
  const mifid2ExecutionTrader = r.text();
  const mifid2ExecutionAlgo = r.text();
  const dontUseAutoPriceForHedge = r.bool('dontUseAutoPriceForHedge');
  const isOmsContainer = r.bool('isOmsContainer');
  const discretionaryUpToLimitPrice = r.bool('discretionaryUpToLimitPrice');
  const usePriceMgmtAlgo = r.optionalBool('usePriceMgmtAlgo');
  const duration = version >= SINCE.DURATION ? r.optionalInt('duration') : null;
  const postToAts = version >= SINCE.POST_TO_ATS ? r.optionalInt('postToAts') : null;
  const autoCancelParent = version >= SINCE.AUTO_CANCEL_PARENT ? r.bool('autoCancelParent') : false;
  const advancedErrorOverride = version >= SINCE.ADVANCED_ORDER_REJECT ? r.text() : '';
  const manualOrderTime = version >= SINCE.MANUAL_ORDER_TIME ? r.text() : '';

  let minTradeQty: number | null = null;
  let minCompeteSize: number | null = null;
  let competeAgainstBestOffset: number | null = null;
  let midOffsetAtWhole: number | null = null;
  let midOffsetAtHalf: number | null = null;
  if (version >= SINCE.PEGBEST_PEGMID_OFFSETS) {
    if (contract.exchange === 'IBKRATS') minTradeQty = r.optionalInt('minTradeQty');
    const isPegBest = orderType === 'PEG BEST' || orderType === 'PEGBEST';
    if (isPegBest) {
      minCompeteSize = r.optionalInt('minCompeteSize');
      competeAgainstBestOffset = r.optionalOffset('competeAgainstBestOffset');
    }
    if (competeAgainstBestOffset === Infinity || orderType === 'PEG MID' || orderType === 'PEGMID') {
      midOffsetAtWhole = r.optionalDouble('midOffsetAtWhole');
      midOffsetAtHalf = r.optionalDouble('midOffsetAtHalf');
    }
  }
  const customerAccount = version >= SINCE.CUSTOMER_ACCOUNT ? r.text() : '';
  const professionalCustomer = version >= SINCE.PROFESSIONAL_CUSTOMER ? r.bool('professionalCustomer') : false;
  if (version >= SINCE.RFQ_FIELDS && version < SINCE.UNDO_RFQ_FIELDS) r.skip(2);
  const includeOvernight = version >= SINCE.INCLUDE_OVERNIGHT ? r.bool('includeOvernight') : false;
  const manualOrderIndicator = version >= SINCE.CME_TAGGING_FIELDS ? r.optionalInt('manualOrderIndicator') : null;

  const order: Order = {
    action,
    totalQuantity,
    orderType,
    lmtPrice,
    auxPrice,
    tif,
    ocaGroup,
    ocaType,
    account,
    orderRef,
    transmit,
    parentId,
    outsideRth,
    whatIf,
    allOrNone,
    minQty,
    displaySize,
    triggerMethod,
    hidden,
    goodAfterTime,
    goodTillDate,
    trailStopPrice,
    trailingPercent,
    lmtPriceOffset,
    cashQty,
    overridePercentageConstraints,
    conditions,
    conditionsIgnoreRth,
    conditionsCancelOrder,
    algoStrategy,
    algoParams,
    openClose,
    origin,
    blockOrder,
    sweepToFill,
    orderComboLegPrices,
    smartComboRoutingParams,
    discretionaryAmt,
    faGroup,
    faMethod,
    faPercentage,
    faProfile,
    modelCode,
    shortSaleSlot,
    designatedLocation,
    exemptCode,
    rule80A,
    settlingFirm,
    percentOffset,
    eTradeOnly,
    firmQuoteOnly,
    nbboPriceCap,
    auctionStrategy,
    startingPrice,
    stockRefPrice,
    delta,
    stockRangeLower,
    stockRangeUpper,
    volatility,
    volatilityType,
    deltaNeutralOrderType,
    deltaNeutralAuxPrice,
    ...deltaNeutral,
    continuousUpdate,
    referencePriceType,
    scaleInitLevelSize,
    scaleSubsLevelSize,
    scalePriceIncrement,
    ...scaleBlock,
    scaleTable,
    activeStartTime,
    activeStopTime,
    hedgeType,
    hedgeParam,
    optOutSmartRouting,
    clearingAccount,
    clearingIntent,
    notHeld,
    algoId,
    orderMiscOptions,
    solicited,
    randomizeSize,
    randomizePrice,
    ...pegBench,
    adjustedOrderType,
    triggerPrice,
    adjustedStopPrice,
    adjustedStopLimitPrice,
    adjustedTrailingAmount,
    adjustableTrailingUnit,
    extOperator,
    softDollarTierName,
    softDollarTierValue,
    mifid2DecisionMaker,
    mifid2DecisionAlgo,
    mifid2ExecutionTrader,
    mifid2ExecutionAlgo,
    dontUseAutoPriceForHedge,
    isOmsContainer,
    discretionaryUpToLimitPrice,
    usePriceMgmtAlgo,
    duration,
    postToAts,
    autoCancelParent,
    advancedErrorOverride,
    manualOrderTime,
    minTradeQty,
    minCompeteSize,
    competeAgainstBestOffset,
    midOffsetAtWhole,
    midOffsetAtHalf,
    customerAccount,
    professionalCustomer,
    includeOvernight,
    manualOrderIndicator,
  };
  return {
    type: 'placeOrder',
    orderId,
    contract: { ...toQuery(contract), secIdType, secId, comboLegs, deltaNeutralContract },
    order,
  };
}

function readConditions(r: FieldReader): readonly OrderCondition[] {
  const count = r.count('conditions');
  const conditions: OrderCondition[] = [];
  for (let i = 0; i < count; i++) {
    const type = r.int('condition.type');
    const length = CONDITION_FIELDS[type];
    if (length === undefined) throw new FieldError(`a condition of type ${type}`);
    const conjunction = r.text();
    const fields: string[] = [];
    for (let j = 0; j < length; j++) fields.push(r.text());
    conditions.push({ type, conjunction, fields });
  }
  return conditions;
}
