/**
 * Reads delimited text (RFC 4180) row by row without making strings: cells are byte ranges. A general parser would
 * make six strings and an array for each of a million rows, and forgets on which physical line a row began; here a
 * cell becomes a number straight from its bytes, and every complaint can name its line.
 */
import { fail } from '#src/errors.js';

const QUOTE = 0x22;
const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;

export class RowScanner {
  readonly bytes: Uint8Array;
  /** Line on which the current row began, from 1. */
  line = 0;
  /** Number of cells of the current row. A blank line has one empty cell. */
  cells = 0;
  /** Byte ranges of the cells, quotes and surrounding spaces left out. */
  starts = new Int32Array(64);
  ends = new Int32Array(64);
  readonly #file: string;
  readonly #delimiter: number;
  #escaped = new Uint8Array(64);
  #position = 0;
  #nextLine = 1;

  constructor(file: string, bytes: Uint8Array, delimiter: string) {
    this.#file = file;
    this.bytes = bytes;
    this.#delimiter = delimiter.charCodeAt(0);
  }

  /** Moves to the next row; false at the end. Throws DATA_FORMAT on broken quotes. */
  next(): boolean {
    const { bytes } = this;
    if (this.#position >= bytes.length) return false;
    this.line = this.#nextLine;
    this.cells = 0;
    for (;;) {
      if (this.cells === this.starts.length) this.#grow();
      const ended = bytes[this.#position] === QUOTE ? this.#quotedCell() : this.#plainCell();
      this.cells++;
      if (ended) return true;
    }
  }

  isBlank(): boolean {
    return this.cells === 1 && this.starts[0] === this.ends[0];
  }

  text(cell: number): string {
    const raw = Buffer.from(
      this.bytes.buffer,
      this.bytes.byteOffset + this.starts[cell],
      this.ends[cell] - this.starts[cell],
    ).toString('utf8');
    return this.#escaped[cell] === 1 ? raw.replaceAll('""', '"') : raw;
  }

  /** Reads a cell without quotes; true where the row ends with it. */
  #plainCell(): boolean {
    const { bytes } = this;
    const delimiter = this.#delimiter;
    let at = this.#position;
    let start = at;
    while (at < bytes.length) {
      const byte = bytes[at];
      if (byte === delimiter || byte === LF || byte === CR) break;
      at++;
    }
    let end = at;
    while (start < end && bytes[start] === SPACE) start++;
    while (end > start && bytes[end - 1] === SPACE) end--;
    this.#set(start, end, 0);
    return this.#afterCell(at);
  }

  #quotedCell(): boolean {
    const { bytes } = this;
    const start = this.#position + 1;
    let at = start;
    let escaped = 0;
    for (;;) {
      if (at >= bytes.length) {
        fail('DATA_FORMAT', {
          where: `${this.#file}:${this.line}`,
          message: 'a quote is opened here and never closed: mend the line',
        });
      }
      if (bytes[at] === QUOTE) {
        if (bytes[at + 1] !== QUOTE) break;
        escaped = 1;
        at++;
      } else if (bytes[at] === LF || (bytes[at] === CR && bytes[at + 1] !== LF)) this.#nextLine++;
      at++;
    }
    this.#set(start, at, escaped);
    at++;
    const byte = bytes[at];
    if (at < bytes.length && byte !== this.#delimiter && byte !== LF && byte !== CR) {
      const value = this.text(this.cells);
      fail('DATA_FORMAT', {
        where: `${this.#file}:${this.line}`,
        value,
        message: 'text follows a closing quote: write a quote inside a quoted cell twice',
      });
    }
    return this.#afterCell(at);
  }

  #afterCell(at: number): boolean {
    const { bytes } = this;
    if (at < bytes.length && bytes[at] === this.#delimiter) {
      this.#position = at + 1;
      // a delimiter as the file's last byte is followed by an empty cell
      if (this.#position < bytes.length) return false;
      this.cells++;
      if (this.cells === this.starts.length) this.#grow();
      this.#set(this.#position, this.#position, 0);
      return true;
    }
    this.#position = bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : at + 1;
    this.#nextLine++;
    return true;
  }

  #set(start: number, end: number, escaped: number): void {
    this.starts[this.cells] = start;
    this.ends[this.cells] = end;
    this.#escaped[this.cells] = escaped;
  }

  #grow(): void {
    const starts = new Int32Array(this.starts.length * 2);
    const ends = new Int32Array(starts.length);
    const escaped = new Uint8Array(starts.length);
    starts.set(this.starts);
    ends.set(this.ends);
    escaped.set(this.#escaped);
    this.starts = starts;
    this.ends = ends;
    this.#escaped = escaped;
  }
}

/** Powers of ten that a double holds exactly. */
const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

export interface NumberStyle {
  /** '.' or ','. */
  readonly decimal: string;
  /** Grouping of thousands, or '' where there is none. */
  readonly thousands: string;
}

/**
 * The decimal number in bytes [start, end), correctly rounded; NaN where it is not one. Up to 15 digits with a power
 * of ten up to 22 one division is exact (Clinger 1990); the rest goes through Number.
 */
export function parseDecimal(bytes: Uint8Array, start: number, end: number, style: NumberStyle): number {
  const decimal = style.decimal.charCodeAt(0);
  let at = start;
  const negative = bytes[at] === 0x2d;
  if (negative || bytes[at] === 0x2b) at++;
  let mantissa = 0;
  let digits = 0;
  let fraction = -1;
  for (; at < end; at++) {
    const byte = bytes[at];
    if (byte >= 0x30 && byte <= 0x39) {
      mantissa = mantissa * 10 + (byte - 0x30);
      digits++;
      if (fraction >= 0) fraction++;
    } else if (byte === decimal && fraction < 0) fraction = 0;
    else return parseSlowly(bytes, start, end, style);
  }
  if (digits === 0) return NaN;
  if (digits > 15) return parseSlowly(bytes, start, end, style);
  const magnitude = fraction > 0 ? mantissa / POWERS_OF_TEN[fraction] : mantissa;
  return negative ? -magnitude : magnitude;
}

const PLAIN = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/;

function parseSlowly(bytes: Uint8Array, start: number, end: number, { decimal, thousands }: NumberStyle): number {
  let text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
  if (thousands !== '' && text.includes(thousands)) {
    const [whole, ...rest] = text.split(decimal);
    // groups of three only: 1,23 is not a number with thousands
    const groups = whole.replace(/^[+-]/, '').split(thousands);
    if (!/^\d{1,3}$/.test(groups[0]) || groups.slice(1).some((group) => !/^\d{3}$/.test(group))) return NaN;
    text = [whole.replaceAll(thousands, ''), ...rest].join(decimal);
  }
  if (decimal !== '.') {
    if (text.includes('.')) return NaN;
    text = text.replace(decimal, '.');
  }
  return PLAIN.test(text) ? Number(text) : NaN;
}
