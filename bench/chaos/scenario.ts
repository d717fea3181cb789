/** One scenario: a session of the simulated gateway with faults, a runner that dies once, and the proof afterwards. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Truth } from '#src/gateway/exchange-port.js';
import { parseFaultPlan } from '#src/gateway/faults/schema.js';
import { startGateway, type Gateway } from '#src/gateway/start-gateway.js';
import { Trader } from '#src/live/core/trader.js';
import { Journal } from '#src/live/shell/journal.js';
import { ProcessLife } from './process-life.js';
import { dice } from './chance.js';
import { ACCOUNT, barsOf, CLIENT_ID, INITIAL_CASH, type KillStep, type Script } from './script.js';
import { LocalLife, pause, type Life, type LifeReport } from './subject.js';

/** A real market does not wait: so long (wall) it stands at a boundary for a runner that is not done. */
const BOUNDARY_LIMIT_MS = 700;
/** All must agree within this time (wall) after the session. */
const CONVERGE_WITHIN_MS = 30_000;
/** The declared 10 s of the runner's clock, which goes ten times as fast, and what a loaded machine adds. */
const BARE_WITHIN_MS = 1_000 + 4_000;
const STUCK_MS = 60_000;
const LONGEST_TURN_MS = 500;
const RUNNER = 'chaos';
/** A memory disk where there is one: what a killed process has written outlives it there too, and a sync costs nothing. */
const MEMORY_DISK = '/dev/shm';
const MICRO = 1_000_000;

export interface Outcome {
  readonly seed: number;
  /** null: all holds. */
  readonly problem: string | null;
  readonly story: readonly string[];
  /** Where it died in fact. */
  readonly killed: KillStep;
  readonly how: Script['kill']['how'];
  /** Faults that struck, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  readonly trades: number;
  readonly orders: number;
  readonly alerts: Readonly<Record<string, number>>;
  readonly convergedMs: number;
  /** Longest time (wall) for which a position was seen bare at bar after bar, with the runner ready. */
  readonly bareMs: number;
  readonly wallMs: number;
}

/** Runs it to its end. Throws where the scenario itself could not be run. */
export async function runScenario(script: Script): Promise<Outcome> {
  const folder = mkdtempSync(path.join(existsSync(MEMORY_DISK) ? MEMORY_DISK : tmpdir(), 'openbell-chaos-'));
  const bars = barsOf(script);
  const gateway = await startGateway({
    bars: [bars],
    startTimeMs: bars.openTimeMs[bars.length - Math.ceil(script.replayed / script.minutes)],
    port: 0,
    controlPort: null,
    speed: 'max',
    fills: script.fills,
    seed: script.seed,
    account: ACCOUNT,
    initialCash: INITIAL_CASH,
    faults: parseFaultPlan({ faults: script.faults }, () => `scenario ${script.seed}`),
  });
  const scenario = new Scenario(script, gateway, path.join(folder, 'journal.db'));
  try {
    return await scenario.run();
  } finally {
    await scenario.close();
    await gateway.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Scenario {
  readonly #script: Script;
  readonly #gateway: Gateway;
  readonly #journalFile: string;
  #life: Life;
  readonly #stories: string[] = [];
  #killed: KillStep | null = null;
  #bareSinceMs: number | null = null;
  #longestBareMs = 0;
  readonly #alerts: Record<string, number> = {};

  constructor(script: Script, gateway: Gateway, journalFile: string) {
    this.#script = script;
    this.#gateway = gateway;
    this.#journalFile = journalFile;
    gateway.control.lockstep.register(RUNNER);
    this.#life = this.#begin(true);
  }

  async close(): Promise<void> {
    if (!this.#life.dead) await this.#life.end();
  }

  async run(): Promise<Outcome> {
    const began = performance.now();
    const { lockstep } = this.#gateway.control;
    const { kill } = this.#script;
    let problem: string | null = null;
    let down = kill.down;
    let number = 0;
    let boundaries = 0;
    await this.#within(this.#life.boundary(5_000));
    for (;;) {
      // twice, since a suspended machine lets a deadline pass at once
      const next = (await lockstep.next(number, STUCK_MS)) ?? (await lockstep.next(number, STUCK_MS));
      if (next === null) break;
      number = next.number;
      boundaries++;
      if (this.#life.dead) {
        problem ??= await this.#mourn();
        if (down-- > 0) {
          lockstep.acknowledge(RUNNER, number);
          continue;
        }
        await this.#revive();
      }
      const late =
        this.#killed === null &&
        boundaries > (0.7 * this.#script.replayed) / this.#script.minutes &&
        kill.step !== 'at random';
      if ((kill.step === 'at random' && this.#killed === null && boundaries >= kill.nth) || late) {
        this.#killed = 'at random';
        const life = this.#life;
        setTimeout(() => void life.kill(), kill.delayMs);
      }
      const report = await this.#within(this.#life.boundary(BOUNDARY_LIMIT_MS));
      if (report !== null) problem ??= this.#checkBoundary(report);
      else if (down === 0) {
        // up again at once: what it decided a moment ago must not be done twice
        problem ??= await this.#mourn();
        await this.#revive();
      }
      lockstep.acknowledge(RUNNER, number);
    }
    if (!lockstep.over) problem ??= `the market stood still for ${STUCK_MS} ms`;
    lockstep.leave(RUNNER);
    if (this.#killed === 'at random') await Promise.race([this.#life.died, pause(kill.delayMs + 500)]);
    if (this.#life.dead) {
      problem ??= await this.#mourn();
      this.#life = this.#begin(false);
    }
    const { problem: apart, report, tookMs } = await this.#converge();
    problem ??= apart;
    if (report !== null) this.#count(report.alerts);
    const truth = this.#gateway.control.truth();
    problem ??= duplicates(truth);
    const story = this.#life.story();
    if (!this.#life.dead) await this.#life.end();
    problem ??= repeated(this.#journalFile, this.#script.seed);
    if (problem !== null) this.#stories.push('-- the last life', ...story, '-- truth', ...shown(truth));
    return {
      seed: this.#script.seed,
      problem,
      story: this.#stories,
      killed: this.#killed ?? 'at random',
      how: kill.how,
      faults: struck(this.#gateway),
      trades: truth.executions.length,
      orders: truth.orders.length,
      alerts: this.#alerts,
      convergedMs: tookMs,
      bareMs: this.#longestBareMs,
      wallMs: performance.now() - began,
    };
  }

  #begin(mayDie: boolean): Life {
    const script = this.#script;
    const options = { script, port: this.#gateway.port, journalFile: this.#journalFile, mayDie };
    return script.kill.how === 'SIGKILL' ? new ProcessLife(options) : new LocalLife(options);
  }

  async #revive(): Promise<void> {
    this.#life = this.#begin(false);
    await this.#within(this.#life.boundary(2_000));
  }

  /** The answer, or null where the life ended before. */
  async #within(answer: Promise<LifeReport>): Promise<LifeReport | null> {
    const life = this.#life;
    const report = await Promise.race([answer, life.died.then(() => null)]);
    return life.dead ? null : report;
  }

  async #mourn(): Promise<string | null> {
    const why = await this.#life.died;
    this.#stories.push('-- the first life', ...this.#life.story(), `-- ${why}`);
    this.#bareSinceMs = null;
    if (this.#killed === null) this.#killed = this.#script.kill.step;
    return why === 'killed' ? null : `the runner failed: ${why}`;
  }

  #count(alerts: Readonly<Record<string, number>>): void {
    for (const [code, count] of Object.entries(alerts)) this.#alerts[code] = (this.#alerts[code] ?? 0) + count;
  }

  /** While the runner is there and may act: no position without stops, or an exit, for longer than declared. */
  #checkBoundary(report: LifeReport): string | null {
    const truth = this.#gateway.control.truth();
    const bare = bareUnits(truth);
    const excused = !report.ready || report.leaving !== null || report.halt !== null;
    if (bare === 0 || excused) {
      this.#bareSinceMs = null;
      return null;
    }
    const now = performance.now();
    this.#bareSinceMs ??= now;
    const forMs = now - this.#bareSinceMs;
    this.#longestBareMs = Math.max(this.#longestBareMs, forMs);
    return forMs > BARE_WITHIN_MS ? `${bare} units unprotected for ${Math.round(forMs)} ms of wall time` : null;
  }

  async #converge(): Promise<{ problem: string | null; report: LifeReport | null; tookMs: number }> {
    let tookMs = 0;
    for (let lastMs = performance.now(); ;) {
      const report = await this.#within(this.#life.report());
      if (report === null) return { problem: `the runner died: ${await this.#life.died}`, report, tookMs: 0 };
      const truth = this.#gateway.control.truth();
      const problem = difference(report, truth);
      // a machine that was suspended has had no time to agree
      tookMs += Math.min(performance.now() - lastMs, LONGEST_TURN_MS);
      lastMs = performance.now();
      if (problem === null) return { problem, report, tookMs };
      if (tookMs > CONVERGE_WITHIN_MS)
        return { problem: `not converged after ${Math.round(tookMs)} ms: ${problem}`, report, tookMs };
      await pause(20);
    }
  }
}

const LIVE = new Set(['ApiPending', 'PendingSubmit', 'PendingCancel', 'PreSubmitted', 'Submitted']);

/** Units of the position that neither stops nor an exit stand for. */
function bareUnits(truth: Truth): number {
  const held = truth.positions.at(0)?.position ?? 0;
  if (held === 0) return 0;
  const away = held > 0 ? 'SELL' : 'BUY';
  const leaving = truth.orders.filter(({ order, status }) => LIVE.has(status) && order.action === away);
  const exits = leaving.some(({ order }) => /-(X|R)/.test(order.orderRef.slice(4)));
  if (exits) return 0;
  const stops = leaving.filter(({ order }) => order.orderType === 'STP');
  return Math.max(Math.abs(held) - stops.reduce((sum, { remaining }) => sum + remaining, 0), 0);
}

/** What the runner believes against what is; null: the same. */
function difference(report: LifeReport, truth: Truth): string | null {
  const position = truth.positions.at(0)?.position ?? 0;
  if (report.position !== position) return `a position of ${report.position}, the broker holds ${position}`;
  const cashMicro = Math.round(truth.cash * MICRO) - INITIAL_CASH * MICRO;
  if (Math.abs(report.cashMicro - cashMicro) > 1)
    return `cash ${report.cashMicro / MICRO}, the broker's ${cashMicro / MICRO}`;
  const there = truth.orders
    .filter(({ status }) => LIVE.has(status))
    .map(({ order }) => order.orderRef)
    .sort();
  if (report.live.join() !== there.join()) return `orders ${report.live.join()}, the broker's ${there.join()}`;
  const executions = truth.executions.filter(({ superseded }) => !superseded).length;
  if (report.executions !== executions) return `${report.executions} executions, the broker's ${executions}`;
  if (report.halt !== null && report.halt.includes('disagree')) return `halted although all agrees: ${report.halt}`;
  if (!report.ready) return 'not ready to trade';
  if (bareUnits(truth) > 0 && report.leaving === null) return `${bareUnits(truth)} units unprotected`;
  return null;
}

/** Each reference names one order; each decision has at most one entry that filled, and never for more than decided. */
function duplicates(truth: Truth): string | null {
  const seen = new Set<string>();
  const entries = new Map<string, string>();
  for (const { order, clientId, filled } of truth.orders) {
    const { orderRef, totalQuantity } = order;
    if (clientId !== CLIENT_ID) return `order ${orderRef} of client ${clientId}`;
    if (seen.has(orderRef)) return `two orders are called ${orderRef}`;
    seen.add(orderRef);
    if (filled > totalQuantity) return `${orderRef} has filled ${filled} of ${totalQuantity}`;
    const decision = /^(.*-(E|A[0-9a-z]+))(\.\d+)?$/.exec(orderRef)?.[1];
    if (decision === undefined) continue;
    const other = entries.get(decision);
    if (other !== undefined) return `${other} and ${orderRef} are entries of one decision`;
    entries.set(decision, orderRef);
  }
  return null;
}

/** The journal of both lives, told to a new trader, must lead to the same intents. */
function repeated(journalFile: string, seed: number): string | null {
  const journal = Journal.read(journalFile);
  const trader = new Trader(dice(seed));
  for (const { sequence, event, intents } of journal.entries()) {
    const again = JSON.stringify(trader.handle(event));
    const before = JSON.stringify(intents);
    if (again !== before) {
      journal.close();
      return `the journal does not repeat: at event ${sequence} (${event.type}) ${before.slice(0, 200)}, now ${again.slice(0, 200)}`;
    }
  }
  journal.close();
  return null;
}

function shown(truth: Truth): string[] {
  return [
    `position ${truth.positions.at(0)?.position ?? 0} cash ${truth.cash}`,
    ...truth.orders
      .slice(-14)
      .map(
        ({ order, orderId, status, filled, remaining }) =>
          `${orderId} ${order.orderRef} ${order.action} ${order.totalQuantity} ${order.orderType} ${status} filled ${filled} remaining ${remaining}`,
      ),
  ];
}

/** Faults that happened; of those on messages, only the ones that met a message. */
function struck(gateway: Gateway): Record<string, number> {
  const counts: Record<string, number> = {};
  const { done, armed } = gateway.control.faults();
  for (const { fault } of done) {
    const times = 'count' in fault ? fault.count : 1;
    counts[fault.kind] = (counts[fault.kind] ?? 0) + times;
  }
  for (const { kind, left } of armed) counts[kind] = (counts[kind] ?? 0) - left;
  return counts;
}
