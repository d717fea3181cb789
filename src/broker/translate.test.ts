import { describe, expect, it } from 'vitest';
import { instantOf, sessionsOf, zoneOf } from './ib-time.js';
import { commissionReport, executionReport, splitExecId, stateOf } from './translate.js';
import { ZoneClock } from '#src/data/time-zone.js';

const NEW_YORK = new ZoneClock('America/New_York', 'test');

describe('executions', () => {
  it('root and revision of an execId', () => {
    expect(splitExecId('0000e0d5.61d3d1a3.01.01')).toEqual({ execRoot: '0000e0d5.61d3d1a3.01', revision: 1 });
    expect(splitExecId('0000e0d5.61d3d1a3.01.02')).toEqual({ execRoot: '0000e0d5.61d3d1a3.01', revision: 2 });
    expect(splitExecId('F-12+abc')).toEqual({ execRoot: 'F-12+abc', revision: 0 });
  });

  const fill = {
    execId: '1.01',
    orderId: 5,
    permId: 9,
    clientId: 7,
    side: 'BOT',
    shares: 10,
    price: 100.25,
    time: '20240102 09:31:05 US/Eastern',
    orderRef: 'a-1',
  };

  it('a fill in the words of the contract', () => {
    expect(executionReport(fill, 'SYN')).toEqual({
      execRoot: '1',
      revision: 1,
      orderRef: 'a-1',
      orderId: 5,
      permId: 9,
      clientId: 7,
      symbol: 'SYN',
      side: 'BUY',
      quantity: 10,
      price: 100.25,
      marketMs: Date.parse('2024-01-02T14:31:05Z'),
    });
  });

  it.each([{ shares: NaN }, { shares: 0 }, { price: NaN }, { side: 'X' }, { execId: '' }, { time: 'soon' }])(
    'one that makes no sense is refused: %j',
    (changes) => {
      expect(() => executionReport({ ...fill, ...changes }, 'SYN')).toThrow(/BROKER_STATE/);
    },
  );

  it('a commission that is not set yet is none; a rebate is one', () => {
    const report = { execId: '1.01', commission: 1.25, currency: 'USD' };
    expect(commissionReport(report)).toEqual({ execRoot: '1', revision: 1, amount: 1.25, currency: 'USD' });
    expect(commissionReport({ ...report, commission: -0.2 })?.amount).toBe(-0.2);
    for (const commission of [-1, 1e10, Number.MAX_VALUE, undefined, NaN])
      expect(commissionReport({ ...report, commission })).toBeNull();
  });

  it('an unknown status is taken for a living order', () => {
    expect(stateOf('PendingCancel')).toBe('cancelling');
    expect(stateOf('Inactive')).toBe('rejected');
    expect(stateOf('SomethingNew')).toBe('working');
  });
});

describe('times', () => {
  it.each([
    ['20240102 09:31:05 US/Eastern', '2024-01-02T14:31:05Z'],
    ['20240702 09:31:05 America/New_York', '2024-07-02T13:31:05Z'],
    ['20240102-14:31:05', '2024-01-02T14:31:05Z'],
    ['20240102  09:31:05', '2024-01-02T14:31:05Z'],
    ['20240102 09:31:05 EST', '2024-01-02T14:31:05Z'],
    ['1704205865', '2024-01-02T14:31:05Z'],
    // this hour exists twice: the first
    ['20241103 01:30:00 US/Eastern', '2024-11-03T05:30:00Z'],
    // and this one never
    ['20240310 02:30:00 US/Eastern', '2024-03-10T07:30:00Z'],
  ])('%s is %s', (text, iso) => {
    expect(new Date(instantOf(text, NEW_YORK)).toISOString()).toBe(iso.replace('Z', '.000Z'));
  });

  it('what is no time is NaN', () => {
    for (const text of ['', 'now', '20240102', '20240102 9:31']) expect(instantOf(text, NEW_YORK)).toBeNaN();
  });

  it('an abbreviation names no zone', () => {
    expect(zoneOf('EST')).toBeNull();
    expect(zoneOf('No/Where')).toBeNull();
    expect(zoneOf('US/Eastern')).not.toBeNull();
  });

  it('hours of a contract, in the newer and the older way', () => {
    const iso = (hours: string): string[] =>
      sessionsOf(hours, NEW_YORK).map(({ openMs, closeMs }) =>
        [openMs, closeMs].map((timeMs) => new Date(timeMs).toISOString().slice(0, 16)).join(' '),
      );
    expect(iso('20240102:0930-20240102:1600;20240103:CLOSED;20240104:0930-20240104:1300')).toEqual([
      '2024-01-02T14:30 2024-01-02T21:00',
      '2024-01-04T14:30 2024-01-04T18:00',
    ]);
    expect(iso('20240102:0930-1200,1300-1600')).toEqual([
      '2024-01-02T14:30 2024-01-02T17:00',
      '2024-01-02T18:00 2024-01-02T21:00',
    ]);
    expect(iso('20240102:1715-20240103:1700')).toEqual(['2024-01-02T22:15 2024-01-03T22:00']);
    expect(iso('')).toEqual([]);
    expect(iso('rubbish;20240102:x-y')).toEqual([]);
  });
});
