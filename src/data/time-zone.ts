/** Local time to UTC by IANA zones, through Intl, with the changes of a zone cached. */
import { fail } from '#src/errors.js';

const DAY_MS = 86_400_000;

interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly offset: number;
}

export class ZoneClock {
  readonly timeZone: string;
  readonly #format: Intl.DateTimeFormat;
  /** Where one offset is known to hold, for UTC instants in [from, to); the last one used is `#current`. */
  readonly #stretches: Stretch[] = [];
  #current: Stretch = { from: 0, to: 0, offset: 0 };
  /** Why the last `toUtc` was NaN. */
  problem: 'ambiguous' | 'nonexistent' = 'nonexistent';

  /** Throws DATA_TIME where the zone is unknown. */
  constructor(timeZone: string, where: string) {
    this.timeZone = timeZone;
    // abbreviations mean different things to different people: EST is Sydney's, too
    if (!timeZone.includes('/') && timeZone !== 'UTC' && timeZone !== 'GMT') {
      fail('DATA_TIME', {
        where,
        value: timeZone,
        message: 'this names no zone without doubt: give an IANA zone such as America/New_York, or UTC',
      });
    }
    try {
      this.#format = new Intl.DateTimeFormat('en-US', {
        timeZone,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
    } catch (cause) {
      fail('DATA_TIME', {
        where,
        value: timeZone,
        message: 'unknown time zone: give an IANA zone such as America/New_York, or UTC',
        cause,
      });
    }
  }

  /** Local time minus UTC at a UTC instant, in milliseconds. */
  offsetAt(timeMs: number): number {
    const { from, to, offset } = this.#current;
    if (timeMs >= from && timeMs < to) return offset;
    const known = this.#stretches.find((stretch) => timeMs >= stretch.from && timeMs < stretch.to);
    this.#current = known ?? this.#explore(timeMs);
    return this.#current.offset;
  }

  /** UTC of a local time (given as if it were UTC); NaN where it does not exist or exists twice: see `problem`. */
  toUtc(localMs: number): number {
    const { from, to, offset } = this.#current;
    // far from a change of the clocks there is one answer
    if (localMs - offset >= from + DAY_MS && localMs - offset < to - DAY_MS) return localMs - offset;
    const before = this.offsetAt(localMs - DAY_MS);
    const after = this.offsetAt(localMs + DAY_MS);
    const early = this.offsetAt(localMs - before) === before ? localMs - before : NaN;
    const late = this.offsetAt(localMs - after) === after ? localMs - after : NaN;
    if (Number.isNaN(early) && Number.isNaN(late)) this.problem = 'nonexistent';
    else if (early === late || Number.isNaN(late)) return early;
    else if (Number.isNaN(early)) return late;
    else this.problem = 'ambiguous';
    return NaN;
  }

  #explore(timeMs: number): Stretch {
    const offset = this.#ask(timeMs);
    const stretch = { from: this.#edge(timeMs, offset, -1), to: this.#edge(timeMs, offset, 1), offset };
    this.#stretches.push(stretch);
    return stretch;
  }

  /** First instant after (1), or of (-1), the stretch around `timeMs` with one offset; at most 60 days away. */
  #edge(timeMs: number, offset: number, direction: 1 | -1): number {
    let same = timeMs;
    for (let days = 1; days <= 60; days++) {
      const probe = timeMs + direction * days * DAY_MS;
      if (this.#ask(probe) === offset) {
        same = probe;
        continue;
      }
      let other = probe;
      while (Math.abs(other - same) > 1) {
        const middle = Math.floor((same + other) / 2);
        if (this.#ask(middle) === offset) same = middle;
        else other = middle;
      }
      return direction === 1 ? other : same;
    }
    return same;
  }

  #ask(timeMs: number): number {
    const parts: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(timeMs)) parts[type] = Number(value);
    const local = Date.UTC(
      parts['year'],
      parts['month'] - 1,
      parts['day'],
      parts['hour'],
      parts['minute'],
      parts['second'],
    );
    return local - Math.floor(timeMs / 1000) * 1000;
  }
}
