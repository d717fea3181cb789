/** Faults of the market and of matching, as the exchange takes them. */
import type { ExchangeFault, OrderMatch } from '../exchange-port.js';
import type { MessageFault } from '../faults/message-faults.js';
import type { Fault, MatchSpec } from '../faults/schema.js';

export type MarketFault = Exclude<
  Exclude<Fault, MessageFault>,
  {
    readonly kind:
      | 'disconnect'
      | 'stall'
      | 'silence'
      | 'latency'
      | 'slow_reader'
      | 'notice'
      | 'restart'
      | 'connectivity_lost'
      | 'farm_broken'
      | 'server_link_broken';
  }
>;

export function toExchangeFault(fault: MarketFault): ExchangeFault {
  switch (fault.kind) {
    case 'reject_order':
    case 'reject_stop': {
      const { code, message, with_status: withStatus } = fault;
      const match = toMatch(fault.match);
      const stop = fault.kind === 'reject_stop' && match.orderType === undefined ? { orderType: 'STP' } : {};
      return { kind: 'rejectOrder', match: { ...match, ...stop }, code, message, withStatus };
    }
    case 'reject_modify':
      return { kind: 'rejectModify', match: toMatch(fault.match), code: fault.code, message: fault.message };
    case 'partial_then_cancel':
      return { kind: 'partialThenCancel', match: toMatch(fault.match), fraction: fault.fraction };
    case 'fill_after_cancel':
      return { kind: 'fillAfterCancel', match: toMatch(fault.match), delayMs: fault.delay };
    case 'correct_execution':
      return {
        kind: 'correctExecution',
        match: toMatch(fault.match),
        delayMs: fault.delay,
        priceOffset: fault.price_offset,
        sharesFactor: fault.shares_factor,
      };
    case 'stale_feed':
      return { kind: 'staleFeed', symbol: fault.symbol, durationMs: fault.duration ?? null };
    case 'market_data_type':
      return { kind: 'marketDataType', marketDataType: fault.type };
    case 'rollback_next_valid_id':
      return { kind: 'rollbackNextValidId', orderId: fault.order_id };
  }
}

function toMatch(match: MatchSpec): OrderMatch {
  return {
    ...(match.order_id === undefined ? {} : { orderId: match.order_id }),
    ...(match.client_id === undefined ? {} : { clientId: match.client_id }),
    ...(match.order_ref === undefined ? {} : { orderRef: match.order_ref }),
    ...(match.symbol === undefined ? {} : { symbol: match.symbol }),
    ...(match.order_type === undefined ? {} : { orderType: match.order_type }),
    ...(match.action === undefined ? {} : { action: match.action }),
  };
}
