/** What an order has to be before a byte of it is sent: NaN, Infinity and NUL would reach the wire as they are. */
import type { Instrument } from '#env/market/instrument.js';
import { fail } from '#src/errors.js';
import type { OrderRequest } from './contract.js';

/** IBKR takes far more than anyone means; this is a typing error. */
const MOST_UNITS = 1e9;
const MOST_TEXT = 64;
/** Of a tick: what binary fractions may miss it by. */
const OFF_TICK = 1e-6;

/**
 * The order with its prices as the exact multiples of the tick that they stand for. Throws BROKER_ORDER naming field
 * and value; nothing has been sent then.
 */
export function checkOrder(order: OrderRequest, instrument: Instrument): OrderRequest {
  const { orderRef, symbol, side, quantity, orderType, tif, limitPrice, stopPrice } = order;
  const refuse = (field: string, value: unknown, message: string): never =>
    fail('BROKER_ORDER', { where: `order ${JSON.stringify(orderRef)} ${field}`, value, message });
  const oneOf = (field: string, value: string, ...allowed: readonly string[]): void => {
    if (!allowed.includes(value)) refuse(field, value, `expected one of ${allowed.join(', ')}`);
  };
  const text = (field: string, value: string): void => {
    if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) || value.length > MOST_TEXT)
      refuse(field, value, `expected 1 to ${MOST_TEXT} printable ASCII characters, no space at either end`);
  };
  const priceOf = (field: string, value: number | null, wanted: boolean): number | null => {
    if (!wanted) {
      if (value !== null) refuse(field, value, `a ${orderType} order has none: expected null`);
      return null;
    }
    if (value === null || !(value > 0 && value < Infinity))
      return refuse(field, value, `a ${orderType} order of ${symbol} needs a finite price above 0`);
    return onTick(value, instrument) ?? refuse(field, value, `off tick: ${tickText(value, instrument)}`);
  };
  text('orderRef', orderRef);
  oneOf('side', side, 'BUY', 'SELL');
  oneOf('orderType', orderType, 'MKT', 'LMT', 'STP');
  oneOf('tif', tif, 'DAY', 'GTC');
  if (!(quantity > 0 && quantity <= MOST_UNITS))
    refuse('quantity', quantity, `expected above 0, at most ${MOST_UNITS}`);
  const lots = quantity / instrument.lotSize;
  if (Math.abs(lots - Math.round(lots)) > OFF_TICK)
    refuse('quantity', quantity, `expected a multiple of the lot, ${instrument.lotSize}`);
  if (order.ocaGroup !== null) text('ocaGroup', order.ocaGroup);
  if (order.parentRef !== null) text('parentRef', order.parentRef);
  if (order.parentRef === orderRef) refuse('parentRef', orderRef, 'an order cannot wait for itself');
  if (typeof order.transmit !== 'boolean') refuse('transmit', order.transmit, 'expected true or false');
  if (typeof order.outsideRth !== 'boolean') refuse('outsideRth', order.outsideRth, 'expected true or false');
  return {
    ...order,
    limitPrice: priceOf('limitPrice', limitPrice, orderType === 'LMT'),
    stopPrice: priceOf('stopPrice', stopPrice, orderType === 'STP'),
  };
}

/** The multiple of the tick that the price stands for, in as few digits; null: it is between two. */
function onTick(price: number, instrument: Instrument): number | null {
  const increment = incrementAt(price, instrument);
  const steps = Math.round(price / increment);
  if (steps < 1 || Math.abs(price / increment - steps) > OFF_TICK * Math.max(1, steps * 1e-6)) return null;
  return Number((steps * increment).toPrecision(12));
}

function incrementAt(price: number, { ticks }: Instrument): number {
  let { increment } = ticks[0];
  for (const band of ticks) if (price >= band.lowEdge) increment = band.increment;
  return increment;
}

function tickText(price: number, instrument: Instrument): string {
  return `prices there are multiples of ${incrementAt(price, instrument)}`;
}
