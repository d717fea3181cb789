/** Messages of the gateway, for server versions 157 to 193: a typed message in, NUL-terminated fields out. */
import { addContract11, encodeCompletedOrder, encodeOpenOrder } from './encode-order.js';
import { ascii7, FieldWriter, UNSET_DOUBLE_TEXT } from './fields.js';
import type { ContractDetails, ServerMessage } from './responses.js';
import { SINCE } from './versions.js';

/** The fields of one message, message id first, each ended by a NUL. */
export function encodeMessage(m: ServerMessage, version: number): string {
  switch (m.type) {
    // the four that make up nearly all of the traffic come first, without a writer
    case 'tickPrice':
      return `1\x006\0${m.reqId}\0${m.tickType}\0${m.price}\0${m.size}\0${m.attributes}\0`;
    case 'tickSize':
      return `2\x006\0${m.reqId}\0${m.tickType}\0${m.size}\0`;
    case 'tickByTickLast':
      return `99\0${m.reqId}\0${m.all ? 2 : 1}\0${m.timeSec}\0${m.price}\0${m.size}\0${m.attributes}\0${m.exchange}\0${m.conditions}\0`;
    case 'tickByTickBidAsk':
      return `99\0${m.reqId}\x003\0${m.timeSec}\0${m.bidPrice}\0${m.askPrice}\0${m.bidSize}\0${m.askSize}\0${m.attributes}\0`;
    case 'tickByTickMidPoint':
      return `99\0${m.reqId}\x004\0${m.timeSec}\0${m.midPoint}\0`;

    case 'managedAccounts':
      return fields(15, 1, m.accounts.join(','));
    case 'nextValidId':
      return fields(9, 1, m.orderId);
    case 'currentTime':
      return fields(49, 1, m.timeSec);
    case 'error': {
      const w = new FieldWriter().add(4, 2, m.id, m.code, ascii7(m.message));
      if (version >= SINCE.ADVANCED_ORDER_REJECT) w.add(ascii7(m.advancedOrderRejectJson ?? ''));
      return w.text;
    }

    case 'contractDetails':
      return encodeContractDetails(m.reqId, m.details, version);
    case 'contractDetailsEnd':
      return fields(52, 1, m.reqId);
    case 'symbolSamples': {
      const w = new FieldWriter().add(79, m.reqId, m.samples.length);
      for (const { contract, derivativeSecTypes, description } of m.samples) {
        w.add(contract.conId, contract.symbol, contract.secType, contract.primaryExchange, contract.currency);
        w.add(derivativeSecTypes.length, ...derivativeSecTypes);
        if (version >= SINCE.BOND_ISSUERID) w.add(description, '');
      }
      return w.text;
    }
    case 'marketRule': {
      const w = new FieldWriter().add(93, m.marketRuleId, m.increments.length);
      for (const { lowEdge, increment } of m.increments) w.add(lowEdge, increment);
      return w.text;
    }

    case 'marketDataType':
      return fields(58, 1, m.reqId, m.marketDataType);
    case 'tickReqParams':
      return fields(81, m.reqId, m.minTick, m.bboExchange, m.snapshotPermissions);
    case 'tickGeneric':
      return fields(45, 6, m.reqId, m.tickType, m.value);
    case 'tickString':
      return fields(46, 6, m.reqId, m.tickType, m.value);
    case 'tickSnapshotEnd':
      return fields(57, 1, m.reqId);
    case 'realtimeBar':
      return fields(50, 3, m.reqId, m.timeSec, m.open, m.high, m.low, m.close, m.volume, m.wap, m.count);

    case 'historicalData': {
      const w = new FieldWriter().add(17, m.reqId, m.start, m.end, m.bars.length);
      for (const bar of m.bars) w.add(bar.date, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.wap, bar.count);
      return w.text;
    }
    case 'historicalDataUpdate': {
      const { date, open, high, low, close, volume, wap, count } = m.bar;
      return fields(90, m.reqId, count, date, open, close, high, low, wap, volume);
    }
    case 'headTimestamp':
      return fields(88, m.reqId, m.timestamp);
    case 'histogramData': {
      const w = new FieldWriter().add(89, m.reqId, m.items.length);
      for (const { price, size } of m.items) w.add(price, size);
      return w.text;
    }
    case 'historicalTicks': {
      const w = new FieldWriter().add(96, m.reqId, m.ticks.length);
      for (const { timeSec, price, size } of m.ticks) w.add(timeSec, 0, price, size);
      return w.add(m.done).text;
    }
    case 'historicalTicksBidAsk': {
      const w = new FieldWriter().add(97, m.reqId, m.ticks.length);
      for (const t of m.ticks) w.add(t.timeSec, t.attributes, t.bidPrice, t.askPrice, t.bidSize, t.askSize);
      return w.add(m.done).text;
    }
    case 'historicalTicksLast': {
      const w = new FieldWriter().add(98, m.reqId, m.ticks.length);
      for (const t of m.ticks) w.add(t.timeSec, t.attributes, t.price, t.size, t.exchange, t.conditions);
      return w.add(m.done).text;
    }
    case 'historicalSchedule': {
      const w = new FieldWriter().add(106, m.reqId, m.start, m.end, m.timeZoneId, m.sessions.length);
      for (const { start, end, refDate } of m.sessions) w.add(start, end, refDate);
      return w.text;
    }

    case 'openOrder':
      return encodeOpenOrder(m, version);
    case 'openOrderEnd':
      return fields(53, 1);
    case 'orderStatus':
      return new FieldWriter()
        .add(3, m.orderId, m.status, m.filled, m.remaining, m.avgFillPrice, m.permId, m.parentId)
        .add(m.lastFillPrice, m.clientId, m.whyHeld, m.mktCapPrice).text;
    case 'completedOrder':
      return encodeCompletedOrder(m, version);
    case 'completedOrdersEnd':
      return fields(102);
    case 'execDetails': {
      const { contract, execution: e } = m;
      const w = new FieldWriter().add(11, m.reqId, e.orderId);
      addContract11(w, contract);
      w.add(e.execId, e.time, e.account, e.exchange, e.side, e.shares, e.price, e.permId, e.clientId, 0);
      w.add(e.cumQty, e.avgPrice, e.orderRef, '', '', '', e.lastLiquidity);
      if (version >= SINCE.PENDING_PRICE_REVISION) w.add(false);
      return w.text;
    }
    case 'execDetailsEnd':
      return fields(55, 1, m.reqId);
    case 'commissionReport':
      return new FieldWriter()
        .add(59, 1, m.execId, m.commission, m.currency)
        .unsettable(m.realizedPnl)
        .add(UNSET_DOUBLE_TEXT, '').text;

    case 'accountValue':
      return fields(6, 2, m.key, m.value, m.currency, m.account);
    case 'portfolioValue': {
      const c = m.contract;
      return new FieldWriter()
        .add(7, 8, c.conId, c.symbol, c.secType, c.lastTradeDateOrContractMonth, c.strike, c.right, c.multiplier)
        .add(c.primaryExchange, c.currency, c.localSymbol, c.tradingClass, m.position, m.marketPrice, m.marketValue)
        .add(m.averageCost, m.unrealizedPnl, m.realizedPnl, m.account).text;
    }
    case 'accountUpdateTime':
      return fields(8, 1, m.time);
    case 'accountDownloadEnd':
      return fields(54, 1, m.account);
    case 'accountSummary':
      return fields(63, 1, m.reqId, m.account, m.tag, m.value, m.currency);
    case 'accountSummaryEnd':
      return fields(64, 1, m.reqId);
    case 'accountUpdateMulti':
      return fields(73, 1, m.reqId, m.account, m.modelCode, m.key, m.value, m.currency);
    case 'accountUpdateMultiEnd':
      return fields(74, 1, m.reqId);
    case 'position':
      return addContract11(new FieldWriter().add(61, 3, m.account), m.contract).add(m.position, m.averageCost).text;
    case 'positionEnd':
      return fields(62, 1);
    case 'positionMulti':
      return addContract11(new FieldWriter().add(71, 1, m.reqId, m.account), m.contract).add(
        m.position,
        m.averageCost,
        m.modelCode,
      ).text;
    case 'positionMultiEnd':
      return fields(72, 1, m.reqId);
    case 'pnl':
      return new FieldWriter().add(94, m.reqId).unsettable(m.daily, m.unrealized, m.realized).text;
    case 'pnlSingle':
      return new FieldWriter().add(95, m.reqId, m.position).unsettable(m.daily, m.unrealized, m.realized, m.value).text;

    case 'mktDepthExchanges': {
      const w = new FieldWriter().add(80, m.exchanges.length);
      for (const { exchange, secType, listingExchange, serviceDataType, aggGroup } of m.exchanges)
        w.add(exchange, secType, listingExchange, serviceDataType, aggGroup ?? 2147483647);
      return w.text;
    }
    case 'smartComponents': {
      const w = new FieldWriter().add(82, m.reqId, m.components.length);
      for (const { bitNumber, exchange, letter } of m.components) w.add(bitNumber, exchange, letter);
      return w.text;
    }
    case 'newsProviders': {
      const w = new FieldWriter().add(85, m.providers.length);
      for (const { code, name } of m.providers) w.add(code, name);
      return w.text;
    }
    case 'historicalNewsEnd':
      return fields(87, m.reqId, m.hasMore);
    case 'scannerParameters':
      return fields(19, 1, m.xml);
    case 'scannerData': {
      const w = new FieldWriter().add(20, 3, m.reqId, m.rows.length);
      for (const [rank, { contract: c, marketName }] of m.rows.entries()) {
        w.add(rank, c.conId, c.symbol, c.secType, c.lastTradeDateOrContractMonth, c.strike, c.right, c.exchange);
        w.add(c.currency, c.localSymbol, marketName, c.tradingClass, '', '', '', '');
      }
      return w.text;
    }
    case 'securityDefinitionOptionParameter': {
      const w = new FieldWriter().add(75, m.reqId, m.exchange, m.underlyingConId, m.tradingClass, m.multiplier);
      w.add(m.expirations.length, ...m.expirations);
      return w.add(m.strikes.length, ...m.strikes).text;
    }
    case 'securityDefinitionOptionParameterEnd':
      return fields(76, m.reqId);
    case 'softDollarTiers': {
      const w = new FieldWriter().add(77, m.reqId, m.tiers.length);
      for (const { name, value, displayName } of m.tiers) w.add(name, value, displayName);
      return w.text;
    }
    case 'familyCodes': {
      const w = new FieldWriter().add(78, m.codes.length);
      for (const { account, familyCode } of m.codes) w.add(account, familyCode);
      return w.text;
    }
    case 'displayGroupList':
      return fields(67, 1, m.reqId, m.groups);
    case 'displayGroupUpdated':
      return fields(68, 1, m.reqId, m.contractInfo);
    case 'userInfo':
      return fields(107, m.reqId, m.whiteBrandingId);
  }
}

function fields(...values: readonly (string | number | boolean)[]): string {
  return new FieldWriter().add(...values).text;
}

function encodeContractDetails(reqId: number, d: ContractDetails, version: number): string {
  const c = d.contract;
  const w = new FieldWriter().add(10);
  if (version < SINCE.SIZE_RULES) w.add(8);
  w.add(reqId, c.symbol, c.secType, c.lastTradeDateOrContractMonth);
  if (version >= SINCE.LAST_TRADE_DATE) w.add(c.lastTradeDateOrContractMonth);
  w.add(c.strike, c.right, c.exchange, c.currency, c.localSymbol, d.marketName, c.tradingClass, c.conId, d.minTick);
  if (version < SINCE.SIZE_RULES) w.add(1); // mdSizeMultiplier
  w.add(c.multiplier, d.orderTypes, d.validExchanges, d.priceMagnifier, d.underConId, ascii7(d.longName));
  w.add(c.primaryExchange, d.contractMonth, d.industry, d.category, d.subcategory, d.timeZoneId);
  w.add(d.tradingHours, d.liquidHours, '', '', d.secIdList.length); // evRule, evMultiplier
  for (const { tag, value } of d.secIdList) w.add(tag, value);
  w.add(d.aggGroup, d.underSymbol, d.underSecType, d.marketRuleIds, d.realExpirationDate, d.stockType);
  if (version >= SINCE.SIZE_RULES) w.add(d.minSize, d.sizeIncrement, d.suggestedSizeIncrement);
  else if (version >= SINCE.FRACTIONAL_SIZE_SUPPORT) w.add(d.sizeIncrement);
  if (version >= SINCE.INELIGIBILITY_REASONS) w.add(0);
  return w.text;
}
