/** openOrder and completedOrder, field by field, for server versions 157 to 193. */
import { FieldWriter } from './fields.js';
import type { ServerMessage } from './responses.js';
import type { Contract, Order } from './types.js';
import { SINCE } from './versions.js';

/** The real gateway writes "None" here for a plain order, which makes eight more fields follow. */
const NO_DELTA_NEUTRAL = 'None';

export function addContract11(w: FieldWriter, c: Contract): FieldWriter {
  return w.add(
    c.conId,
    c.symbol,
    c.secType,
    c.lastTradeDateOrContractMonth,
    c.strike,
    c.right,
    c.multiplier,
    c.exchange,
    c.currency,
    c.localSymbol,
    c.tradingClass,
  );
}

export function encodeOpenOrder(
  message: Extract<ServerMessage, { readonly type: 'openOrder' }>,
  version: number,
): string {
  const { contract, order: o, orderState: s } = message;
  const w = new FieldWriter().add(5, message.orderId);
  addContract11(w, contract);
  w.add(o.action, o.totalQuantity, o.orderType).optional(o.lmtPrice, o.auxPrice);
  w.add(o.tif, o.ocaGroup, o.account, o.openClose, o.origin, o.orderRef, message.clientId, message.permId);
  w.add(o.outsideRth, o.hidden, o.discretionaryAmt, o.goodAfterTime, '');
  addAdvisor(w, o, version);
  w.add(o.modelCode, o.goodTillDate, o.rule80A).optional(o.percentOffset);
  w.add(o.settlingFirm, o.shortSaleSlot, o.designatedLocation, o.exemptCode, o.auctionStrategy);
  w.optional(o.startingPrice, o.stockRefPrice, o.delta, o.stockRangeLower, o.stockRangeUpper, o.displaySize);
  w.add(o.blockOrder, o.sweepToFill, o.allOrNone).optional(o.minQty);
  w.add(o.ocaType, o.eTradeOnly, o.firmQuoteOnly).optional(o.nbboPriceCap);
  w.add(o.parentId, o.triggerMethod);
  addVolatility(w, o, true);
  w.optional(o.trailStopPrice, o.trailingPercent, null, null); // basis points and their type
  addCombo(w);
  addScale(w, o);
  w.add(o.hedgeType);
  if (o.hedgeType !== '') w.add(o.hedgeParam);
  w.add(o.optOutSmartRouting, o.clearingAccount, o.clearingIntent, o.notHeld, 0);
  addAlgorithm(w, o);
  w.add(o.solicited, o.whatIf, s.status);
  w.unsettable(s.initMarginBefore, s.maintMarginBefore, s.equityWithLoanBefore);
  w.unsettable(s.initMarginChange, s.maintMarginChange, s.equityWithLoanChange);
  w.unsettable(s.initMarginAfter, s.maintMarginAfter, s.equityWithLoanAfter);
  w.optional(s.commission, s.minCommission, s.maxCommission).add(s.commissionCurrency, s.warningText);
  w.add(o.randomizeSize, o.randomizePrice);
  addConditions(w, o);
  w.add(o.adjustedOrderType).optional(o.triggerPrice, o.trailStopPrice, o.lmtPriceOffset);
  w.optional(o.adjustedStopPrice, o.adjustedStopLimitPrice, o.adjustedTrailingAmount).add(o.adjustableTrailingUnit);
  w.add(o.softDollarTierName, o.softDollarTierValue, '').optional(o.cashQty);
  w.add(o.dontUseAutoPriceForHedge, o.isOmsContainer, o.discretionaryUpToLimitPrice, o.usePriceMgmtAlgo ?? false);
  if (version >= SINCE.DURATION) w.optional(o.duration);
  if (version >= SINCE.POST_TO_ATS) w.optional(o.postToAts);
  if (version >= SINCE.AUTO_CANCEL_PARENT) w.add(o.autoCancelParent);
  if (version >= SINCE.PEGBEST_PEGMID_OFFSETS) addPegOffsets(w, o);
  if (version >= SINCE.CUSTOMER_ACCOUNT) w.add(o.customerAccount);
  if (version >= SINCE.PROFESSIONAL_CUSTOMER) w.add(o.professionalCustomer);
  if (version >= SINCE.BOND_ACCRUED_INTEREST) w.add('');
  if (version >= SINCE.INCLUDE_OVERNIGHT) w.add(o.includeOvernight);
  if (version >= SINCE.CME_TAGGING_FIELDS_IN_OPEN_ORDER) w.add(o.extOperator).optional(o.manualOrderIndicator);
  return w.text;
}

export function encodeCompletedOrder(
  message: Extract<ServerMessage, { readonly type: 'completedOrder' }>,
  version: number,
): string {
  const { contract, order: o, orderState: s } = message;
  const w = new FieldWriter().add(101);
  addContract11(w, contract);
  w.add(o.action, o.totalQuantity, o.orderType).optional(o.lmtPrice, o.auxPrice);
  w.add(o.tif, o.ocaGroup, o.account, o.openClose, o.origin, o.orderRef, message.permId);
  w.add(o.outsideRth, o.hidden, o.discretionaryAmt, o.goodAfterTime);
  addAdvisor(w, o, version);
  w.add(o.modelCode, o.goodTillDate, o.rule80A).optional(o.percentOffset);
  w.add(o.settlingFirm, o.shortSaleSlot, o.designatedLocation, o.exemptCode);
  w.optional(o.startingPrice, o.stockRefPrice, o.delta, o.stockRangeLower, o.stockRangeUpper, o.displaySize);
  w.add(o.sweepToFill, o.allOrNone).optional(o.minQty).add(o.ocaType, o.triggerMethod);
  addVolatility(w, o, false);
  w.optional(o.trailStopPrice, o.trailingPercent);
  addCombo(w);
  addScale(w, o);
  w.add(o.hedgeType);
  if (o.hedgeType !== '') w.add(o.hedgeParam);
  w.add(o.clearingAccount, o.clearingIntent, o.notHeld, 0);
  addAlgorithm(w, o);
  w.add(o.solicited, s.status, o.randomizeSize, o.randomizePrice);
  addConditions(w, o);
  w.optional(o.trailStopPrice, o.lmtPriceOffset, o.cashQty);
  w.add(o.dontUseAutoPriceForHedge, o.isOmsContainer, '', message.filledQuantity, 0, o.autoCancelParent);
  w.add('', false, false, message.parentPermId, s.completedTime, s.completedStatus);
  if (version >= SINCE.PEGBEST_PEGMID_OFFSETS) addPegOffsets(w, o);
  if (version >= SINCE.CUSTOMER_ACCOUNT) w.add(o.customerAccount);
  if (version >= SINCE.PROFESSIONAL_CUSTOMER) w.add(o.professionalCustomer);
  return w.text;
}

function addAdvisor(w: FieldWriter, o: Order, version: number): void {
  w.add(o.faGroup, o.faMethod, o.faPercentage);
  if (version < SINCE.FA_PROFILE_DESUPPORT) w.add(o.faProfile);
}

function addVolatility(w: FieldWriter, o: Order, open: boolean): void {
  w.optional(o.volatility).add(o.volatilityType ?? 0);
  w.add(o.deltaNeutralOrderType === '' ? NO_DELTA_NEUTRAL : o.deltaNeutralOrderType);
  w.optional(o.deltaNeutralAuxPrice).add(o.deltaNeutralConId);
  if (open) {
    w.add(o.deltaNeutralSettlingFirm, o.deltaNeutralClearingAccount, o.deltaNeutralClearingIntent);
    w.add(o.deltaNeutralOpenClose === '' ? '?' : o.deltaNeutralOpenClose);
  }
  w.add(o.deltaNeutralShortSale, o.deltaNeutralShortSaleSlot, o.deltaNeutralDesignatedLocation);
  w.add(o.continuousUpdate, o.referencePriceType ?? 0);
}

/** Combos are refused, so no order has legs: description, legs, leg prices, routing parameters. */
function addCombo(w: FieldWriter): void {
  w.add('', 0, 0, 0);
}

function addScale(w: FieldWriter, o: Order): void {
  w.optional(o.scaleInitLevelSize, o.scaleSubsLevelSize, o.scalePriceIncrement);
  if (o.scalePriceIncrement === null || o.scalePriceIncrement <= 0) return;
  w.optional(o.scalePriceAdjustValue, o.scalePriceAdjustInterval, o.scaleProfitOffset).add(o.scaleAutoReset);
  w.optional(o.scaleInitPosition, o.scaleInitFillQty).add(o.scaleRandomPercent);
}

function addAlgorithm(w: FieldWriter, o: Order): void {
  w.add(o.algoStrategy);
  if (o.algoStrategy === '') return;
  w.add(o.algoParams.length);
  for (const { tag, value } of o.algoParams) w.add(tag, value);
}

function addConditions(w: FieldWriter, o: Order): void {
  w.add(o.conditions.length);
  if (o.conditions.length === 0) return;
  for (const { type, conjunction, fields } of o.conditions) w.add(type, conjunction, ...fields);
  w.add(o.conditionsIgnoreRth, o.conditionsCancelOrder);
}

function addPegOffsets(w: FieldWriter, o: Order): void {
  w.optional(o.minTradeQty, o.minCompeteSize, o.competeAgainstBestOffset, o.midOffsetAtWhole, o.midOffsetAtHalf);
}
