/**
 * `openbell data import --from ib`: history through the broker into a data set. Stretch by stretch, paced, and resumed
 * where it was interrupted; then it goes through the same import as any other file.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Instrument } from '#env/market/instrument.js';
import { importCsv, type Imported } from '#src/data/import.js';
import { DAY_MS, parseInterval, timeText } from '#src/data/interval.js';
import { defaultTicks } from '#src/data/manifest.js';
import { fail } from '#src/errors.js';
import type { Answer, BrokerBar, BrokerEvent, ContractInfo } from './contract.js';
import { DownloadLog } from './download-log.js';
import { chunkMs } from './history.js';
import { IbBroker } from './ib-broker.js';
import { dateOf, toUtc, zoneOf } from './ib-time.js';
import type { IbBrokerOptions } from './options.js';

/** Stretches are at least so long, so that small bars do not make a line of the log each. */
const LEAST_STRETCH_MS = DAY_MS;
const MOST_FAILURES = 5;

export interface DownloadOptions {
  readonly broker: IbBrokerOptions;
  readonly symbol: string;
  readonly securityType: Instrument['securityType'];
  readonly exchange: string;
  readonly currency: string;
  readonly interval: string;
  /** Dates in the contract's own zone, yyyy-mm-dd; both are included. `toDate` null: to the last closed bar. */
  readonly fromDate: string;
  readonly toDate: string | null;
  readonly name: string;
  readonly out: string;
  readonly calendar?: string | undefined;
  readonly source?: string | undefined;
  readonly licence?: string | undefined;
  readonly force?: boolean | undefined;
  /** How long to wait for a connection, wall milliseconds. */
  readonly connectTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((doneMs: number, fromMs: number, toMs: number, bars: number) => void) | undefined;
}

/**
 * Throws BROKER_STATE where the gateway cannot be reached or gives no history, INTERRUPTED where the signal came (both
 * keep what was fetched: the same call goes on from there), and the DATA_ errors of the import.
 */
export async function downloadDataset(options: DownloadOptions): Promise<Imported> {
  const from = dateArgument('--from-date', options.fromDate);
  const to = options.toDate === null ? null : dateArgument('--to-date', options.toDate);
  const interval = parseInterval(options.interval, '--interval');
  const stretchMs = Math.max(chunkMs(options.interval), LEAST_STRETCH_MS);
  if (to !== null && to < from)
    fail('USAGE', { where: '--to-date', value: options.toDate, message: 'it lies before --from-date' });
  checkTarget(options);
  const line = new Line(options.broker, options.connectTimeoutMs, options.signal);
  try {
    const { symbol, securityType, exchange, currency } = options;
    const instrument = {
      symbol,
      securityType,
      exchange,
      currency,
      ticks: defaultTicks(securityType, currency),
      lotSize: 1,
    };
    const info = await line.ask((broker) => broker.contract(instrument), `the contract of ${symbol}`);
    const nowMs = await line.ask((broker) => broker.currentTime(), 'the time');
    const day = (dateMs: number): number => (interval.ms >= DAY_MS ? dateMs : localMidnight(dateMs, info));
    mkdirSync(options.out, { recursive: true });
    const log = DownloadLog.open(
      path.join(options.out, `${options.name}.download.jsonl`),
      {
        symbol,
        conId: info.conId,
        interval: interval.label,
        fromMs: day(from),
        toMs: to === null ? null : day(to + DAY_MS),
      },
      nowMs,
    );
    try {
      await fetchAll(line, log, stretchMs, nowMs, options);
    } finally {
      log.close();
    }
    return await finish(options, log, info);
  } finally {
    await line.close();
  }
}

async function fetchAll(
  line: Line,
  log: DownloadLog,
  stretchMs: number,
  nowMs: number,
  { symbol, interval, signal, progress }: DownloadOptions,
): Promise<void> {
  const { fromMs } = log.spec;
  const toMs = Math.min(log.spec.toMs, nowMs);
  progress?.(log.doneMs, fromMs, toMs, log.bars.length);
  while (log.doneMs < toMs) {
    if (signal?.aborted === true)
      fail('INTERRUPTED', {
        where: log.file,
        message: `${log.bars.length} bars are there: the same command goes on from ${new Date(log.doneMs).toISOString()}`,
      });
    const beginMs = log.doneMs;
    const endMs = Math.min(beginMs + stretchMs, toMs);
    const bars: readonly BrokerBar[] = await line.ask(
      (broker) => broker.history({ symbol, interval, fromMs: beginMs, toMs: endMs, regularHoursOnly: true }),
      `bars of ${symbol} from ${new Date(beginMs).toISOString()} (what came before is kept: the same command goes on there)`,
    );
    log.add(endMs, bars);
    progress?.(log.doneMs, fromMs, toMs, log.bars.length);
  }
}

/** A CSV of what was fetched, and through the import, which checks and describes it. */
async function finish(options: DownloadOptions, log: DownloadLog, info: ContractInfo): Promise<Imported> {
  const { name, out, symbol } = options;
  const { bars, spec } = log;
  if (bars.length === 0)
    return fail('DATA_EMPTY', {
      where: log.file,
      message: `the broker has no bars of ${symbol} in these days: take other dates and delete this file`,
    });
  const interval = parseInterval(spec.interval, log.file);
  const csv = path.join(out, `${name}.download.csv`);
  const rows = bars.map(({ openMs, open, high, low, close, volume }) =>
    [timeText(interval, openMs), open, high, low, close, volume].join(','),
  );
  writeFileSync(csv, `time,open,high,low,close,volume\n${rows.join('\n')}\n`);
  const imported = await importCsv({
    file: csv,
    name,
    out,
    interval: spec.interval,
    calendar: options.calendar ?? calendarOf(info),
    symbol,
    instrument: info.instrument,
    format: { time: 'iso', time_zone: 'UTC' },
    source:
      options.source ??
      `Interactive Brokers, historical ${spec.interval} bars of ${symbol} (conId ${spec.conId}), regular hours`,
    licence: options.licence ?? "the broker's market data terms: not for redistribution",
    force: options.force,
  });
  rmSync(csv);
  rmSync(log.file);
  // the instrument is the broker's own: nothing about it was inferred
  return { ...imported, inferred: imported.inferred.filter((text) => text.startsWith('calendar')) };
}

/** The calendar that is beyond doubt; undefined: the import infers it from the bars, or asks. */
function calendarOf({ instrument, timeZone }: ContractInfo): string | undefined {
  if (instrument.securityType === 'CASH') return 'FX';
  const newYork = timeZone === 'US/Eastern' || timeZone === 'America/New_York';
  return newYork && instrument.securityType === 'STK' ? 'XNYS' : undefined;
}

function localMidnight(dateMs: number, { timeZone }: ContractInfo): number {
  const zone = zoneOf(timeZone);
  return zone === null ? dateMs : toUtc(dateMs, zone);
}

/** What the import would refuse at the end is refused before anything is downloaded. */
function checkTarget({ name, out, force }: DownloadOptions): void {
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(name))
    fail('USAGE', { where: '--name', value: name, message: 'use lower case, digits, dots, dashes and underscores' });
  for (const target of [path.join(out, `${name}.csv`), path.join(out, `${name}.yaml`)])
    if (force !== true && existsSync(target))
      fail('USAGE', {
        where: target,
        message: 'this file is there already: choose another --name or --out, or say --force',
      });
}

function dateArgument(where: string, text: string): number {
  const dateMs = /^\d{4}-\d{2}-\d{2}$/.test(text) ? dateOf(text.replaceAll('-', '')) : NaN;
  if (Number.isNaN(dateMs) || !new Date(dateMs).toISOString().startsWith(text))
    fail('USAGE', { where, value: text, message: 'write a date as 2024-01-31' });
  return dateMs;
}

/** A broker that is asked until it answers: a connection that breaks is waited for. */
class Line {
  readonly #broker: IbBroker;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  #lastNotice = 'nobody answers there';
  readonly #endpoint: string;

  constructor(options: IbBrokerOptions, timeoutMs: number, signal: AbortSignal | undefined) {
    this.#endpoint = `${options.host}:${options.port}`;
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
    this.#broker = new IbBroker(options);
    this.#broker.open((event: BrokerEvent) => {
      if (event.type === 'notice' && event.level !== 'info') this.#lastNotice = event.text;
      else if (event.type === 'disconnected') this.#lastNotice = event.reason;
    });
  }

  close(): Promise<void> {
    return this.#broker.close();
  }

  /** The value. Throws BROKER_STATE where it is refused, or does not come in several attempts. */
  async ask<T>(question: (broker: IbBroker) => Promise<Answer<T>>, what: string): Promise<T> {
    for (let failures = 0; ; failures++) {
      await this.#connected();
      const answer = await question(this.#broker);
      if (answer.known) return answer.value;
      // the broker's own refusal will not change; a connection that broke will
      if (answer.code !== null || failures + 1 >= MOST_FAILURES)
        fail('BROKER_STATE', {
          where: this.#endpoint,
          value: answer.code ?? undefined,
          message: `${what}: ${answer.reason}`,
        });
    }
  }

  async #connected(): Promise<void> {
    const untilMs = performance.now() + this.#timeoutMs;
    while (!this.#broker.connected) {
      if (this.#signal?.aborted === true)
        fail('INTERRUPTED', { where: this.#endpoint, message: 'interrupted while waiting for the gateway' });
      if (performance.now() > untilMs)
        fail('BROKER_STATE', {
          where: this.#endpoint,
          message: `no gateway within ${this.#timeoutMs} ms (${this.#lastNotice}): start it, or say where it is (IB_HOST, IB_PORT)`,
        });
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
