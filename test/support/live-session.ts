/** A session of `openbell live` in this process, at a simulated gateway: real sockets, a real journal, a real registry. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startGateway, type Gateway, type GatewayOptions } from '#src/gateway/start-gateway.js';
import { ask, controlSocketPath, type ControlRequest } from '#src/live/shell/control-socket.js';
import {
  checkSession,
  tradeAtGateway,
  type SessionOptions,
  type SessionOutcome,
} from '#src/live/shell/live-session.js';
import { DEFAULT_POLICY } from '#src/live/shell/policy-file.js';
import type { Check } from '#src/live/shell/preflight-check.js';
import { Registry } from '#src/registry/registry.js';
import { INSTRUMENT, syntheticSessions } from '../live/sessions.js';

/** Shortly before the second session's open: the first one warms the indicators up. */
const START_MS = Date.parse('2020-01-03T09:26:00-05:00');
/** A minute of the market a second. */
const SPEED = 60;

export interface Books {
  readonly position: number;
  /** "reference remaining stop" of working stops, sorted. */
  readonly stops: readonly string[];
  readonly stopped: number;
  readonly entering: boolean;
}

export class LiveWorld {
  readonly account: string;
  readonly folder: string;
  readonly registry: Registry;
  readonly gateway: Gateway;
  readonly said: string[] = [];
  readonly #sessions: { readonly stop: () => void; readonly outcome: Promise<SessionOutcome> }[] = [];

  private constructor(account: string, folder: string, gateway: Gateway) {
    this.account = account;
    this.folder = folder;
    this.registry = new Registry(path.join(folder, 'registry'));
    this.gateway = gateway;
  }

  /** `number`: of an account of its own, since the lock is the account's, wherever its journal lies. */
  static async open(number: number, options: Partial<GatewayOptions> = {}): Promise<LiveWorld> {
    const account = `DU${number}${process.pid}`;
    const folder = mkdtempSync(path.join(tmpdir(), 'openbell-session-'));
    const gateway = await startGateway({
      bars: [syntheticSessions(1, 3, 1)],
      port: 0,
      controlPort: null,
      speed: SPEED,
      account,
      startTimeMs: START_MS,
      ...options,
    });
    return new LiveWorld(account, folder, gateway);
  }

  get options(): SessionOptions {
    return {
      kind: 'live',
      registry: this.registry,
      reference: 'live',
      address: { host: '127.0.0.1', port: this.gateway.port, clientId: 1 },
      account: this.account,
      policy: DEFAULT_POLICY,
      onExit: 'leave',
      simulated: true,
      tradingDir: path.join(this.folder, 'trading'),
      logLevel: 'info',
      print: (line) => this.said.push(line),
      signal: new AbortController().signal,
    };
  }

  /** Points an alias somewhere, as a promotion does that nobody judged. */
  point(sha256: string, account: string | null = this.account, alias: 'live' | 'paper' = 'live'): void {
    this.registry.point(alias, sha256, { action: 'promote', reason: 'a test', evidence: null, account });
  }

  start(overrides: Partial<SessionOptions> = {}): {
    readonly stop: () => void;
    readonly outcome: Promise<SessionOutcome>;
  } {
    const controller = new AbortController();
    const outcome = tradeAtGateway({ ...this.options, signal: controller.signal, ...overrides });
    // whoever waits for it hears of its failure; nobody has to
    outcome.catch(() => undefined);
    const session = { stop: () => controller.abort(), outcome };
    this.#sessions.push(session);
    return session;
  }

  /** The checks that do not pass, by name. */
  async failures(overrides: Partial<SessionOptions> = {}): Promise<ReadonlyMap<string, Check>> {
    const { checks } = await checkSession({ ...this.options, ...overrides });
    return new Map(checks.filter(({ status }) => status !== 'ok').map((check) => [check.name, check]));
  }

  ask(request: ControlRequest): Promise<unknown> {
    return ask(controlSocketPath(this.account), request);
  }

  /** The broker's own. */
  books(): Books {
    const { positions, orders } = this.gateway.control.truth();
    const working = orders.filter(
      ({ status }) => !['Filled', 'Cancelled', 'Inactive', 'ApiCancelled'].includes(status),
    );
    const stops = working.filter(({ order }) => order.orderType === 'STP');
    return {
      position: positions.reduce((sum, one) => sum + one.position, 0),
      stops: stops.map(({ order, remaining }) => `${order.orderRef} ${remaining} ${order.auxPrice}`).sort(),
      stopped: stops.reduce((sum, { remaining }) => sum + remaining, 0),
      entering: working.some(({ order }) => order.orderRef.endsWith('-E')),
    };
  }

  /** Whether a position is held, its entry is over, and stops stand for all of it. */
  get holds(): boolean {
    const { position, stopped, entering } = this.books();
    return position > 0 && stopped === position && !entering;
  }

  async close(): Promise<void> {
    for (const { stop, outcome } of this.#sessions) {
      stop();
      await outcome.catch(() => undefined);
    }
    await this.gateway.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export { INSTRUMENT };
