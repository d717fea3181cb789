import { expect, it } from 'vitest';
import { floorLots, TickTable } from './ticks.js';

const usStock = new TickTable(
  [
    { lowEdge: 0, increment: 0.0001 },
    { lowEdge: 1, increment: 0.01 },
  ],
  'TEST',
);

it('leaves a price that is on tick alone, whatever its float noise', () => {
  const moved: number[] = [];
  for (let cents = 100; cents < 100_000; cents++) {
    const price = cents / 100;
    for (const noisy of [price, price * (1 + 2e-16), price * (1 - 2e-16), cents * 0.01]) {
      if (usStock.roundAgainst(noisy, 1) !== price || usStock.roundAgainst(noisy, -1) !== price) moved.push(noisy);
    }
  }
  expect(moved).toEqual([]);
});

it('rounds a buy up and a sale down, to the band of the price', () => {
  expect(usStock.roundAgainst(25.051, 1)).toBe(25.06);
  expect(usStock.roundAgainst(25.059, -1)).toBe(25.05);
  expect(usStock.roundAgainst(0.25005, 1)).toBe(0.2501);
  expect(usStock.roundAgainst(0.25005, -1)).toBe(0.25);
});

it('knows increments that are no whole share of a unit', () => {
  const quarters = new TickTable([{ lowEdge: 0, increment: 2.5 }], 'X');
  expect(quarters.roundAgainst(101, 1)).toBe(102.5);
  expect(quarters.roundAgainst(101, -1)).toBe(100);
});

it('rounds quantities down to whole lots', () => {
  expect(floorLots(199.99, 100)).toBe(100);
  expect(floorLots(99.99, 100)).toBe(0);
  expect(floorLots(0.3, 0.1)).toBeCloseTo(0.3, 12);
});

it('refuses bands that do not start at 0 or do not ascend', () => {
  expect(() => new TickTable([{ lowEdge: 1, increment: 0.01 }], 'X')).toThrow('ENV_CONFIG');
  expect(() => new TickTable([{ lowEdge: 0, increment: 0 }], 'X')).toThrow('ENV_CONFIG');
  expect(
    () =>
      new TickTable(
        [
          { lowEdge: 0, increment: 0.1 },
          { lowEdge: 0, increment: 0.01 },
        ],
        'X',
      ),
  ).toThrow('ENV_CONFIG');
});
