import { describe, expect, it } from 'vitest';
import { CODES, dataEffect, orderEffect, sessionEffect } from './codes.js';

describe('what a gateway says', () => {
  it.each([
    [1100, 'linkDown'],
    [1101, 'linkUpDataLost'],
    [1102, 'linkUp'],
    [2103, 'marketDataBroken'],
    [2104, 'marketDataOk'],
    [2105, 'warning'],
    [2106, 'information'],
    [2158, 'information'],
    [2110, 'linkDown'],
    [326, 'clientIdInUse'],
    [502, 'ended'],
    [504, 'ended'],
    [100, 'rate'],
  ] as const)('%i about the session: %s', (code, effect) => {
    expect(sessionEffect(code, '')).toBe(effect);
  });

  it('data connectivity is never order connectivity', () => {
    for (const code of [2103, 2104, 2105, 2106, 2107, 2108, 2119, 2157, 2158, 10197])
      expect(sessionEffect(code, '')).not.toMatch(/link|ended|clientId/);
  });

  it.each([
    [103, 'rejected'],
    [110, 'doubtful'],
    [200, 'rejected'],
    [201, 'rejected'],
    [202, 'warning'],
    [10147, 'cancel'],
    [10148, 'cancel'],
    [161, 'cancel'],
    [104, 'modify'],
    [105, 'modify'],
    [399, 'warning'],
    [2109, 'warning'],
    [10349, 'warning'],
    [404, 'warning'],
    [504, 'doubtful'],
  ] as const)('%i about an order: %s', (code, effect) => {
    expect(orderEffect(code, '')).toBe(effect);
  });

  it('guesses at nothing: a code that is not known leaves an order in doubt, and a warning says that it is one', () => {
    expect(orderEffect(19_999, 'something new')).toBe('doubtful');
    expect(orderEffect(19_999, 'Warning: something new')).toBe('warning');
    expect(orderEffect(2_999, 'something new')).toBe('warning');
    // it begins like a warning, and is none
    expect(orderEffect(201, 'Order rejected - reason: Warning: no margin')).toBe('rejected');
  });

  it.each([
    [10197, '', 'ends'],
    [102, 'Duplicate ticker id', 'ends'],
    [354, '', 'ends'],
    [200, '', 'ends'],
    [10167, '', 'goesOn'],
    [162, 'Historical Market Data Service error message:API historical data query cancelled: 1', 'ends'],
    [162, 'Historical Market Data Service error message:HMDS query returned no data: SYN@SMART Trades', 'none'],
    [162, 'Historical Market Data Service error message:Historical data request pacing violation', 'pacing'],
    [420, 'Invalid Real-time Query: Historical data request pacing violation', 'pacing'],
    [2174, 'You submitted request with date-time attributes without explicit time zone.', 'goesOn'],
    [19_999, 'something new', 'ends'],
  ] as const)('%i about data, "%s": %s', (code, text, effect) => {
    expect(dataEffect(code, text)).toBe(effect);
  });

  it('every code of the table has a meaning and an effect', () => {
    const idle = Object.entries(CODES).filter(
      ([, { meaning, session, order, data }]) => meaning === '' || (session ?? order ?? data) === undefined,
    );
    expect(idle).toEqual([]);
  });
});
