/** What is wrong with a file: thrown at once when it is loaded, collected when it is checked. */
import { fail, type ErrorCode } from '#src/errors.js';

export interface Violation {
  readonly code: ErrorCode;
  /** Line of the file, from 1; null where the whole file is meant. */
  readonly line: number | null;
  /** The value as it stands in the file. */
  readonly value: unknown;
  /** What is wrong and what to do. */
  readonly message: string;
}

export interface ViolationSink {
  add(violation: Violation): void;
}

/** Throws the first violation as an OpenBellError that names file, line and value. */
export class StrictSink implements ViolationSink {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  add({ code, line, value, message }: Violation): never {
    fail(code, { where: line === null ? this.#file : `${this.#file}:${line}`, value, message });
  }
}

/** Keeps the first `limit` violations and counts all of them. */
export class CollectingSink implements ViolationSink {
  readonly violations: Violation[] = [];
  count = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(violation: Violation): void {
    this.count++;
    if (this.violations.length < this.#limit) this.violations.push(violation);
  }
}
