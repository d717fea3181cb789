/** What can be done with a running gateway beside its wire protocol: as a library, and over HTTP (control-http.ts). */
import type { Exchange, Truth } from '../exchange-port.js';
import { parseFault } from '../faults/schema.js';
import type { FaultRecord, GatewayServer } from './gateway-server.js';
import type { Lockstep } from './lockstep.js';
import type { Pacer, Speed } from './pacer.js';

export interface GatewayStatus {
  /** Market time, epoch milliseconds, and as ISO 8601. */
  readonly marketTimeMs: number;
  readonly marketTime: string;
  readonly nextEventMs: number | null;
  readonly over: boolean;
  readonly speed: Speed;
  readonly paused: boolean;
  readonly connections: number;
  readonly clients: GatewayServer['clients'];
  readonly lockstep: {
    readonly runners: readonly string[];
    readonly number: number;
    readonly boundaryMs: number | null;
    readonly missing: readonly string[];
  };
}

export class GatewayControl {
  readonly lockstep: Lockstep;
  readonly #exchange: Exchange;
  readonly #server: GatewayServer;
  readonly #pacer: Pacer;

  constructor(exchange: Exchange, server: GatewayServer, pacer: Pacer, lockstep: Lockstep) {
    this.#exchange = exchange;
    this.#server = server;
    this.#pacer = pacer;
    this.lockstep = lockstep;
  }

  status(): GatewayStatus {
    const { nowMs, nextEventMs } = this.#exchange;
    const { number, boundary, missing } = this.lockstep.current;
    return {
      marketTimeMs: nowMs,
      marketTime: new Date(nowMs).toISOString(),
      nextEventMs,
      over: nextEventMs === null,
      speed: this.#pacer.speed,
      paused: this.#pacer.paused,
      connections: this.#server.openConnections,
      clients: this.#server.clients,
      lockstep: { runners: this.lockstep.runners, number, boundaryMs: boundary?.timeMs ?? null, missing },
    };
  }

  /** The broker's own books: what really happened, whatever a fault told the clients. */
  truth(): Truth {
    this.#pacer.syncClock();
    return this.#exchange.truth();
  }

  /** A fault as a fault file writes it, without its trigger: it happens now. Throws GATEWAY_FAULT. */
  inject(fault: unknown): void {
    this.#server.inject(parseFault(fault, 'fault'));
    this.#pacer.wake();
  }

  faults(): {
    readonly armed: readonly { readonly kind: string; readonly left: number }[];
    readonly done: readonly FaultRecord[];
  } {
    const { armed, done } = this.#server.faults;
    return { armed: armed.map(({ fault, left }) => ({ kind: fault.kind, left })), done };
  }

  pause(): void {
    this.#pacer.pause();
  }

  resume(): void {
    this.#pacer.resume();
  }

  /** Runs to the `boundaries`th bar boundary from here and pauses there. */
  step(boundaries: number): void {
    this.#pacer.stepBoundaries(boundaries);
  }

  setSpeed(speed: Speed): void {
    this.#pacer.setSpeed(speed);
  }
}
