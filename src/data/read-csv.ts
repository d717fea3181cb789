/**
 * CSV to columns. Every cell that is not plainly right becomes a violation with its line, its value and a remedy;
 * nothing is filled in, sorted, dropped or rounded on the way.
 */
import { ohlcvProblem, type Interval } from '#env/market/bars.js';
import { fail } from '#src/errors.js';
import {
  isHeaderless,
  positionColumns,
  resolveColumns,
  symbolColumn,
  type ColumnIndices,
  type ColumnMapping,
} from './csv-columns.js';
import { parseDecimal, RowScanner, type NumberStyle } from './csv-rows.js';
import { resolveTimes, type StampColumn } from './resolve-times.js';
import { StampReader, type TimeStyle } from './timestamps.js';
import type { ViolationSink } from './violations.js';

/** How a file is to be read; what is left out is detected or has the default named. Keys as in a manifest. */
export interface CsvFormat {
  columns?: ColumnMapping | undefined;
  /** Default: of comma, semicolon, tab and bar the one that stands most often in the first line. */
  delimiter?: ',' | ';' | '\t' | '|' | undefined;
  /** Default '.'. */
  decimal?: '.' | ',' | undefined;
  /** Default: none, so that 1,234 is refused rather than guessed. */
  thousands?: string | undefined;
  time?: TimeStyle | undefined;
  date_order?: 'mdy' | 'dmy' | undefined;
  /** Zone of stamps that name none; for daily bars also the zone whose date counts. */
  time_zone?: string | undefined;
  /** Whether a stamp is the bar's open (default) or its close. */
  stamp?: 'open' | 'close' | undefined;
  /** false: leave an adjusted-close column alone. Default true. */
  adjust?: boolean | undefined;
}

export interface CsvBars {
  readonly length: number;
  /** (T) opens, epoch milliseconds UTC; daily bars: their date at 00:00 UTC. */
  readonly openTimeMs: Float64Array;
  /** (T) as in the file, not adjusted. */
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
  /** (T) adjusted price / price of the file, or null where the file has neither adjusted closes nor factors. */
  readonly factor: Float64Array | null;
  /** (T) lines of the file, from 1. */
  readonly lines: Int32Array;
  readonly interval: Interval;
  readonly delimiter: string;
}

const DELIMITERS = [',', ';', '\t', '|'] as const;

/**
 * Reads UTF-8 CSV. `file` is the name for messages. Violations of single rows go to `sink` (such rows are left out
 * where the sink does not throw); what concerns the whole file throws DATA_FORMAT, DATA_COLUMN, DATA_EMPTY, DATA_TIME.
 */
export function readCsvBars(
  file: string,
  bytes: Uint8Array,
  format: CsvFormat,
  interval: string | null,
  sink: ViolationSink,
): CsvBars {
  const mapping = format.columns ?? {};
  const delimiter = format.delimiter ?? detectDelimiter(file, bytes);
  const rows = new RowScanner(file, bytes, delimiter);
  if (!rows.next() || (rows.isBlank() && onlyBlank(rows)))
    fail('DATA_EMPTY', { where: file, message: 'the file holds nothing but blank lines: export it again' });
  const headerless = isHeaderless(mapping);
  const header = Array.from({ length: rows.cells }, (_, i) => rows.text(i));
  const columns = headerless
    ? positionColumns(file, rows.cells, mapping)
    : resolveColumns(file, header, mapping, delimiter);
  const style: NumberStyle = { decimal: format.decimal ?? '.', thousands: format.thousands ?? '' };
  if (style.decimal === style.thousands || style.decimal === delimiter) {
    fail('DATA_FORMAT', {
      where: file,
      value: style.decimal,
      message: 'the decimal mark must differ from the thousands mark and from the delimiter',
    });
  }
  const table = new Table(
    Math.max(16, Math.floor(bytes.length / 30)),
    format.adjust !== false && columns.adj_close >= 0,
    columns.factor >= 0,
  );
  const reader = new RowReader(rows, header, delimiter, columns, style, format, table, sink);
  if (headerless) reader.readRow();
  reader.readAll();
  if (table.length === 0 && !reader.sawRows) {
    fail('DATA_EMPTY', { where: file, message: 'the file has a header and no rows: export it again' });
  }
  const times = resolveTimes(file, table.stamps(), format, interval, sink);
  return table.bars(times.openTimeMs, times.keep, times.interval, delimiter);
}

function onlyBlank(rows: RowScanner): boolean {
  while (rows.next()) if (!rows.isBlank()) return false;
  return true;
}

/** The delimiter that stands most often in the first line, quoted text left out. */
function detectDelimiter(file: string, bytes: Uint8Array): string {
  if (bytes[0] === 0x3c) {
    fail('DATA_FORMAT', {
      where: `${file}:1`,
      value: '<',
      message: 'this looks like a web page, not a CSV file: download the data itself',
    });
  }
  const counts = DELIMITERS.map(() => 0);
  let quoted = false;
  for (const byte of bytes) {
    if (byte === 0x22) quoted = !quoted;
    else if (!quoted && (byte === 0x0a || byte === 0x0d)) break;
    else if (!quoted) DELIMITERS.forEach((delimiter, i) => (counts[i] += byte === delimiter.charCodeAt(0) ? 1 : 0));
  }
  return DELIMITERS[counts.indexOf(Math.max(...counts))];
}

/** Growing columns. */
class Table {
  length = 0;
  #capacity: number;
  readonly #numbers: Float64Array[];
  #lines: Int32Array;
  #offsets: Float64Array;
  readonly #kinds: StampColumn = {
    timeMs: new Float64Array(0),
    offsetMs: new Float64Array(0),
    lines: new Int32Array(0),
    kind: 'date',
    zone: null,
  };
  readonly #adjusted: boolean;
  readonly #factored: boolean;

  constructor(capacity: number, adjusted: boolean, factored: boolean) {
    this.#capacity = capacity;
    this.#adjusted = adjusted;
    this.#factored = factored;
    // time, open, high, low, close, volume, factor
    this.#numbers = Array.from({ length: 7 }, () => new Float64Array(capacity));
    this.#lines = new Int32Array(capacity);
    this.#offsets = new Float64Array(capacity);
  }

  setKind(kind: StampColumn['kind'], zone: string | null): void {
    this.#kinds.kind = kind;
    this.#kinds.zone = zone;
  }

  add(line: number, timeMs: number, offsetMs: number, ohlcv: Float64Array, factor: number): void {
    if (this.length === this.#capacity) this.#grow();
    const at = this.length++;
    this.#lines[at] = line;
    this.#offsets[at] = offsetMs;
    this.#numbers[0][at] = timeMs;
    for (let c = 0; c < 5; c++) this.#numbers[c + 1][at] = ohlcv[c];
    this.#numbers[6][at] = factor;
  }

  stamps(): StampColumn {
    const { length } = this;
    return {
      ...this.#kinds,
      timeMs: this.#numbers[0].subarray(0, length),
      offsetMs: this.#offsets.subarray(0, length),
      lines: this.#lines.subarray(0, length),
    };
  }

  /** Keeps the rows of `keep` (null: all). */
  bars(openTimeMs: Float64Array, keep: Int32Array | null, interval: Interval, delimiter: string): CsvBars {
    const pick = (column: Float64Array): Float64Array =>
      keep === null ? column.slice(0, this.length) : Float64Array.from(keep, (row) => column[row]);
    const [, open, high, low, close, volume, factor] = this.#numbers.map(pick);
    const lines = keep === null ? this.#lines.slice(0, this.length) : Int32Array.from(keep, (row) => this.#lines[row]);
    return {
      length: lines.length,
      openTimeMs,
      open,
      high,
      low,
      close,
      volume,
      factor: this.#adjusted || this.#factored ? factor : null,
      lines,
      interval,
      delimiter,
    };
  }

  #grow(): void {
    this.#capacity *= 2;
    for (let c = 0; c < this.#numbers.length; c++)
      this.#numbers[c] = grown(this.#numbers[c], new Float64Array(this.#capacity));
    this.#lines = grown(this.#lines, new Int32Array(this.#capacity));
    this.#offsets = grown(this.#offsets, new Float64Array(this.#capacity));
  }
}

function grown<A extends Float64Array | Int32Array>(from: A, into: A): A {
  into.set(from);
  return into;
}

const OHLCV = ['open', 'high', 'low', 'close', 'volume'] as const;

class RowReader {
  sawRows = false;
  readonly #rows: RowScanner;
  readonly #width: number;
  readonly #delimiter: string;
  /** Index of the column that names the instrument, or -1. */
  readonly #symbolCell: number;
  #firstSymbol: { readonly line: number; readonly symbol: string } | null = null;
  readonly #columns: ColumnIndices;
  readonly #style: NumberStyle;
  readonly #adjusted: boolean;
  readonly #table: Table;
  readonly #sink: ViolationSink;
  readonly #stamps: StampReader;
  readonly #ohlcv = new Float64Array(5);
  readonly #joined = new Uint8Array(96);
  /** The kind of the first stamp: the others must be of the same. */
  #first: { readonly line: number; readonly kind: string; readonly zone: string; readonly unit: string | null } | null =
    null;
  #blankLine = 0;

  constructor(
    rows: RowScanner,
    header: readonly string[],
    delimiter: string,
    columns: ColumnIndices,
    style: NumberStyle,
    format: CsvFormat,
    table: Table,
    sink: ViolationSink,
  ) {
    this.#rows = rows;
    this.#width = header.length;
    this.#delimiter = delimiter;
    this.#symbolCell = symbolColumn(header);
    this.#columns = columns;
    this.#style = style;
    this.#adjusted = format.adjust !== false && columns.adj_close >= 0;
    this.#table = table;
    this.#sink = sink;
    this.#stamps = new StampReader({ time: format.time ?? 'auto', dateOrder: format.date_order ?? null });
  }

  readAll(): void {
    while (this.#rows.next()) this.readRow();
  }

  /** Reads the scanner's current row. */
  readRow(): void {
    const rows = this.#rows;
    if (rows.isBlank()) {
      // blank lines at the end are harmless; within the data a piece may be missing
      if (this.#blankLine === 0) this.#blankLine = rows.line;
      return;
    }
    this.sawRows = true;
    if (this.#blankLine > 0) {
      this.#complain(
        this.#blankLine,
        'DATA_FORMAT',
        '',
        'a blank line stands between rows: make sure that nothing is missing there, then delete it',
      );
      this.#blankLine = 0;
    }
    if (rows.cells !== this.#width) {
      const message = `the row has ${rows.cells} cells where the first line has ${this.#width}: mend or delete it (a file cut off while it was written ends like this)`;
      this.#complain(rows.line, 'DATA_FORMAT', this.#rowText(), message);
      return;
    }
    if (!this.#isOfOneInstrument() || !this.#readStamp() || !this.#readNumbers()) return;
    const factor = this.#readFactor();
    if (factor > 0) this.#table.add(rows.line, this.#stamps.timeMs, this.#stamps.offsetMs, this.#ohlcv, factor);
  }

  /** Bars of two instruments in one series would pass for jumps of the price. */
  #isOfOneInstrument(): boolean {
    if (this.#symbolCell < 0) return true;
    const { line } = this.#rows;
    const symbol = this.#rows.text(this.#symbolCell);
    this.#firstSymbol ??= { line, symbol };
    const first = this.#firstSymbol;
    if (symbol === first.symbol) return true;
    const message = `this row is of another instrument than line ${first.line}, which is of ${first.symbol}: write one file for each instrument`;
    return this.#complain(line, 'DATA_VALUE', symbol, message);
  }

  #readStamp(): boolean {
    const rows = this.#rows;
    const { time, date } = this.#columns;
    const cell = time >= 0 ? time : date;
    const stamps = this.#stamps;
    let problem: string | null;
    if (time >= 0 && date >= 0) {
      const dateLength = rows.ends[date] - rows.starts[date];
      const timeLength = rows.ends[time] - rows.starts[time];
      if (dateLength === 0 || timeLength === 0) problem = 'the date or the time is empty: fill it in or delete the row';
      else if (dateLength + timeLength + 1 > this.#joined.length) problem = 'this is no date and time';
      else {
        this.#joined.set(rows.bytes.subarray(rows.starts[date], rows.ends[date]));
        this.#joined[dateLength] = 0x20;
        this.#joined.set(rows.bytes.subarray(rows.starts[time], rows.ends[time]), dateLength + 1);
        problem = stamps.read(this.#joined, 0, dateLength + timeLength + 1);
      }
    } else problem = stamps.read(rows.bytes, rows.starts[cell], rows.ends[cell]);
    const { line } = rows;
    if (problem !== null) return this.#complain(line, 'DATA_TIME', this.#stampText(), problem);
    const { kind, zone, unit } = stamps;
    const first = this.#first;
    if (first === null) {
      this.#first = { line, kind, zone, unit };
      this.#table.setKind(kind, kind === 'zone' ? zone : null);
      return true;
    }
    if (kind === first.kind && (kind !== 'zone' || zone === first.zone) && unit === first.unit) return true;
    const message = `this stamp ${KINDS[kind]}${kind === 'zone' ? ` ${zone}` : ''}${unit === null ? '' : ` (${unit})`}, that of line ${first.line} ${KINDS[first.kind as keyof typeof KINDS]}${first.kind === 'zone' ? ` ${first.zone}` : ''}${first.unit === null ? '' : ` (${first.unit})`}: write all stamps in one way`;
    return this.#complain(line, 'DATA_TIME', this.#stampText(), message);
  }

  #readNumbers(): boolean {
    const rows = this.#rows;
    const ohlcv = this.#ohlcv;
    for (let c = 0; c < 5; c++) {
      const cell = this.#columns[OHLCV[c]];
      if (cell < 0) ohlcv[c] = 0;
      else {
        ohlcv[c] = parseDecimal(rows.bytes, rows.starts[cell], rows.ends[cell], this.#style);
        if (Number.isNaN(ohlcv[c])) return this.#complainNumber(OHLCV[c], cell);
      }
    }
    const problem = ohlcvProblem(ohlcv[0], ohlcv[1], ohlcv[2], ohlcv[3], ohlcv[4]);
    if (problem === null) return true;
    // Interactive Brokers marks bars that have no volume (currencies, midpoints) with -1
    const noVolume = problem.column === 'volume' && problem.value === -1;
    const remedy = noVolume
      ? 'if -1 stands for no volume throughout, say --columns volume=none'
      : 'correct the row or delete it';
    return this.#complain(rows.line, 'DATA_VALUE', problem.value, `${problem.message}: ${remedy}`);
  }

  /** Adjusted price / price of the file; 1 where nothing is adjusted; 0 after a complaint. */
  #readFactor(): number {
    const rows = this.#rows;
    const cell = this.#columns.factor >= 0 ? this.#columns.factor : this.#adjusted ? this.#columns.adj_close : -1;
    if (cell < 0) return 1;
    const value = parseDecimal(rows.bytes, rows.starts[cell], rows.ends[cell], this.#style);
    const name = this.#columns.factor >= 0 ? 'factor' : 'adj_close';
    if (Number.isNaN(value)) this.#complainNumber(name, cell);
    else if (!(value > 0 && value < Infinity))
      this.#complain(rows.line, 'DATA_VALUE', value, `${name} must be positive: correct the row or delete it`);
    else return name === 'factor' ? value : value / this.#ohlcv[3];
    return 0;
  }

  #complainNumber(name: string, cell: number): false {
    const text = this.#rows.text(cell);
    const other = this.#style.decimal === '.' ? ',' : '.';
    let remedy = 'correct the row or delete it';
    if (text === '') remedy = 'fill it in or delete the row';
    else if (/^[+-]?\d{1,3}([,.' _]\d{3})+([.,]\d+)?$/.test(text)) {
      const mark = /[,.' _]/.exec(text)?.[0] ?? ',';
      remedy = `if "${mark}" groups thousands, say so (--thousands "${mark}"${mark === '.' ? ' --decimal ","' : ''}); if it is the decimal mark, say --decimal "${mark}"`;
    } else if (/^[+-]?\d+[,.]\d+$/.test(text))
      remedy = `if "${other}" is the decimal mark, say so (--decimal "${other}")`;
    const what = text === '' ? `${name} is empty` : `${name} is not a number`;
    return this.#complain(this.#rows.line, 'DATA_VALUE', text, `${what}: ${remedy}`);
  }

  #complain(line: number, code: 'DATA_VALUE' | 'DATA_TIME' | 'DATA_FORMAT', value: unknown, message: string): false {
    this.#sink.add({ code, line, value, message });
    return false;
  }

  #stampText(): string {
    const { time, date } = this.#columns;
    return time >= 0 && date >= 0
      ? `${this.#rows.text(date)} ${this.#rows.text(time)}`
      : this.#rows.text(time >= 0 ? time : date);
  }

  #rowText(): string {
    return Array.from({ length: this.#rows.cells }, (_, i) => this.#rows.text(i)).join(this.#delimiter);
  }
}

const KINDS = {
  date: 'is a date alone',
  local: 'has a time of day without a zone',
  instant: 'says its offset from UTC',
  zone: 'names the zone',
} as const;
