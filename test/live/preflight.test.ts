/** What keeps `openbell live` from starting, each at a gateway, on a disk or in a registry where it is so. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { XNYS_LAST_YEAR } from '#env/market/calendars/xnys.js';
import { syntheticBars } from '#src/data/synthetic.js';
import { IbBroker } from '#src/broker/ib-broker.js';
import type { OrderRequest } from '#src/broker/contract.js';
import type { GatewayOptions } from '#src/gateway/start-gateway.js';
import { promotionStatus } from '#src/live/shell/promotion-status.js';
import { promotionLines } from '#src/live/shell/promotion-text.js';
import { spaceCheck } from '#src/live/shell/preflight-disk.js';
import type { Bundle } from '#src/registry/bundle.js';
import type { GateReport } from '#src/registry/gates.js';
import { BUY, bundleThatAlways } from '../support/bundles.js';
import { INSTRUMENT, LiveWorld } from '../support/live-session.js';

/** Within the second session. */
const OPEN_MS = Date.parse('2020-01-03T10:00:00-05:00');
const PATIENCE = { timeout: 60_000, interval: 20 };

const worlds: LiveWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function worldOf(number: number, options: Partial<GatewayOptions> = {}): Promise<LiveWorld> {
  const world = await LiveWorld.open(number, options);
  worlds.push(world);
  return world;
}

const stored = (world: LiveWorld): Bundle => world.registry.store(bundleThatAlways(BUY, INSTRUMENT));

function storedFor(world: LiveWorld, calendar: string): Bundle {
  const contents = bundleThatAlways(BUY, INSTRUMENT);
  return world.registry.store({ ...contents, manifest: { ...contents.manifest, calendar } });
}

/** One-minute bars from a date on, of a market with its own hours. */
const barsFrom = (from: string, calendar: string): GatewayOptions['bars'] => [
  syntheticBars({
    name: 'elsewhere',
    seed: 1,
    from,
    sessions: 3,
    start_price: 100,
    regimes: [{ annual_volatility: 0.2, mean_sessions: 5 }],
    overnight_share: 0.3,
    session_volume: 5_000_000,
    annual_drift: 0,
    instrument: INSTRUMENT,
    interval: { label: '1m', ms: 60_000 },
    calendar,
  }),
];

describe('the promotion', () => {
  let world: LiveWorld;
  let bundle: Bundle;
  beforeAll(async () => {
    world = await LiveWorld.open(19);
    bundle = stored(world);
  });
  afterAll(() => world.close());

  it('is for one account: money of another does not follow it', async () => {
    world.point(bundle.sha256, 'U7654321');
    expect((await world.failures()).get('promotion')).toMatchObject({
      status: 'failure',
      why: `live was confirmed for U7654321, not for ${world.account}`,
      remedy: expect.stringContaining(`openbell promote ${bundle.sha256.slice(0, 16)} --to live --confirm=`),
    });
    await expect(world.start().outcome).rejects.toThrow(/LIVE_PREFLIGHT .*promotion.*U7654321.*Nothing was sent/);
    // one that named nobody, as an earlier version made it
    world.point(bundle.sha256, null);
    expect((await world.failures()).get('promotion')).toMatchObject({
      status: 'failure',
      why: 'live was moved without naming whose money would follow',
    });
    world.point(bundle.sha256);
    expect((await world.failures()).has('promotion')).toBe(false);
    expect(world.gateway.control.truth().orders).toEqual([]);
  });

  it('that was forced is told for ever', async () => {
    const outcome = (gate: string, verdict: 'pass' | 'fail'): GateReport['outcomes'][number] => ({
      gate,
      kind: 'statistics',
      title: gate,
      measured: '0.1',
      threshold: 'at least 0.5',
      verdict,
      forced: verdict === 'fail',
      advisory: false,
      why: '',
      evidence: null,
    });
    const evidence: GateReport = {
      format: 'openbell-gates 1',
      to: 'paper',
      judged_at: '2026-01-02T00:00:00.000Z',
      definition: null,
      outcomes: [outcome('sharpe', 'fail'), outcome('turnover', 'pass')],
      passed: true,
      force_reason: 'to see the plumbing',
    };
    world.registry.point('paper', bundle.sha256, { action: 'promote', reason: '', evidence, forced: true });
    const checks = await world.failures({ kind: 'paper', reference: 'paper' });
    expect(checks.get('promotion')).toMatchObject({
      status: 'warning',
      value: expect.stringContaining('1 of 2 gates for paper passed, not sharpe'),
      why: 'FORCED, gates were passed over: to see the plumbing',
    });
    // and of live too, though nothing was passed over for that
    expect(promotionLines(promotionStatus(world.registry, 'live', bundle)).join('\n')).toContain('to see the plumbing');
    expect((await world.failures()).get('promotion')).toMatchObject({ status: 'warning' });
  });

  it('of a bundle that is not what it was is refused, whichever byte it is', async () => {
    world.point(bundle.sha256);
    const file = world.registry.bundleFile(bundle.sha256);
    const bytes = readFileSync(file);
    for (const at of [0, 9, bytes.length >> 1, bytes.length - 1]) {
      const altered = Buffer.from(bytes);
      altered[at] ^= 1;
      writeFileSync(file, altered);
      await expect(world.failures(), `byte ${at}`).rejects.toThrow(/BUNDLE_CORRUPT/);
      await expect(world.start().outcome, `byte ${at}`).rejects.toThrow(/BUNDLE_CORRUPT/);
    }
    writeFileSync(file, bytes);
    expect((await world.failures()).has('bundle')).toBe(false);
    expect(world.gateway.control.truth().orders).toEqual([]);
  });
});

describe('the market', () => {
  it('must be told as it is: delayed data do not trade', async () => {
    const world = await worldOf(12);
    world.point(stored(world).sha256);
    expect([...(await world.failures()).keys()]).toEqual([]);
    world.gateway.control.inject({ kind: 'market_data_type', type: 3 });
    expect((await world.failures()).get('market data SYN')).toMatchObject({
      status: 'failure',
      why: 'type 3 is delayed, not live: entries are off',
    });
    await expect(world.start().outcome).rejects.toThrow(/LIVE_PREFLIGHT .*market data SYN/);
  });

  it('must have hours that the calendar knows', async () => {
    const bars = barsFrom(`${XNYS_LAST_YEAR + 1}-01-02`, '24x7');
    const world = await worldOf(13, { bars, startTimeMs: Date.parse(`${XNYS_LAST_YEAR + 1}-01-03T15:00:00Z`) });
    world.point(stored(world).sha256);
    expect((await world.failures()).get('calendar SYN')).toMatchObject({
      status: 'failure',
      why: expect.stringMatching(/DATA_TIME/),
      remedy: expect.stringContaining('update OpenBell'),
    });
  });

  it('must be open when the calendar says so', async () => {
    const world = await worldOf(14);
    world.point(storedFor(world, '24x7').sha256);
    expect((await world.failures()).get('calendar SYN')).toMatchObject({
      status: 'failure',
      why: expect.stringMatching(/not liquid throughout .*, when 24x7 is open/),
    });
  });

  it('must have our time', async () => {
    const bars = barsFrom(new Date(Date.now() - 86_400_000).toISOString().slice(0, 10), '24x7');
    const late = await worldOf(15, { bars, startTimeMs: Date.now() + 60_000, speed: 1 });
    late.point(storedFor(late, '24x7').sha256);
    expect((await late.failures({ simulated: false })).get('clock')).toMatchObject({
      status: 'failure',
      why: 'more than 5 s apart',
      remedy: 'set the clock of this machine by NTP',
    });
    const right = await worldOf(16, { bars, startTimeMs: Date.now(), speed: 1 });
    right.point(storedFor(right, '24x7').sha256);
    expect((await right.failures({ simulated: false })).has('clock')).toBe(false);
    // a gateway of the present may be a true one
    expect((await right.failures()).get('clock')).toMatchObject({ remedy: 'leave --simulated away' });
  });
});

describe('the account', () => {
  it('must hold nothing and want nothing that is not ours', async () => {
    const world = await worldOf(17, { startTimeMs: OPEN_MS });
    world.point(stored(world).sha256);
    const stranger = new IbBroker({ host: '127.0.0.1', port: world.gateway.port, clientId: 9, account: world.account });
    stranger.open(() => undefined);
    await expect.poll(() => stranger.connected, PATIENCE).toBe(true);
    await stranger.contract(INSTRUMENT);
    const order: OrderRequest = {
      orderRef: 'by hand',
      symbol: 'SYN',
      side: 'BUY',
      quantity: 10,
      orderType: 'LMT',
      limitPrice: 1,
      stopPrice: null,
      tif: 'DAY',
      outsideRth: false,
      parentRef: null,
      ocaGroup: null,
      transmit: true,
    };
    stranger.place(order);
    await expect.poll(() => world.gateway.control.truth().orders.length, PATIENCE).toBe(1);
    expect((await world.failures()).get('orders')).toMatchObject({
      status: 'failure',
      why: expect.stringMatching(/^1 not ours, such as order \d+ \(SYN, client 9\)$/),
    });
    const { policy } = world.options;
    const ignoring = { policy: { ...policy, care: { ...policy.care, foreign: 'ignore' as const } } };
    expect((await world.failures(ignoring)).get('orders')).toMatchObject({ status: 'warning' });

    stranger.place({ ...order, orderRef: 'by hand again', orderType: 'MKT', limitPrice: null });
    await expect.poll(() => world.books().position, PATIENCE).toBe(10);
    // of a symbol that we trade, no policy makes it ours
    expect((await world.failures(ignoring)).get('positions')).toMatchObject({
      status: 'failure',
      why: 'of SYN our journal explains 0, the broker holds 10',
    });
    await expect(world.start().outcome).rejects.toThrow(/LIVE_PREFLIGHT .*positions/);
    await stranger.close();
    expect(world.books().position).toBe(10);
    expect(world.gateway.control.truth().orders.length).toBe(2);
  });
});

describe('the disk', () => {
  it('must take a journal', async () => {
    const world = await worldOf(18);
    world.point(stored(world).sha256);
    const file = path.join(world.folder, 'a file');
    writeFileSync(file, '');
    const tradingDir = path.join(file, 'trading');
    const failures = await world.failures({ tradingDir });
    expect([...failures.keys()]).toEqual(['disk', 'journal', 'tick sizes']);
    await expect(world.start({ tradingDir }).outcome).rejects.toThrow(/LIVE_PREFLIGHT .*disk, journal/);
    expect(world.gateway.control.truth().orders).toEqual([]);
  });

  it('must have room', () => {
    expect(spaceCheck('/here', 199_000_000)).toMatchObject({
      status: 'failure',
      why: expect.stringContaining('less than 200 MB'),
    });
    expect(spaceCheck('/here', 201_000_000).status).toBe('ok');
  });
});
