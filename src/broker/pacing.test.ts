import { describe, expect, it } from 'vitest';
import { HistoryPace, IBKR_HISTORY_LIMITS } from './history-pace.js';
import { PRIORITY, SendQueue } from './send-queue.js';

describe('the queue before the gateway', () => {
  it('an order overtakes two hundred requests, and no second has more than its messages', async () => {
    const sent: { what: string; atMs: number }[] = [];
    const queue = new SendQueue({ messagesPerSecond: 20, keptForOrders: 5 }, () => performance.now());
    const send = (what: string) => (): void => void sent.push({ what, atMs: performance.now() });
    for (let n = 0; n < 200; n++) queue.push(PRIORITY.history, send(`h${n}`), () => undefined);
    queue.push(PRIORITY.query, send('q'), () => undefined);
    for (let n = 0; n < 5; n++) queue.push(PRIORITY.order, send(`o${n}`), () => undefined);
    // without a turn of the event loop: fifteen requests, then the five orders
    expect(sent.map(({ what }) => what).slice(15)).toEqual(['o0', 'o1', 'o2', 'o3', 'o4']);
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    expect(sent[20].what).toBe('q');
    for (let n = 20; n < sent.length; n++)
      expect(sent[n].atMs - sent[n - 20].atMs, `message ${n}`).toBeGreaterThanOrEqual(999);
    let dropped = 0;
    queue.push(PRIORITY.query, send('never'), () => void dropped++);
    const before = sent.length;
    queue.clear();
    expect(dropped).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sent.length).toBe(before);
  });
});

describe('the pace of history', () => {
  it('identical ones are 15 s apart, one contract has five in two seconds', () => {
    let now = 0;
    const pace = new HistoryPace(IBKR_HISTORY_LIMITS, () => now);
    const ask = (key: string, barMs = 60_000): number => {
      const waitMs = pace.waitMs(key, 'SYN', barMs);
      if (waitMs === 0) pace.began(key, 'SYN', barMs);
      return waitMs;
    };
    expect(ask('a')).toBe(0);
    expect(ask('a')).toBe(15_000);
    now = 14_999;
    expect(ask('a')).toBe(1);
    now = 15_000;
    expect([ask('a'), ask('b'), ask('c'), ask('d'), ask('e')]).toEqual([0, 0, 0, 0, 0]);
    expect(ask('f')).toBe(2_000);
  });

  it('of small bars sixty in ten minutes, of larger ones as many as one likes', () => {
    let now = 0;
    const pace = new HistoryPace(IBKR_HISTORY_LIMITS, () => now);
    for (let n = 0; n < 60; n++) {
      expect(pace.waitMs(`k${n}`, `S${n}`, 5_000)).toBe(0);
      pace.began(`k${n}`, `S${n}`, 5_000);
      pace.ended();
      now += 100;
    }
    expect(pace.waitMs('k60', 'S60', 5_000)).toBe(600_000 - now);
    expect(pace.waitMs('k60', 'S60', 60_000)).toBe(0);
  });

  it('fifty are under way at once, and a violation silences all for 15 s', () => {
    const pace = new HistoryPace(IBKR_HISTORY_LIMITS, () => 0);
    for (let n = 0; n < 50; n++) pace.began(`k${n}`, `S${n}`, 60_000);
    expect(pace.waitMs('more', 'S', 60_000)).toBe(Infinity);
    pace.ended();
    expect(pace.waitMs('more', 'S', 60_000)).toBe(0);
    pace.violated();
    expect(pace.waitMs('more', 'S', 60_000)).toBe(15_000);
  });
});
