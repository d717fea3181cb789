/**
 * The critic's half on a second thread, in the memory of the first. The engine gives a command and goes on with the
 * actor's half; it waits once a minibatch, for the critic's sums and the squares of its gradient. Then it decides,
 * and the critic takes its step while the engine goes on. Both threads run the kernels that one thread would run, on
 * the same numbers in the same order: the bits are the same.
 *
 * Commands are counted: `given`, `begun`, `done`. A gradient is always waited for, so that at most two commands are on
 * their way and two places hold them. Whoever comes first begins the next one: while the thread sleeps, starts, or
 * stands in the queue of a busy machine, the engine carries the command out itself. A waiter looks for a while before
 * it sleeps: within an update the other thread answers in microseconds, and during rollouts the core is left to others.
 *
 * Where the machine has no core to spare, waiting costs more than the thread saves: then the engine works alone for a
 * while, and tries again. Time decides who works, never a bit.
 */
import { fail } from '#src/errors.js';
import type { PolicySpec } from '../contract.js';
import { policyLayout } from '../layout.js';
import { adamStep, criticGradient, type AdamStep, type CriticHyperparameters } from './halves.js';
import { COMMAND_NUMBERS, FAILURE_BYTES, PolicyMemory, type MailboxPlan } from './memory.js';
import { wasmBase64 } from './policy.wasm.js';

/** What the thread needs to begin: it can be cloned into another thread, where the memory stays one. */
export interface CriticThreadSetup {
  readonly spec: PolicySpec;
  readonly memory: WebAssembly.Memory;
  readonly mailbox: MailboxPlan;
  /** The engine's kernels: the thread refuses to work with others. */
  readonly kernels: string;
}

/** A thread that stands ready. Whoever creates the engine brings it, since starting one is I/O. */
export interface CriticThreadHost {
  /** Makes the thread call `serveCritic(setup)`; returns at once. Called once. */
  serve(setup: CriticThreadSetup): void;
  /** Why the thread has ended, or null while it has not. */
  failure(): string | null;
  /** Ends the thread. */
  stop(): void;
  nowMs(): number;
}

const GRADIENT = 0;
const STEP = 1;
/** Stands in `done` where the thread has ended. */
const ENDED = -1;
/** Counts stay positive int32. */
const COUNT = 0x3fff_ffff;

/** Looks before sleeping: some hundred microseconds, many times what a step of Adam or a decision takes. */
const LOOKS = 20_000;
const SLEEP_MS = 1000;
/** A thread that has ended says so. This is for one that cannot: seconds without any answer. */
const PATIENCE_SLEEPS = 120;

/** Minibatches alone: so many at first, twice as many each time it does not pay, up to the last. */
const FIRST_ALONE = 16;
const MOST_ALONE = 1024;
/** Minibatches alone in the beginning: how long they take says later whether the thread pays. */
const CALIBRATION = 4;
/** What the thread has saved counts for no more than so many minibatches: a machine that was free may be busy now. */
const CREDIT = 8;
/** It begins with a few, since at first the thread has to wake. */
const GRACE = 2;
/** After so many together without a loss, `FIRST_ALONE` is enough again. */
const FORGIVEN = 256;

/** The engine's side. */
export class CriticThread {
  readonly #host: CriticThreadHost;
  readonly #memory: PolicyMemory;
  readonly #given: number;
  readonly #done: number;
  readonly #hyper = emptyHyperparameters();
  readonly #step = emptyStep();
  #count = 0;
  /** Minibatches to come without the thread, and how many there were the last time. */
  #alone = CALIBRATION;
  #lastAlone = 0;
  /** What the critic's half takes the engine, a row; and what the thread has saved so far, or cost. */
  #criticRowMs = Number.MAX_VALUE;
  #savedMs = 0;
  #together = 0;
  #isAlone = false;
  #rows = 0;

  constructor(host: CriticThreadHost, memory: PolicyMemory, spec: PolicySpec) {
    this.#host = host;
    this.#memory = memory;
    this.#given = memory.mailbox.given >>> 2;
    this.#done = memory.mailbox.done >>> 2;
    host.serve({ spec, memory: memory.shared, mailbox: memory.mailbox, kernels: wasmBase64 });
  }

  /** Begins the critic's gradient on the first `n` indices of the batch; `finishGradient` waits for it. */
  beginGradient(n: number, hyper: CriticHyperparameters): void {
    const failure = this.#host.failure();
    if (failure !== null) this.#fail(failure);
    this.#isAlone = this.#alone > 0;
    if (this.#isAlone) {
      this.#alone -= 1;
      this.settle();
      const beginMs = this.#host.nowMs();
      criticGradient(this.#memory, n, hyper);
      // the least of late: kernels are compiled as they run, and other work comes between
      this.#criticRowMs = Math.min((this.#host.nowMs() - beginMs) / n, 1.1 * this.#criticRowMs);
      return;
    }
    this.#rows = n;
    const { f64, batch, shared } = this.#memory;
    const at = this.#command();
    f64[at] = GRADIENT;
    f64[at + 1] = n;
    f64[at + 2] = batch.capacity;
    f64[at + 3] = hyper.clipRangeVf ?? -1;
    f64[at + 4] = hyper.valueClipping === 'pessimistic' ? 1 : 0;
    f64[at + 5] = hyper.vfCoef;
    f64[at + 6] = shared.buffer.byteLength;
    this.#give();
  }

  /** Called when the actor's gradient is there. Throws TRAIN_THREAD. */
  finishGradient(): void {
    if (this.#isAlone) return;
    const actorDoneMs = this.#host.nowMs();
    this.settle();
    const criticMs = this.#rows * this.#criticRowMs;
    this.#savedMs += criticMs - (this.#host.nowMs() - actorDoneMs);
    this.#savedMs = Math.min(this.#savedMs, CREDIT * criticMs);
    if (this.#savedMs >= 0) {
      if (++this.#together === FORGIVEN) this.#lastAlone = 0;
      return;
    }
    this.#savedMs = GRACE * criticMs;
    this.#together = 0;
    this.#lastAlone = Math.min(Math.max(2 * this.#lastAlone, FIRST_ALONE), MOST_ALONE);
    this.#alone = this.#lastAlone;
  }

  /** Begins the critic's step after a gradient. */
  beginStep(step: AdamStep): void {
    if (this.#isAlone) {
      adamStep(this.#memory, this.#memory.critic, step);
      return;
    }
    const { gradientScale, stepSize, secondScale, eps } = step;
    const { f64 } = this.#memory;
    const at = this.#command();
    f64[at] = STEP;
    f64[at + 1] = gradientScale;
    f64[at + 2] = stepSize;
    f64[at + 3] = secondScale;
    f64[at + 4] = eps;
    this.#give();
  }

  /** Waits until all that was begun is done. Throws TRAIN_THREAD where the thread has ended or does not answer. */
  settle(): void {
    const { i32 } = this.#memory;
    for (let sleeps = 0; sleeps < PATIENCE_SLEEPS; sleeps++) {
      for (;;) {
        const done = Atomics.load(i32, this.#done);
        if (done === this.#count) return;
        if (done === ENDED) this.#fail(readFailure(this.#memory));
        if (carryOutNext(this.#memory, this.#hyper, this.#step)) continue;
        if (afterChange(i32, this.#done, done) === done) break;
      }
      const failure = this.#host.failure();
      if (failure !== null) this.#fail(failure);
    }
    this.#fail(`it has not answered for ${(PATIENCE_SLEEPS * SLEEP_MS) / 1000} s`);
  }

  stop(): void {
    this.#host.stop();
  }

  #command(): number {
    return commandAt(this.#memory, (this.#count + 1) & COUNT);
  }

  #give(): void {
    const { i32 } = this.#memory;
    this.#count = (this.#count + 1) & COUNT;
    Atomics.store(i32, this.#given, this.#count);
    Atomics.notify(i32, this.#given);
  }

  #fail(reason: string): never {
    fail('TRAIN_THREAD', {
      where: "the critic's thread",
      message: `${reason}. Resume the run from its last checkpoint; training.threads=1 does without this thread, to the same bits`,
    });
  }
}

/**
 * The thread's side: works until the thread is ended from outside. Where it cannot go on it leaves the reason in the
 * mailbox, and throws.
 */
export function serveCritic(setup: CriticThreadSetup): never {
  try {
    if (setup.kernels !== wasmBase64) {
      throw new Error('its kernels are of another build: build anew');
    }
    const memory = new PolicyMemory(setup.spec, policyLayout(setup.spec), setup.memory);
    if (memory.mailbox.failure !== setup.mailbox.failure) {
      throw new Error('its plan of the memory is of another build: build anew');
    }
    return work(memory);
  } catch (error) {
    reportCriticFailure(setup, error instanceof Error ? error.message : String(error));
    throw error;
  }
}

/** Leaves word that the thread has ended, so that the engine fails at once and does not wait. */
export function reportCriticFailure({ memory, mailbox }: CriticThreadSetup, reason: string): void {
  const i32 = new Int32Array(memory.buffer);
  const done = mailbox.done >>> 2;
  if (Atomics.load(i32, done) === ENDED) return;
  const text = new TextEncoder().encode(reason).subarray(0, FAILURE_BYTES);
  new Uint8Array(memory.buffer).set(text, mailbox.failure + 4);
  i32[mailbox.failure >>> 2] = text.length;
  Atomics.store(i32, done, ENDED);
  Atomics.notify(i32, done);
}

function readFailure({ i32, u8, mailbox }: PolicyMemory): string {
  const from = mailbox.failure + 4;
  // a copy: TextDecoder takes no shared memory
  return new TextDecoder().decode(u8.slice(from, from + i32[mailbox.failure >>> 2]));
}

function work(memory: PolicyMemory): never {
  const { i32, mailbox } = memory;
  const given = mailbox.given >>> 2;
  const done = mailbox.done >>> 2;
  const hyper = emptyHyperparameters();
  const step = emptyStep();
  for (;;) {
    if (carryOutNext(memory, hyper, step)) {
      Atomics.add(i32, mailbox.carriedOut >>> 2, 1);
      continue;
    }
    const seen = Atomics.load(i32, done);
    // either there is nothing to do, or the engine is doing it
    if (Atomics.load(i32, given) === seen) afterChange(i32, given, seen);
    else afterChange(i32, done, seen);
  }
}

/** The next command, unless there is none or the other thread has begun it. True where it was carried out. */
function carryOutNext(memory: PolicyMemory, hyper: CriticHyperparameters, step: AdamStep): boolean {
  const { i32, f64, mailbox, critic } = memory;
  const done = Atomics.load(i32, mailbox.done >>> 2);
  if (done === ENDED || done === Atomics.load(i32, mailbox.given >>> 2)) return false;
  const next = (done + 1) & COUNT;
  if (Atomics.compareExchange(i32, mailbox.begun >>> 2, done, next) !== done) return false;
  const at = commandAt(memory, next);
  if (f64[at] === GRADIENT) {
    // the engine may have let the memory grow: the thread learns of it a little later
    while (memory.shared.buffer.byteLength < f64[at + 6]);
    memory.reserveBatch(f64[at + 2]);
    hyper.clipRangeVf = f64[at + 3] < 0 ? null : f64[at + 3];
    hyper.valueClipping = f64[at + 4] === 0 ? 'clamped' : 'pessimistic';
    hyper.vfCoef = f64[at + 5];
    criticGradient(memory, f64[at + 1], hyper);
  } else {
    step.gradientScale = f64[at + 1];
    step.stepSize = f64[at + 2];
    step.secondScale = f64[at + 3];
    step.eps = f64[at + 4];
    adamStep(memory, critic, step);
  }
  // not a plain store: the thread may have ended meanwhile, and said so here
  Atomics.compareExchange(i32, mailbox.done >>> 2, done, next);
  Atomics.notify(i32, mailbox.done >>> 2);
  return true;
}

function emptyHyperparameters(): CriticHyperparameters {
  return { clipRangeVf: null, valueClipping: 'clamped', vfCoef: 0 };
}

function emptyStep(): AdamStep {
  return { gradientScale: 1, stepSize: 0, secondScale: 0, eps: 0 };
}

function commandAt(memory: PolicyMemory, count: number): number {
  return (memory.mailbox.commands >>> 3) + (count & 1) * COMMAND_NUMBERS;
}

/** Waits, for a second at most, until `i32[at]` is no longer `seen`; returns what it is then. */
function afterChange(i32: Int32Array, at: number, seen: number): number {
  for (let look = 0; look < LOOKS; look++) {
    const now = Atomics.load(i32, at);
    if (now !== seen) return now;
  }
  Atomics.wait(i32, at, seen, SLEEP_MS);
  return Atomics.load(i32, at);
}
