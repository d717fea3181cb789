/**
 * What a runner recorded, as an ordinary data set: NAME.csv and NAME.yaml, appended to day by day. The first word of a
 * bar stands: a broker's later history of the same minute may differ, and the policy decided on the first.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { makeBars, type Bars } from '#env/market/bars.js';
import { timeText } from '#src/data/interval.js';
import { loadDatasetInFull } from '#src/data/load.js';
import { makeFolder } from '#src/config/make-folder.js';
import { parseManifest } from '#src/data/manifest.js';
import { writeNormalised, writeWhole } from '#src/data/write-dataset.js';
import { fail } from '#src/errors.js';
import { Journal } from './journal.js';
import { recordedBars, segmentsWithoutHoles } from './recorded-bars.js';

export interface RecordedDatasetOptions {
  /** A journal, or the folder of an account or of a session: all its journals, oldest first. */
  readonly from: string;
  /** Of the data set; where several symbols were recorded, each bears NAME-SYMBOL. */
  readonly name: string;
  /** Folder for NAME.csv and NAME.yaml. */
  readonly out: string;
  /** Only this symbol. */
  readonly symbol?: string;
  /** Only bars that open before this instant, epoch milliseconds: what has closed for good. */
  readonly beforeMs?: number;
}

export interface RecordedDataset {
  readonly csvFile: string;
  readonly manifestFile: string;
  /** As it loads now. */
  readonly bars: Bars;
  /** Bars that were not there before. */
  readonly appended: number;
  /** Bars that were there with other values, which stand. */
  readonly conflicts: number;
}

/** The journals at a place, oldest first. Throws LIVE_JOURNAL where there is none. */
export function journalsAt(place: string): string[] {
  const isFolder = statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
  const files = isFolder
    ? readdirSync(place)
        .filter((name) => /^journal(-.*)?\.db$/.test(name))
        // "journal-<when>-<bundle>.db" are those before the one under way, "journal.db"
        .sort((a, b) => Number(a === 'journal.db') - Number(b === 'journal.db') || (a < b ? -1 : 1))
        .map((name) => path.join(place, name))
    : existsSync(place)
      ? [place]
      : [];
  if (files.length === 0)
    fail('LIVE_JOURNAL', {
      where: place,
      message: 'there is no journal here: name a journal, or the folder of a session or an account',
    });
  return files;
}

/** Writes or appends to a data set a symbol. Throws LIVE_JOURNAL, DATA_ errors, and USAGE where the name is another set's. */
export async function writeRecordedDataset(options: RecordedDatasetOptions): Promise<RecordedDataset[]> {
  const bySymbol = new Map<string, Bars[]>();
  for (const file of journalsAt(options.from)) {
    const { length } = sizeOf(file);
    if (length === 0) continue;
    for (const bars of recordedBars(file)) {
      const { symbol } = bars.instrument;
      if (options.symbol === undefined || options.symbol === symbol)
        bySymbol.set(symbol, [...(bySymbol.get(symbol) ?? []), bars]);
    }
  }
  if (bySymbol.size === 0)
    fail('DATA_EMPTY', {
      where: options.from,
      ...(options.symbol === undefined ? {} : { value: options.symbol }),
      message: 'no bars were recorded here',
    });
  const written: RecordedDataset[] = [];
  for (const [symbol, recorded] of bySymbol) {
    const name = bySymbol.size === 1 ? options.name : `${options.name}-${symbol.toLowerCase()}`;
    written.push(await writeOne(name, recorded, options));
  }
  return written;
}

function sizeOf(file: string): { length: number } {
  const journal = Journal.read(file);
  const { length } = journal;
  journal.close();
  return { length };
}

async function writeOne(
  name: string,
  recorded: readonly Bars[],
  { out, beforeMs = Infinity, from }: RecordedDatasetOptions,
): Promise<RecordedDataset> {
  const csvFile = path.join(out, `${name}.csv`);
  const manifestFile = path.join(out, `${name}.yaml`);
  const before = existsSync(manifestFile) ? await earlier(manifestFile, recorded[0]) : null;
  if (before === null && existsSync(csvFile))
    fail('USAGE', { where: csvFile, message: 'this file is there already, without a manifest: choose another --name' });
  const merged = merge(before === null ? recorded : [before, ...recorded], beforeMs);
  const last = recorded[recorded.length - 1];
  if (merged.bars.length === 0)
    fail('DATA_EMPTY', { where: from, message: 'no bars were recorded here before the instant that was asked for' });
  const bars = makeBars({ ...last, ...merged.columns, segments: undefined, factor: null, source: name });
  const { instrument, interval, calendar } = bars;
  const segments = segmentsWithoutHoles(bars);
  const endOf = (end: number): number =>
    end < bars.length ? bars.openTimeMs[end] : bars.openTimeMs[end - 1] + interval.ms;
  const manifest = (sha256: string): string =>
    stringify({
      name,
      title: `${instrument.symbol}, bars of ${interval.label} as the runner saw them`,
      source: last.source.replace(/^recorded in/, 'recorded by OpenBell from'),
      licence: 'of whoever licenses the market data to the account',
      file: `${name}.csv`,
      sha256,
      interval: interval.label,
      calendar,
      instrument: {
        symbol: instrument.symbol,
        type: instrument.securityType,
        currency: instrument.currency,
        exchange: instrument.exchange,
        ticks: instrument.ticks.map(({ lowEdge, increment }) => ({ low_edge: lowEdge, increment })),
        lot: instrument.lotSize,
      },
      adjustments: { prices: 'none' },
      segments: segments.map(({ start, end }) => ({
        from: timeText(interval, bars.openTimeMs[start]),
        to: timeText(interval, endOf(end)),
      })),
    });
  // what would be refused later is refused before anything is written
  parseManifest(manifest('0'.repeat(64)), manifestFile);
  makeFolder(path.resolve(out));
  await writeWhole(manifestFile, manifest(await writeNormalised(csvFile, bars)));
  const loaded = await loadDatasetInFull(manifestFile);
  return {
    csvFile,
    manifestFile,
    bars: loaded.bars,
    appended: bars.length - (before?.length ?? 0),
    conflicts: merged.conflicts,
  };
}

/** The data set that is there, if it is of the same kind. Throws USAGE where it is not. */
async function earlier(manifestFile: string, like: Bars): Promise<Bars> {
  const { bars, manifest } = await loadDatasetInFull(manifestFile);
  const same =
    bars.instrument.symbol === like.instrument.symbol &&
    bars.interval.ms === like.interval.ms &&
    bars.calendar === like.calendar &&
    manifest?.source.startsWith('recorded by OpenBell') === true;
  if (!same)
    fail('USAGE', {
      where: manifestFile,
      value: manifest?.source ?? null,
      message: `is not ${like.instrument.symbol} in bars of ${like.interval.label} as recorded by OpenBell: choose another --name`,
    });
  return bars;
}

type Columns = Pick<Bars, 'openTimeMs' | 'open' | 'high' | 'low' | 'close' | 'volume'>;
const COLUMNS = ['open', 'high', 'low', 'close', 'volume'] as const;

/** All bars in the order of time; of two of one stamp the first one's. */
function merge(
  sources: readonly Bars[],
  beforeMs: number,
): { columns: Columns; bars: { length: number }; conflicts: number } {
  const chosen = new Map<number, { from: Bars; at: number }>();
  let conflicts = 0;
  for (const from of sources) {
    for (let at = 0; at < from.length; at++) {
      const timeMs = from.openTimeMs[at];
      if (timeMs >= beforeMs) break;
      const known = chosen.get(timeMs);
      if (known === undefined) chosen.set(timeMs, { from, at });
      else if (COLUMNS.some((column) => known.from[column][known.at] !== from[column][at])) conflicts++;
    }
  }
  const times = Float64Array.from(chosen.keys()).sort();
  const column = (name: (typeof COLUMNS)[number]): Float64Array =>
    times.map((timeMs) => {
      const bar = chosen.get(timeMs);
      return bar === undefined ? NaN : bar.from[name][bar.at];
    });
  return {
    columns: {
      openTimeMs: times,
      open: column('open'),
      high: column('high'),
      low: column('low'),
      close: column('close'),
      volume: column('volume'),
    },
    bars: { length: times.length },
    conflicts,
  };
}
