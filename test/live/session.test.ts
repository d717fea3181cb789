/** A live session from the outside: what its alias does to it while it holds, and what its control socket does. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { DEFAULT_MARKET_CONFIG } from '#env/market/config.js';
import { BundleDecider } from '#src/live/shell/bundle-trader.js';
import { statusText } from '#src/live/shell/live-text.js';
import { replayJournal } from '#src/live/shell/replay-journal.js';
import { shortId, type Bundle } from '#src/registry/bundle.js';
import { BUY, bundleThatAlways } from '../support/bundles.js';
import { INSTRUMENT, LiveWorld } from '../support/live-session.js';

const PATIENCE = { timeout: 90_000, interval: 50 };
const STATUS = z.object({
  status: z.looseObject({
    bundle: z.string(),
    waiting: z.string().nullable(),
    ready: z.boolean(),
    paused: z.boolean(),
    halt: z.object({ level: z.string(), reason: z.string() }).nullable(),
  }),
});
type Status = z.infer<typeof STATUS>['status'];

const worlds: LiveWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function worldOf(number: number): Promise<LiveWorld> {
  const world = await LiveWorld.open(number);
  worlds.push(world);
  return world;
}

/** Always in the market, its stop so far away. */
const holder = (world: LiveWorld, stop: number, name: string): Bundle =>
  world.registry.store(
    bundleThatAlways(BUY, INSTRUMENT, { exits: { ...DEFAULT_MARKET_CONFIG.exits, initial_stop: stop } }, name),
  );

/** null: it does not trade yet, or between two bundles. */
async function statusOf(world: LiveWorld): Promise<Status | null> {
  const parsed = STATUS.safeParse(await world.ask({ ask: 'status' }));
  return parsed.success ? parsed.data.status : null;
}

const decisionsOf = (world: LiveWorld): number =>
  readFileSync(path.join(world.folder, 'trading', 'live', world.account, 'decisions.jsonl'), 'utf8').split('\n').length;

describe('the alias moves while the runner holds', () => {
  it('keeps the exits of the open position, says what waits, and changes when flat, in the running process', async () => {
    const world = await worldOf(10);
    const first = holder(world, 0.2, 'first');
    const second = holder(world, 0.1, 'second');
    world.point(first.sha256);
    const session = world.start();
    await expect.poll(() => world.holds, PATIENCE).toBe(true);
    const held = world.books();
    expect((await statusOf(world))?.waiting).toBeNull();

    const isWaiting = `bundle ${shortId(second.sha256)} waits: the account is not flat`;
    world.point(second.sha256);
    await expect.poll(async () => (await statusOf(world))?.waiting, PATIENCE).toContain(isWaiting);
    expect(statusText(await world.ask({ ask: 'status' }))).toContain(isWaiting);
    expect((await statusOf(world))?.bundle).toBe(first.sha256);
    expect(world.books()).toEqual(held);

    // back while it holds: nothing has happened to the position
    world.registry.rollback('live', { reason: 'second thoughts', account: world.account });
    await expect.poll(async () => (await statusOf(world))?.waiting, PATIENCE).toBeNull();
    expect(world.books()).toEqual(held);

    // money follows nothing that was confirmed for another account
    world.point(second.sha256, 'U7777777');
    await expect
      .poll(async () => (await statusOf(world))?.waiting, PATIENCE)
      .toContain('does not take over, live was confirmed for U7777777');
    world.point(second.sha256);
    await expect.poll(async () => (await statusOf(world))?.waiting, PATIENCE).toContain(isWaiting);
    expect(world.books()).toEqual(held);

    await world.ask({ ask: 'command', kind: 'flatten' });
    await expect.poll(async () => (await statusOf(world))?.bundle, PATIENCE).toBe(second.sha256);
    expect(world.said.join('\n')).toMatch(/flat: what was promoted takes over/);
    await expect.poll(() => world.holds, PATIENCE).toBe(true);
    session.stop();
    expect(await session.outcome).toMatchObject({ bundle: second.sha256, settled: true });

    // each position has had the stops of the bundle that opened it, a tenth or a fifth below its fill
    const { orders, executions } = world.gateway.control.truth();
    for (const [bundle, stop] of [
      [first, 0.2],
      [second, 0.1],
    ] as const) {
      const own = (ref: string): boolean => ref.startsWith(`ob${shortId(bundle.sha256).slice(0, 6)}-`);
      const fill = executions.find(({ execution }) => own(execution.orderRef))?.execution.price ?? NaN;
      const level = orders.find(({ order }) => own(order.orderRef) && order.orderType === 'STP')?.order.auxPrice ?? NaN;
      expect(level / fill).toBeGreaterThan(1 - stop - 0.005);
      expect(level / fill).toBeLessThan(1 - stop + 0.005);
    }
    // the journal of the first was put by, whole
    const folder = path.join(world.folder, 'trading', 'live', world.account);
    const [kept] = readdirSync(folder).filter((name) => name.endsWith(`-${shortId(first.sha256)}.db`));
    const decider = new BundleDecider(first);
    const replayed = replayJournal(path.join(folder, kept), decider);
    decider.dispose();
    expect(replayed.firstDifference).toBeNull();
    expect(replayed.decisions).toBeGreaterThan(0);
  }, 180_000);
});

describe('the control socket', () => {
  it('pauses, resumes, cancels and kills; a halt outlives the process, and only resume ends it', async () => {
    const world = await worldOf(11);
    world.point(holder(world, 0.2, 'holder').sha256);
    const first = world.start();
    await expect.poll(() => world.holds, PATIENCE).toBe(true);
    const held = world.books();

    const paused = STATUS.parse(await world.ask({ ask: 'command', kind: 'pause' }));
    expect(paused.status.paused).toBe(true);
    const decided = decisionsOf(world);
    const pausedAtMs = world.gateway.clock.nowMs;
    await expect.poll(() => world.gateway.clock.nowMs - pausedAtMs, PATIENCE).toBeGreaterThan(3 * 60_000);
    expect(decisionsOf(world)).toBe(decided);
    expect(world.books()).toEqual(held);

    const resumed = STATUS.parse(await world.ask({ ask: 'command', kind: 'resume' }));
    expect(resumed.status.paused).toBe(false);
    await expect.poll(() => decisionsOf(world), PATIENCE).toBeGreaterThan(decided);

    // what protects is no entry
    await world.ask({ ask: 'command', kind: 'cancel-all' });
    await expect.poll(() => decisionsOf(world), PATIENCE).toBeGreaterThan(decided + 1);
    expect(world.books()).toEqual(held);

    const killed = STATUS.parse(await world.ask({ ask: 'command', kind: 'kill' }));
    expect(killed.status.halt).toMatchObject({ level: 'halted', reason: 'the kill switch' });
    const flat = { position: 0, stops: [], stopped: 0, entering: false };
    await expect.poll(() => world.books(), PATIENCE).toEqual(flat);
    first.stop();
    expect(await first.outcome).toMatchObject({ settled: true, position: { SYN: 0 } });

    const second = world.start({ onExit: 'close' });
    await expect.poll(async () => (await statusOf(world))?.ready, PATIENCE).toBe(true);
    expect((await statusOf(world))?.halt).toMatchObject({ level: 'halted', reason: 'the kill switch' });
    const haltedAtMs = world.gateway.clock.nowMs;
    await expect.poll(() => world.gateway.clock.nowMs - haltedAtMs, PATIENCE).toBeGreaterThan(2 * 60_000);
    expect(world.books()).toEqual(flat);
    await world.ask({ ask: 'command', kind: 'resume' });
    await expect.poll(() => world.holds, PATIENCE).toBe(true);

    // this time the end is to leave nothing
    second.stop();
    expect(await second.outcome).toMatchObject({ settled: true, position: { SYN: 0 } });
    expect(world.books()).toEqual(flat);
  }, 180_000);
});
