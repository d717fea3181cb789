import type { OrderRequest } from './intents.js';

type Given = Pick<OrderRequest, 'orderRef' | 'symbol' | 'role' | 'side' | 'quantity' | 'limitPrice'> &
  Partial<Pick<OrderRequest, 'ocaGroup' | 'transmit'>>;

/** An order at the market, or at a limit where it has one, good for the day's regular hours. */
export function dayOrder(given: Given): OrderRequest {
  const { orderRef, symbol, role, side, quantity, limitPrice, ocaGroup = null, transmit = true } = given;
  return {
    orderRef,
    symbol,
    role,
    side,
    quantity,
    orderType: limitPrice === null ? 'MKT' : 'LMT',
    limitPrice,
    stopPrice: null,
    tif: 'DAY',
    outsideRth: false,
    parentRef: null,
    ocaGroup,
    transmit,
  };
}
