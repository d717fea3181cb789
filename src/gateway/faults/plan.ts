/** When faults happen: at moments of market time (scripted or drawn from a seeded stream), or at a message. */
import { log } from '#env/math/index.js';
import { RandomStream } from '#env/seeding.js';
import type { Fault, FaultPlanSpec, ScriptedFault } from './schema.js';

const HOUR_MS = 3_600_000;

export type Passing = { readonly request: string } | { readonly message: string };

export class FaultPlan {
  readonly #timed: { readonly timeMs: number; readonly fault: Fault }[] = [];
  readonly #counted: { readonly scripted: ScriptedFault; seen: number }[] = [];
  readonly #random: {
    readonly stream: RandomStream;
    readonly perHour: number;
    readonly kinds: readonly Fault['kind'][];
    nextMs: number;
  } | null;

  constructor(spec: FaultPlanSpec, startMs: number) {
    for (const scripted of spec.scripted) {
      const { trigger, fault } = scripted;
      if ('at' in trigger)
        this.#timed.push({ timeMs: trigger.at.from === 'start' ? startMs + trigger.at.ms : trigger.at.ms, fault });
      else this.#counted.push({ scripted, seen: 0 });
    }
    this.#timed.sort((a, b) => a.timeMs - b.timeMs);
    if (spec.random === null) {
      this.#random = null;
    } else {
      const stream = new RandomStream(spec.random.seed, 'gateway-faults');
      const { perHour, kinds } = spec.random;
      this.#random = { stream, perHour, kinds, nextMs: startMs + gapMs(stream, perHour) };
    }
  }

  /** Whether messages have to be shown to `passing`. */
  get watches(): boolean {
    return this.#counted.length > 0;
  }

  /** The faults that are due at this market time, in order. */
  due(nowMs: number): readonly Fault[] {
    const due: Fault[] = [];
    while (this.#timed.length > 0 && this.#timed[0].timeMs <= nowMs) {
      const next = this.#timed.shift();
      if (next !== undefined) due.push(next.fault);
    }
    if (this.#random === null) return due;
    const { stream, kinds, perHour } = this.#random;
    for (; this.#random.nextMs <= nowMs; this.#random.nextMs += gapMs(stream, perHour))
      due.push(randomFault(kinds[stream.integer(kinds.length)], stream));
    return due;
  }

  /** The faults that this request or message sets off, in one phase of its handling. */
  passing(what: Passing, clientId: number, phase: 'before' | 'after'): readonly Fault[] {
    const due: Fault[] = [];
    for (let index = this.#counted.length - 1; index >= 0; index--) {
      const entry = this.#counted[index];
      const { trigger, fault } = entry.scripted;
      if (!('on' in trigger)) continue;
      const { on } = trigger;
      const same = 'request' in what ? on.request === what.request : on.message === what.message;
      if (!same || on.phase !== phase || (on.client_id !== undefined && on.client_id !== clientId)) continue;
      entry.seen++;
      if (entry.seen < on.nth) continue;
      this.#counted.splice(index, 1);
      due.unshift(fault);
    }
    return due;
  }
}

/** Time to the next event of a Poisson process. */
function gapMs(stream: RandomStream, perHour: number): number {
  return (-log(1 - stream.uniform()) / perHour) * HOUR_MS;
}

/** A fault of a kind with sizes drawn from the stream. */
function randomFault(kind: Fault['kind'], stream: RandomStream): Fault {
  const seconds = (least: number, most: number) => Math.round((least + (most - least) * stream.uniform()) * 1000);
  switch (kind) {
    case 'disconnect':
      return { kind, how: (['clean', 'reset', 'half_open'] as const)[stream.integer(3)], release: seconds(1, 5) };
    case 'stall':
      return { kind, duration: seconds(0.1, 3) };
    case 'silence':
      return { kind, duration: seconds(0.1, 3) };
    case 'latency':
      return { kind, delay: seconds(0.02, 0.3), jitter: seconds(0, 0.2), duration: seconds(1, 10) };
    case 'reorder':
      return { kind, window: 2 + stream.integer(3), count: 1 + stream.integer(3) };
    case 'connectivity_lost':
      return { kind, duration: seconds(5, 120), data: stream.uniform() < 0.5 ? 'lost' : 'kept' };
    case 'farm_broken':
      return { kind, farm: 'market_data', duration: seconds(5, 120), data_returns: stream.uniform() < 0.7 };
    case 'late_commission':
      return { kind, match: {}, count: 1, delay: seconds(0.05, 1) };
    case 'lose_status':
    case 'duplicate_status':
    case 'lose_execution':
    case 'duplicate_execution':
    case 'execution_before_status':
      return { kind, match: {}, count: 1 };
    case 'reject_order':
      return { kind, match: {}, code: 201, message: 'Order rejected - reason:Injected fault', with_status: true };
    case 'reject_modify':
      return { kind, match: {}, code: 201, message: 'Order rejected - reason:Injected fault (modification)' };
    case 'partial_then_cancel':
      return { kind, match: {}, fraction: 0.25 + 0.5 * stream.uniform() };
    case 'fill_after_cancel':
      return { kind, match: {}, delay: seconds(0.1, 5) };
    case 'correct_execution':
      return { kind, match: {}, delay: seconds(0.5, 30), price_offset: 0.01, shares_factor: 1 };
    default:
      throw new RangeError(`no random fault of kind ${kind}`);
  }
}
