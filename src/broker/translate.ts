/** Messages of the broker in the contract's words. What makes no sense is refused, never passed on. */
import type { CommissionReport as IbCommission, Execution, Order, OrderState as IbOrderState } from '@stoqey/ib';
import { ZoneClock } from '#src/data/time-zone.js';
import { fail } from '#src/errors.js';
import type { CommissionReport, ExecutionReport, OrderReport, OrderState } from './contract.js';
import { instantOf } from './ib-time.js';

const STATES: ReadonlyMap<string, OrderState> = new Map([
  ['ApiPending', 'pending'],
  ['PendingSubmit', 'pending'],
  ['PreSubmitted', 'working'],
  ['Submitted', 'working'],
  ['PendingCancel', 'cancelling'],
  ['ApiCancelled', 'cancelled'],
  ['Cancelled', 'cancelled'],
  ['Filled', 'filled'],
  ['Inactive', 'rejected'],
]);

/** A status that is not known is taken for a living order: to believe it dead would be the dearer mistake. */
export function stateOf(status: string): OrderState {
  return STATES.get(status) ?? 'working';
}

/** Of times without a zone: IBKR's own. */
const HOME_ZONE = new ZoneClock('America/New_York', 'time zone');

/** "0000e0d5.61d3d1a3.01.02": root "0000e0d5.61d3d1a3.01", revision 2. A correction differs in the last part alone. */
export function splitExecId(execId: string): { readonly execRoot: string; readonly revision: number } {
  const dot = execId.lastIndexOf('.');
  const revision = Number(execId.slice(dot + 1));
  return dot > 0 && Number.isInteger(revision)
    ? { execRoot: execId.slice(0, dot), revision }
    : { execRoot: execId, revision: 0 };
}

/** Throws BROKER_STATE where the execution makes no sense. */
export function executionReport(execution: Execution, symbol: string): ExecutionReport {
  const { execId = '', side, shares = NaN, price = NaN, time = '' } = execution;
  const marketMs = instantOf(time, HOME_ZONE);
  const sound = execId !== '' && (side === 'BOT' || side === 'SLD') && shares > 0 && shares < Infinity;
  if (!sound || !Number.isFinite(price) || Number.isNaN(marketMs))
    fail('BROKER_STATE', {
      where: `execution of ${symbol}`,
      value: execution,
      message: 'the gateway reports an execution that makes no sense: look it up in the account',
    });
  return {
    ...splitExecId(execId),
    orderRef: execution.orderRef ?? '',
    orderId: execution.orderId ?? 0,
    permId: execution.permId ?? 0,
    clientId: execution.clientId ?? 0,
    symbol,
    side: side === 'BOT' ? 'BUY' : 'SELL',
    quantity: shares,
    price,
    marketMs,
  };
}

/** Null where there is no commission yet: -1, 1e10 and the unset double stand for it. Rebates are negative. */
export function commissionReport({ execId = '', commission, currency }: IbCommission): CommissionReport | null {
  const told = commission !== undefined && commission !== -1 && Math.abs(commission) < 1e9;
  if (!told || execId === '') return null;
  return { ...splitExecId(execId), amount: commission, currency: currency ?? '' };
}

export function openOrderReport(order: Order, state: IbOrderState, symbol: string): OrderReport {
  const quantity = finite(order.totalQuantity);
  const filled = finite(order.filledQuantity);
  return {
    orderRef: order.orderRef ?? '',
    orderId: order.orderId ?? 0,
    permId: order.permId ?? 0,
    clientId: order.clientId ?? 0,
    symbol,
    state: stateOf(state.status),
    quantity,
    filled,
    remaining: Math.max(0, quantity - filled),
    stopPrice: price(order.auxPrice),
    limitPrice: price(order.lmtPrice),
  };
}

/** Of a completed order the broker tells neither order id nor client, and its quantity as what was filled. */
export function completedOrderReport(order: Order, state: IbOrderState, symbol: string): OrderReport {
  const filled = finite(order.filledQuantity);
  const done = state.status as string;
  return {
    orderRef: order.orderRef ?? '',
    orderId: 0,
    permId: order.permId ?? 0,
    clientId: 0,
    symbol,
    // an order of this list lives no more, whatever its status is called
    state: done === 'Filled' ? 'filled' : done === 'Inactive' ? 'rejected' : 'cancelled',
    quantity: finite(order.totalQuantity),
    filled,
    remaining: 0,
    stopPrice: price(order.auxPrice),
    limitPrice: price(order.lmtPrice),
  };
}

/** A number that is set; 0 where it is not. */
export function finite(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) && Math.abs(value) < 1e300 ? value : 0;
}

/** A price that is set; the broker writes 0 for none. */
function price(value: number | undefined): number | null {
  const known = finite(value);
  return known === 0 ? null : known;
}
