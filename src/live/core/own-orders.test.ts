import { describe, expect, it } from 'vitest';
import type { OrderReport } from '#src/broker/contract.js';
import type { OrderRequest } from './intents.js';
import { isLive, OwnOrders, type OwnOrder } from './own-orders.js';

const TARGET: OrderRequest = {
  orderRef: 'ob1-SYN-a-T0',
  symbol: 'SYN',
  role: 'target',
  side: 'SELL',
  quantity: 300,
  orderType: 'LMT',
  limitPrice: 101,
  stopPrice: null,
  tif: 'GTC',
  outsideRth: false,
  parentRef: 'ob1-SYN-a-E',
  ocaGroup: 'ob1-SYN-a-G0',
  transmit: true,
};

const report = (part: Partial<OrderReport>): OrderReport => ({
  orderRef: TARGET.orderRef,
  orderId: 3,
  permId: 7,
  clientId: 1,
  symbol: 'SYN',
  state: 'working',
  quantity: 954,
  filled: 300,
  remaining: 654,
  stopPrice: null,
  limitPrice: 101,
  ...part,
});

/** A target that has filled all it stood for while its parent was filled in part. */
function filledTarget(): { orders: OwnOrders; order: OwnOrder } {
  const orders = new OwnOrders();
  const order = orders.add(TARGET, 'ob1-SYN-a', 0, 1_000);
  orders.filledTo(order, 300, false);
  return { orders, order };
}

describe('an order that was taken for ended', () => {
  it('is back where the broker counts more of it than has filled, and lives in doubt until it is said again', () => {
    const { orders, order } = filledTarget();
    expect(isLive(order)).toBe(false);
    orders.report(order, report({}));
    expect(orders.isBack(order, report({}))).toBe(true);
    orders.revive(order, 2_000);
    expect(order).toMatchObject({ state: 'unresolved', doubtSinceWallMs: 2_000 });
    orders.report(order, report({}));
    expect(order).toMatchObject({ state: 'working', doubtSinceWallMs: null });
    expect(orders.inSlot('target', 'ob1-SYN-a', 0)).toBe(order);
  });

  it('stays ended for a bare status, for its own quantity, and for what has ended at the broker too', () => {
    const { orders, order } = filledTarget();
    expect(orders.isBack(order, report({ quantity: 0 }))).toBe(false);
    expect(orders.isBack(order, report({ quantity: 300 }))).toBe(false);
    expect(orders.isBack(order, report({ state: 'cancelled' }))).toBe(false);
  });
});
