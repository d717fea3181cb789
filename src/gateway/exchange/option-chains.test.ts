/** Options that are listed by rule, and what clients are told of them. */
import { describe, expect, it } from 'vitest';
import { testBars } from '#env/market/test-bars.fixture.js';
import { query, runToBoundary, TestClient, testExchange } from './exchange.fixture.js';
import { listedExpirations, listedStrikes } from './option-chains.js';

const NOON = Date.UTC(2026, 2, 10, 16);
const flat = (price: number): [number, number, number, number] => [price, price, price, price];

function client(): TestClient {
  const one = new TestClient(
    testExchange([testBars({ symbol: 'AAPL', prices: [flat(150), flat(150)], openTimeMs: [NOON, NOON + 86_400_000] })]),
  );
  runToBoundary(one.exchange);
  return one;
}

describe('listed options', () => {
  it('expire on Fridays, or on the session before, and on third Fridays for three years', () => {
    const listed = listedExpirations(NOON);
    // Good Friday, 2026-04-03, is no session
    expect(listed.slice(0, 7)).toEqual([
      '20260313',
      '20260320',
      '20260327',
      '20260402',
      '20260410',
      '20260417',
      '20260515',
    ]);
    expect(listed).toEqual(expect.arrayContaining(['20260618', '20270115', '20281215', '20290119']));
    expect(listed).not.toContain('20281117');
    expect(listed).toEqual([...listed].sort());
  });

  it('have strikes from half to one and a half times the price, closer where it is low', () => {
    expect(listedStrikes(20).slice(0, 3)).toEqual([10, 10.5, 11]);
    expect(listedStrikes(150).at(-1)).toBe(225);
    expect(listedStrikes(260).slice(0, 2)).toEqual([130, 132.5]);
    expect(listedStrikes(NaN)).toEqual([]);
  });

  it('are told as parameters, by exchange', () => {
    const one = client();
    const answer = one.ask({
      type: 'reqSecDefOptParams',
      reqId: 3,
      underlyingSymbol: 'AAPL',
      futFopExchange: '',
      underlyingSecType: 'STK',
      underlyingConId: 265598,
    });
    expect(answer.at(-1)).toEqual({ type: 'securityDefinitionOptionParameterEnd', reqId: 3 });
    expect(answer[0]).toMatchObject({ exchange: 'SMART', tradingClass: 'AAPL', multiplier: '100' });
    expect(one.of('securityDefinitionOptionParameter')[0].strikes).toContain(150);
  });

  it('of what has no price, or is no stock, are none', () => {
    const one = client();
    for (const underlyingConId of [272093, 12087792, 999]) {
      const answer = one.ask({
        type: 'reqSecDefOptParams',
        reqId: 3,
        underlyingSymbol: '',
        futFopExchange: '',
        underlyingSecType: 'STK',
        underlyingConId,
      });
      expect(answer).toEqual([{ type: 'securityDefinitionOptionParameterEnd', reqId: 3 }]);
    }
  });

  it('are told as contracts: what a description leaves open is taken from what is listed', () => {
    const one = client();
    const option = (more: object): number => {
      const answer = one.ask({
        type: 'reqContractDetails',
        reqId: 4,
        contract: query('AAPL', { secType: 'OPT', ...more }),
      });
      return answer.filter(({ type }) => type === 'contractDetails').length;
    };
    const strikes = listedStrikes(150).length;
    expect(option({ lastTradeDateOrContractMonth: '20260320', strike: 150, right: 'C' })).toBe(1);
    expect(option({ lastTradeDateOrContractMonth: '20260320', right: 'C' })).toBe(strikes);
    expect(option({ lastTradeDateOrContractMonth: '20260320' })).toBe(2 * strikes);
    // the 13th, the 20th and the 27th
    expect(option({ lastTradeDateOrContractMonth: '202603', strike: 150 })).toBe(6);
    expect(option({ lastTradeDateOrContractMonth: '20260321', right: 'C' })).toBe(0);
  });

  it('have an identifier each, also where the names of two would make the same', () => {
    const one = client();
    const spy = (lastTradeDateOrContractMonth: string, strike: number, right: string) => {
      const contract = query('SPY', { secType: 'OPT', lastTradeDateOrContractMonth, strike, right });
      one.ask({ type: 'reqContractDetails', reqId: 4, contract });
      return one.of('contractDetails').at(-1)?.details.contract;
    };
    const first = spy('20260403', 165, 'C');
    const second = spy('20260407', 221, 'P');
    expect(second).toMatchObject({ strike: 221, conId: (first?.conId ?? 0) + 1 });
    expect([spy('20260407', 221, 'P'), spy('20260403', 165, 'C')]).toEqual([second, first]);
  });
});
