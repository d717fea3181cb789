/** Timestamps as CSV files write them, read from their bytes. */
export type EpochUnit = 'epoch_s' | 'epoch_ms' | 'epoch_us' | 'epoch_ns';
export type TimeStyle = 'auto' | 'iso' | EpochUnit;

/** date: no time of day. local: a time of day without a zone. instant: with offset, Z or an epoch. zone: with a zone's name. */
export type StampKind = 'date' | 'local' | 'instant' | 'zone';

export interface StampOptions {
  readonly time: TimeStyle;
  /** How 03/04/2011 is to be read; null: not at all. */
  readonly dateOrder: 'mdy' | 'dmy' | null;
}

const DAY_MS = 86_400_000;
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const EPOCH_MS: Readonly<Record<EpochUnit, number>> = { epoch_s: 1000, epoch_ms: 1, epoch_us: 1e-3, epoch_ns: 1e-6 };

const UNIT_NAMES: Readonly<Record<EpochUnit, string>> = {
  epoch_s: 'seconds',
  epoch_ms: 'milliseconds',
  epoch_us: 'microseconds',
  epoch_ns: 'nanoseconds',
};

/**
 * Reads one stamp at a time; the answer lies in `kind`, `timeMs` and so on until the next one.
 * Understood: 2024-01-02, 2024/01/02, 2024.01.02, 20240102, each alone or followed (after T, spaces or, as Interactive Brokers
 * writes UTC, "-") by 09:30, 09:30:00, 09:30:00.000 or 093000, and then by nothing, Z, +hh:mm, or a zone's name;
 * epochs in seconds, milli-, micro- and nanoseconds (told apart by their number of digits, unless said); and
 * 01/02/2024 where the order is said.
 */
export class StampReader {
  kind: StampKind = 'date';
  /** UTC for kind instant; else the local time as if it were UTC. */
  timeMs = 0;
  /** Local minus UTC for kind instant, where the stamp says so; epochs and Z: 0. */
  offsetMs = 0;
  zone = '';
  /** The epoch unit that was read, or null. */
  unit: EpochUnit | null = null;
  readonly #options: StampOptions;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  constructor(options: StampOptions) {
    this.#options = options;
  }

  /** Null where the stamp was read, else what is wrong with it. */
  read(bytes: Uint8Array, start: number, end: number): string | null {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.unit = null;
    if (start === end) return 'the time is empty: fill it in or delete the row';
    const { time } = this.#options;
    if (time !== 'auto' && time !== 'iso') return this.#readEpoch(time);
    const digits = this.#countDigits(start);
    const decimals = bytes[start + digits] === 0x2e && digits > 8;
    if ((start + digits === end || decimals) && digits !== 8 && digits !== 14) {
      const unit = time === 'iso' ? null : unitOf(digits);
      return unit === null ? NOT_A_TIME : this.#readEpoch(unit);
    }
    return this.#readDate(digits) ?? this.#readTimeOfDay();
  }

  #readEpoch(unit: EpochUnit): string | null {
    const text = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, this.#end - this.#at).toString(
      'latin1',
    );
    if (!/^-?\d{1,19}(\.\d{1,9})?$/.test(text))
      return `not a number of ${UNIT_NAMES[unit]} since 1970: check the column and the time style`;
    const scale = EPOCH_MS[unit];
    // nanoseconds exceed what a double counts: cut the decimals off first, and insist that they are zeros
    const cut = unit === 'epoch_ns' ? 6 : unit === 'epoch_us' ? 3 : 0;
    if (cut > 0 && !(text.length > cut && /^0+$/.test(text.slice(-cut))))
      return 'a bar cannot open between two milliseconds: round the stamps at their source';
    const timeMs = cut > 0 ? Number(text.slice(0, -cut)) : Number(text) * scale;
    if (!Number.isInteger(timeMs))
      return 'a bar cannot open between two milliseconds: round the stamps at their source';
    if (!(timeMs >= FIRST_MS && timeMs < END_MS))
      return `no plausible time in ${UNIT_NAMES[unit]} since 1970: check the column and the time style`;
    this.kind = 'instant';
    this.timeMs = timeMs;
    this.offsetMs = 0;
    this.unit = unit;
    return null;
  }

  #readDate(digits: number): string | null {
    const bytes = this.#bytes;
    let year: number;
    let month: number;
    let day: number;
    if (digits === 8 || digits === 14) {
      year = this.#digits(4);
      month = this.#digits(2);
      day = this.#digits(2);
    } else if (digits === 4) {
      const separator = bytes[this.#at + 4];
      year = this.#digits(4);
      if (separator !== 0x2d && separator !== 0x2f && separator !== 0x2e) return NOT_A_TIME;
      this.#at++;
      month = this.#digits(2);
      if (bytes[this.#at++] !== separator) return NOT_A_TIME;
      day = this.#digits(2);
    } else if (digits === 1 || digits === 2) {
      const separator = bytes[this.#at + digits];
      if (separator !== 0x2f && separator !== 0x2d && separator !== 0x2e) return NOT_A_TIME;
      const width = this.#countDigits(this.#at + digits + 1);
      const yearAt = this.#at + digits + 1 + width + 1;
      if (width < 1 || width > 2 || bytes[yearAt - 1] !== separator) return NOT_A_TIME;
      if (this.#countDigits(yearAt) !== 4) return 'the year has not four digits: write 2024-01-02';
      if (this.#options.dateOrder === null)
        return 'day and month cannot be told apart: say the order (--date-order mdy or dmy), or write 2024-01-02';
      const first = this.#digits(digits);
      this.#at++;
      const second = this.#digits(width);
      this.#at++;
      year = this.#digits(4);
      month = this.#options.dateOrder === 'mdy' ? first : second;
      day = this.#options.dateOrder === 'mdy' ? second : first;
    } else return NOT_A_TIME;
    if (Number.isNaN(year + month + day)) return NOT_A_TIME;
    const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
    if (month < 1 || month > 12 || day < 1 || day > (month === 2 && !leap ? 28 : MONTH_DAYS[month - 1]))
      return 'there is no such date: correct it';
    this.timeMs = Date.UTC(year, month - 1, day);
    if (!(year >= 1000 && this.timeMs >= FIRST_MS && this.timeMs < END_MS))
      return 'the year is not plausible: check the column and the time style';
    return null;
  }

  #readTimeOfDay(): string | null {
    const bytes = this.#bytes;
    this.offsetMs = 0;
    this.kind = 'date';
    if (this.#at === this.#end) return null;
    const separator = bytes[this.#at];
    const compact = separator >= 0x30 && separator <= 0x39;
    if (!compact) {
      if (separator !== 0x54 && separator !== 0x74 && separator !== 0x20 && separator !== 0x2d) return NOT_A_TIME;
      this.#at++;
      while (bytes[this.#at] === 0x20 && this.#at < this.#end) this.#at++;
    }
    const hour = this.#digits(this.#countDigits(this.#at) === 1 ? 1 : 2);
    const colon = bytes[this.#at] === 0x3a ? 1 : 0;
    this.#at += colon;
    const minute = this.#digits(2);
    let second = 0;
    let fraction = 0;
    if (colon === 1 ? bytes[this.#at] === 0x3a : this.#countDigits(this.#at) >= 2) {
      this.#at += colon;
      second = this.#digits(2);
      if (bytes[this.#at] === 0x2e && this.#at < this.#end) {
        const width = this.#countDigits(++this.#at);
        if (width === 0) return NOT_A_TIME;
        fraction = this.#digits(Math.min(width, 3)) * (width === 1 ? 100 : width === 2 ? 10 : 1);
        for (let rest = 3; rest < width; rest++) {
          if (bytes[this.#at++] !== 0x30)
            return 'a bar cannot open between two milliseconds: round the stamps at their source';
        }
      }
    }
    if (Number.isNaN(hour + minute + second)) return NOT_A_TIME;
    if (hour > 23 || minute > 59 || second > 59) return 'there is no such time of day: correct it';
    this.timeMs += ((hour * 60 + minute) * 60 + second) * 1000 + fraction;
    this.kind = separator === 0x2d ? 'instant' : 'local';
    return this.#readZone();
  }

  #readZone(): string | null {
    const bytes = this.#bytes;
    if (this.#at === this.#end) return null;
    while (bytes[this.#at] === 0x20) this.#at++;
    const byte = bytes[this.#at];
    if ((byte === 0x5a || byte === 0x7a) && this.#at + 1 === this.#end) {
      this.kind = 'instant';
      return null;
    }
    if (byte === 0x2b || byte === 0x2d) {
      this.#at++;
      const hours = this.#digits(2);
      if (bytes[this.#at] === 0x3a) this.#at++;
      const minutes = this.#at === this.#end ? 0 : this.#digits(2);
      if (this.#at !== this.#end || !(hours <= 15 && minutes <= 59)) return NOT_A_TIME;
      this.kind = 'instant';
      this.offsetMs = (byte === 0x2d ? -1 : 1) * (hours * 60 + minutes) * 60_000;
      this.timeMs -= this.offsetMs;
      return null;
    }
    const zone = Buffer.from(bytes.buffer, bytes.byteOffset + this.#at, this.#end - this.#at).toString('latin1');
    if (/^[ap]\.?m\b/i.test(zone)) return 'this is a time of twelve hours (AM, PM): export times of 24 hours';
    if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(zone)) return NOT_A_TIME;
    this.kind = 'zone';
    this.zone = zone;
    return null;
  }

  #countDigits(from: number): number {
    let at = from;
    while (at < this.#end && this.#bytes[at] >= 0x30 && this.#bytes[at] <= 0x39) at++;
    return at - from;
  }

  /** NaN where fewer digits stand there. */
  #digits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const byte = this.#at < this.#end ? this.#bytes[this.#at] : 0;
      if (byte < 0x30 || byte > 0x39) return NaN;
      value = value * 10 + (byte - 0x30);
      this.#at++;
    }
    return value;
  }
}

/** Times outside are some other number, or another unit. */
const FIRST_MS = Date.UTC(1800, 0, 1);
const END_MS = Date.UTC(2201, 0, 1);

const NOT_A_TIME = 'this is no time that can be read: write ISO 8601 (2024-01-02T09:30:00-05:00) or an epoch';

function unitOf(digits: number): EpochUnit | null {
  if (digits === 9 || digits === 10) return 'epoch_s';
  if (digits === 12 || digits === 13) return 'epoch_ms';
  if (digits === 15 || digits === 16) return 'epoch_us';
  return digits === 18 || digits === 19 ? 'epoch_ns' : null;
}

/** The local date of an instant as milliseconds at 00:00 UTC. */
export function dateMs(localMs: number): number {
  return Math.floor(localMs / DAY_MS) * DAY_MS;
}
