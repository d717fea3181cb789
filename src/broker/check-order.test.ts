import { assert, double, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Instrument } from '#env/market/instrument.js';
import { checkOrder } from './check-order.js';
import type { OrderRequest } from './contract.js';

const STOCK: Instrument = {
  symbol: 'SYN',
  securityType: 'STK',
  currency: 'USD',
  exchange: 'SMART',
  ticks: [
    { lowEdge: 0, increment: 0.0001 },
    { lowEdge: 1, increment: 0.01 },
  ],
  lotSize: 1,
};

const LIMIT: OrderRequest = {
  orderRef: 'a-1',
  symbol: 'SYN',
  side: 'BUY',
  quantity: 10,
  orderType: 'LMT',
  limitPrice: 100.1,
  stopPrice: null,
  tif: 'DAY',
  outsideRth: false,
  parentRef: null,
  ocaGroup: null,
  transmit: true,
};

/** As a journal or another language might hand it over: what types forbid. */
const untyped = (changes: object): OrderRequest => ({ ...LIMIT, ...changes });

describe('an order before it is sent', () => {
  it.each([
    ['quantity', { quantity: 0 }],
    ['quantity', { quantity: -10 }],
    ['quantity', { quantity: NaN }],
    ['quantity', { quantity: Infinity }],
    ['quantity', { quantity: 1.5 }],
    ['quantity', { quantity: 1e10 }],
    ['limitPrice', { limitPrice: null }],
    ['limitPrice', { limitPrice: NaN }],
    ['limitPrice', { limitPrice: Infinity }],
    ['limitPrice', { limitPrice: 0 }],
    ['limitPrice', { limitPrice: -1 }],
    ['limitPrice', { limitPrice: 100.105 }],
    ['limitPrice', { limitPrice: undefined }],
    ['stopPrice', { stopPrice: 99 }],
    ['stopPrice', { orderType: 'STP', limitPrice: null }],
    ['limitPrice', { orderType: 'MKT' }],
    ['orderRef', { orderRef: '' }],
    ['orderRef', { orderRef: 'a\u0000b' }],
    ['orderRef', { orderRef: 'a\nb' }],
    ['orderRef', { orderRef: 'größe' }],
    ['orderRef', { orderRef: ' a' }],
    ['orderRef', { orderRef: 'x'.repeat(65) }],
    ['ocaGroup', { ocaGroup: 'a\u0000' }],
    ['parentRef', { parentRef: 'a-1' }],
    ['parentRef', { parentRef: '' }],
    ['side', { side: 'SSHORT' }],
    ['orderType', { orderType: 'TRAIL' }],
    ['tif', { tif: 'IOC' }],
    ['transmit', { transmit: undefined }],
    ['outsideRth', { outsideRth: 1 }],
  ])('%s is refused in %j', (field, changes) => {
    expect(() => checkOrder(untyped(changes), STOCK)).toThrow(new RegExp(`BROKER_ORDER order ".*" ${field}`));
  });

  it('prices go as the multiple of the tick that they stand for', () => {
    expect(checkOrder({ ...LIMIT, limitPrice: 0.1 + 0.2 + 99.8 }, STOCK).limitPrice).toBe(100.1);
    expect(checkOrder({ ...LIMIT, limitPrice: 0.1234 }, STOCK).limitPrice).toBe(0.1234);
    expect(() => checkOrder({ ...LIMIT, limitPrice: 1.0001 }, STOCK)).toThrow(/multiples of 0.01/);
  });

  it('every multiple of a tick passes and stays, everything between is refused', () => {
    assert(
      property(integer({ min: 100, max: 100_000_000 }), double({ min: 0.01, max: 0.99 }), (steps, part) => {
        const price = Number((steps / 100).toFixed(2));
        expect(checkOrder({ ...LIMIT, limitPrice: steps * 0.01 }, STOCK).limitPrice).toBe(price);
        expect(() => checkOrder({ ...LIMIT, limitPrice: (steps + part) * 0.01 }, STOCK)).toThrow(/BROKER_ORDER/);
      }),
    );
  });
});
