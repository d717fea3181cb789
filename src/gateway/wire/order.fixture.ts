/** A plain order of the wire, and a contract, for tests. */
import { parseRequest } from './parse.js';
import type { Contract, Order, OrderState } from './types.js';

export const CONTRACT: Contract = {
  conId: 4711,
  symbol: 'SPY',
  secType: 'STK',
  lastTradeDateOrContractMonth: '',
  strike: 0,
  right: '',
  multiplier: '',
  exchange: 'SMART',
  primaryExchange: 'ARCA',
  currency: 'USD',
  localSymbol: 'SPY',
  tradingClass: 'SPY',
};

export const ORDER_STATE: OrderState = {
  status: 'Submitted',
  initMarginBefore: null,
  maintMarginBefore: null,
  equityWithLoanBefore: null,
  initMarginChange: null,
  maintMarginChange: null,
  equityWithLoanChange: null,
  initMarginAfter: null,
  maintMarginAfter: null,
  equityWithLoanAfter: null,
  commission: null,
  minCommission: null,
  maxCommission: null,
  commissionCurrency: '',
  warningText: '',
  completedTime: '',
  completedStatus: '',
};

/** An order of which nothing is set: placeOrder at 157 with nothing but an id. */
export function plainOrder(fields: Partial<Order>): Order {
  const request = parseRequest(['3', '1', ...Array<string>(108).fill('')], 157);
  if (request.type !== 'placeOrder') throw new Error('not an order');
  return { ...request.order, ...fields };
}
