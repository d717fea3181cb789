/**
 * What a download has fetched so far, one stretch a line, each on the disk before the next is asked for: whatever
 * interrupts it, the next run goes on behind the last whole line.
 */
import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { fail } from '#src/errors.js';
import type { BrokerBar } from './contract.js';

/** What is downloaded: a file of another download is refused. */
export interface DownloadSpec {
  readonly symbol: string;
  readonly conId: number;
  readonly interval: string;
  readonly fromMs: number;
  readonly toMs: number;
}

type Row = readonly [openMs: number, open: number, high: number, low: number, close: number, volume: number];

export class DownloadLog {
  readonly file: string;
  readonly spec: DownloadSpec;
  readonly #descriptor: number;
  readonly #bars = new Map<number, BrokerBar>();
  /** Everything before it has been fetched. */
  doneMs: number;

  private constructor(file: string, spec: DownloadSpec, descriptor: number) {
    this.file = file;
    this.spec = spec;
    this.#descriptor = descriptor;
    this.doneMs = spec.fromMs;
  }

  /** `toMs` null: as far as the earlier run wanted, or `nowMs`. Throws DATA_FILE where another download has begun there. */
  static open(
    file: string,
    wanted: Omit<DownloadSpec, 'toMs'> & { readonly toMs: number | null },
    nowMs: number,
  ): DownloadLog {
    const lines = existsSync(file) ? wholeLines(readFileSync(file, 'utf8')) : [];
    const begun = lines.length === 0 ? null : parsed(file, lines[0]);
    const spec = { ...wanted, toMs: wanted.toMs ?? numberOf(begun, 'toMs') ?? nowMs };
    const descriptor = openSync(file, existsSync(file) ? 'r+' : 'w');
    const log = new DownloadLog(file, spec, descriptor);
    if (begun === null) {
      ftruncateSync(descriptor, 0);
      log.#append(spec);
      return log;
    }
    for (const key of ['symbol', 'conId', 'interval', 'fromMs', 'toMs'] as const) {
      if (Reflect.get(begun, key) === spec[key]) continue;
      closeSync(descriptor);
      fail('DATA_FILE', {
        where: `${file} ${key}`,
        value: Reflect.get(begun, key),
        message: `a download of something else has begun here (now ${JSON.stringify(spec[key])}): finish it, delete this file, or choose another --name`,
      });
    }
    for (const line of lines.slice(1)) log.#take(parsed(file, line));
    // a line that broke off in the middle is fetched again
    ftruncateSync(descriptor, Buffer.byteLength(lines.map((line) => `${line}\n`).join('')));
    return log;
  }

  /** In order of time, each once. */
  get bars(): BrokerBar[] {
    return [...this.#bars.values()].sort((a, b) => a.openMs - b.openMs);
  }

  add(toMs: number, bars: readonly BrokerBar[]): void {
    const rows = bars.map(({ openMs, open, high, low, close, volume }): Row => [
      openMs,
      open,
      high,
      low,
      close,
      volume,
    ]);
    this.#append({ toMs, rows });
    this.#keep(toMs, bars);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #append(entry: object): void {
    const bytes = Buffer.from(`${JSON.stringify(entry)}\n`);
    const end = readFileSync(this.file).length;
    for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at, bytes.length - at, end + at);
    fsyncSync(this.#descriptor);
  }

  #take(entry: object): void {
    const toMs = numberOf(entry, 'toMs');
    const rows: unknown = Reflect.get(entry, 'rows');
    if (toMs === null || !Array.isArray(rows))
      return fail('DATA_FILE', { where: this.file, message: 'this is no file of a download: delete it' });
    const bars = rows.map((row: unknown): BrokerBar => {
      const numbers = Array.isArray(row) ? row.map(Number) : [];
      if (numbers.length !== 6 || !numbers.every(Number.isFinite))
        fail('DATA_FILE', { where: this.file, value: row, message: 'this is no file of a download: delete it' });
      const [openMs, open, high, low, close, volume] = numbers;
      return { openMs, open, high, low, close, volume };
    });
    this.#keep(toMs, bars);
  }

  #keep(toMs: number, bars: readonly BrokerBar[]): void {
    for (const bar of bars) this.#bars.set(bar.openMs, bar);
    this.doneMs = Math.max(this.doneMs, toMs);
  }
}

/** Lines that end; what stands after the last one was cut off. */
function wholeLines(text: string): string[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
}

function parsed(file: string, line: string): object {
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry === 'object' && entry !== null) return entry;
  } catch (cause) {
    fail('DATA_FILE', { where: file, message: 'this is no file of a download: delete it', cause });
  }
  return fail('DATA_FILE', { where: file, message: 'this is no file of a download: delete it' });
}

function numberOf(entry: object | null, key: string): number | null {
  const found: unknown = entry === null ? null : Reflect.get(entry, key);
  return typeof found === 'number' ? found : null;
}
