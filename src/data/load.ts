/** From a name, a manifest or a CSV file to Bars. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { firstBarAtOrAfter, makeBars, sliceBars, type Bars } from '#env/market/bars.js';
import { calendarNamed } from '#env/market/calendar.js';
import { utcInstant } from '#env/market/window.js';
import { nearestName } from '#src/config/suggest.js';
import { fail, OpenBellError } from '#src/errors.js';
import { inferInstrument, inferCalendar } from './infer.js';
import { DAY_MS, parseInterval, timeText } from './interval.js';
import { instrumentOf, readManifest, type Manifest } from './manifest.js';
import { parsePart, type DatasetPart } from './part.js';
import { manifestFiles, shownPath } from './places.js';
import { readCsvBars, type CsvBars, type CsvFormat } from './read-csv.js';
import { DEFAULT_SEGMENT_RULE, segmentsOf } from './segments.js';
import { readSourceBytes } from './source-bytes.js';
import { syntheticBars } from './synthetic.js';
import { StrictSink, type ViolationSink } from './violations.js';

export interface LoadedDataset {
  readonly bars: Bars;
  /** Null for a bare CSV file. */
  readonly manifest: Manifest | null;
  /** The file that was read, as shown in messages; null for a synthetic set. */
  readonly file: string | null;
  /** (T) lines of that file; null for a synthetic set. */
  readonly lines: Int32Array | null;
  /** What was not said but concluded from a bare CSV file, in sentences. */
  readonly inferred: readonly string[];
}

/**
 * Bars of a data set: a manifest's name (looked for in datasets/ of the current directory, then of the package), the
 * path of a manifest (.yaml), or the path of a CSV file, whose calendar, interval and instrument are then inferred
 * where there is no doubt. "NAME[2020-01-02..2020-03-02]" is a part of any of them (part.ts). Throws the DATA_ errors,
 * naming file, line and value.
 */
export async function loadDataset(nameOrPath: string): Promise<Bars> {
  return (await loadDatasetInFull(nameOrPath)).bars;
}

/** What the user says about a bare CSV file; a manifest says it all itself. */
export interface CsvHints {
  readonly format?: CsvFormat | undefined;
  readonly interval?: string | undefined;
  readonly calendar?: string | undefined;
  readonly symbol?: string | undefined;
}

/** As `loadDataset`, with what is known about the file. Without a sink the first violation is thrown. */
export async function loadDatasetInFull(
  nameOrPath: string,
  hints: CsvHints = {},
  sink?: ViolationSink,
): Promise<LoadedDataset> {
  const part = parsePart(nameOrPath);
  if (part !== null) return partOf(await loadDatasetInFull(part.dataset, hints, sink), part, nameOrPath);
  const manifestFile = await findManifest(nameOrPath);
  if (manifestFile === null) return loadCsv(nameOrPath, hints, sink);
  if (
    [hints.interval, hints.calendar, hints.symbol, ...Object.values(hints.format ?? {})].some(
      (hint) => hint !== undefined,
    )
  ) {
    fail('USAGE', {
      where: nameOrPath,
      message: `${manifestFile} says how this data set is read: leave the options out, or name the CSV file itself`,
    });
  }
  const manifest = await readManifest(manifestFile);
  return loadManifest(manifest, manifestFile, sink);
}

function partOf(whole: LoadedDataset, { from, to }: DatasetPart, shown: string): LoadedDataset {
  const { bars } = whole;
  const fromMs = from === null ? -Infinity : utcInstant(from, shown);
  const toMs = to === null ? Infinity : utcInstant(to, shown);
  const start = firstBarAtOrAfter(bars, fromMs);
  const end = firstBarAtOrAfter(bars, toMs);
  if (start >= end) {
    const [first, last] = [0, bars.length - 1].map((t) => timeText(bars.interval, bars.openTimeMs[t]));
    fail('DATA_WINDOW', {
      where: shown,
      message: `no bar lies in this part: the data set runs from ${first} to ${last}`,
    });
  }
  return { ...whole, bars: sliceBars(bars, start, end), lines: whole.lines?.subarray(start, end) ?? null };
}

/** Null where `nameOrPath` is a data file. Throws DATA_MANIFEST where nothing has that name. */
async function findManifest(nameOrPath: string): Promise<string | null> {
  if (/\.ya?ml$/i.test(nameOrPath)) return nameOrPath;
  if (nameOrPath.includes('/') || nameOrPath.includes(path.sep) || /\.(csv|tsv|txt|gz)$/i.test(nameOrPath)) return null;
  const files = await manifestFiles();
  const named = files.find((file) => path.basename(file).replace(/\.ya?ml$/, '') === nameOrPath);
  if (named !== undefined) return shownPath(named);
  if (existsSync(nameOrPath)) return null;
  const known = [...new Set(files.map((file) => path.basename(file).replace(/\.ya?ml$/, '')))];
  const near = nearestName(nameOrPath, known);
  return fail('DATA_MANIFEST', {
    where: 'data set',
    value: nameOrPath,
    message: `there is no such data set and no such file${near === null ? '.' : `; did you mean "${near}"?`} Known are ${known.join(', ')}`,
  });
}

async function loadManifest(
  manifest: Manifest,
  manifestFile: string,
  sink: ViolationSink | undefined,
): Promise<LoadedDataset> {
  const interval = parseInterval(manifest.interval, `${manifestFile} interval`);
  const instrument = instrumentOf(manifest);
  if (manifest.synthetic !== undefined) {
    const bars = syntheticBars({
      ...manifest.synthetic,
      name: manifest.name,
      instrument,
      interval,
      calendar: manifest.calendar,
    });
    return { bars, manifest, file: null, lines: null, inferred: [] };
  }
  const file = dataFileOf(manifest, manifestFile);
  const { bytes, sha256 } = await readSourceBytes(file);
  if (sha256 !== manifest.sha256) {
    fail('DATA_HASH', {
      where: file,
      value: sha256,
      message: `${manifestFile} says sha256 ${manifest.sha256}: the file is another one. Restore it, or import it again under another name`,
    });
  }
  const csv = readCsvBars(
    file,
    bytes,
    { ...manifest.format, adjust: manifest.adjustments.prices === 'adj_close' },
    manifest.interval,
    sink ?? new StrictSink(file),
  );
  if (manifest.adjustments.prices === 'none' && csv.factor !== null) {
    fail('DATA_MANIFEST', {
      where: `${manifestFile} adjustments.prices`,
      value: 'none',
      message: 'the file has a factor column: write prices: factor',
    });
  }
  if (
    (manifest.adjustments.prices === 'adj_close' || manifest.adjustments.prices === 'factor') &&
    csv.factor === null
  ) {
    fail('DATA_MANIFEST', {
      where: `${manifestFile} adjustments.prices`,
      value: manifest.adjustments.prices,
      message: 'the file has no such column: write none or applied, or map the column under format.columns',
    });
  }
  checkCalendarYears(file, csv.openTimeMs, manifest.calendar);
  const columns = adjusted(csv, manifest.adjustments.splits);
  const rule = manifest.segments ?? DEFAULT_SEGMENT_RULE;
  const bars = makeBars({
    ...columns,
    instrument,
    interval,
    calendar: manifest.calendar,
    segments: segmentsOf(csv.openTimeMs, interval, calendarNamed(manifest.calendar), rule, manifestFile),
    source: manifest.name,
    sha256,
  });
  return { bars, manifest, file, lines: csv.lines, inferred: [] };
}

function dataFileOf(manifest: Manifest, manifestFile: string): string {
  if (manifest.file !== undefined) {
    const file = shownPath(path.resolve(path.dirname(manifestFile), manifest.file));
    if (!existsSync(file)) {
      fail('DATA_FILE', {
        where: file,
        message: `there is no such file; ${manifestFile} names it: put it there, or correct \`file\` in the manifest`,
      });
    }
    return file;
  }
  try {
    return shownPath(createRequire(import.meta.url).resolve(manifest.package ?? ''));
  } catch (cause) {
    return fail('DATA_FILE', {
      where: `${manifestFile} package`,
      value: manifest.package,
      message: 'the package is not installed or has no such file: run npm ci',
      cause,
    });
  }
}

type Columns = Pick<Bars, 'openTimeMs' | 'open' | 'high' | 'low' | 'close' | 'volume' | 'factor'>;

/**
 * Adjusted prices = tradable prices x factor. Where the file's prices are split-adjusted already, the tradable price
 * before a split is the file's times its ratio. Volume stays as the file gives it.
 */
export function adjusted(csv: CsvBars, splits: readonly { date: string; ratio: number }[]): Columns {
  const { openTimeMs, volume } = csv;
  const factor = csv.factor ?? (splits.length > 0 ? new Float64Array(csv.length).fill(1) : null);
  if (factor === null)
    return { openTimeMs, open: csv.open, high: csv.high, low: csv.low, close: csv.close, volume, factor: null };
  const scale = splitScale(openTimeMs, splits);
  const total = Float64Array.from(factor, (f, t) => f / scale[t]);
  const apply = (prices: Float64Array): Float64Array => prices.map((price, t) => price * scale[t] * total[t]);
  return {
    openTimeMs,
    open: apply(csv.open),
    high: apply(csv.high),
    low: apply(csv.low),
    close: apply(csv.close),
    volume,
    factor: total,
  };
}

/** (T) tradable price / price of the file. */
export function splitScale(openTimeMs: Float64Array, splits: readonly { date: string; ratio: number }[]): Float64Array {
  const scale = new Float64Array(openTimeMs.length).fill(1);
  for (const { date, ratio } of splits) {
    const from = Date.parse(`${date}T00:00:00Z`);
    for (let t = 0; t < scale.length && openTimeMs[t] < from; t++) scale[t] *= ratio;
  }
  return scale;
}

async function loadCsv(file: string, hints: CsvHints, sink: ViolationSink | undefined): Promise<LoadedDataset> {
  const { bytes, sha256 } = await readSourceBytes(file);
  const csv = readCsvBars(file, bytes, hints.format ?? {}, hints.interval ?? null, sink ?? new StrictSink(file));
  return { ...fromCsv(file, csv, hints, sha256), file, lines: csv.lines, manifest: null };
}

/** Throws DATA_TIME where bars lie in years that their calendar does not know: no window or session could be told there. */
function checkCalendarYears(file: string, openTimeMs: Float64Array, calendar: string): void {
  if (openTimeMs.length === 0) return;
  for (const timeMs of [openTimeMs[0], openTimeMs[openTimeMs.length - 1]]) {
    try {
      calendarNamed(calendar).sessionOnDay(Math.floor(timeMs / DAY_MS));
    } catch (cause) {
      if (!(cause instanceof OpenBellError)) throw cause;
      const message = cause.message.slice(cause.message.indexOf(': ') + 2);
      fail('DATA_TIME', { where: file, value: cause.value, message: `${calendar}: ${message}`, cause });
    }
  }
}

/** Bars of a CSV file without a manifest. */
export function fromCsv(
  file: string,
  csv: CsvBars,
  hints: CsvHints,
  sha256: string,
): { bars: Bars; inferred: string[] } {
  if (csv.length === 0) fail('DATA_EMPTY', { where: file, message: 'no row of the file can be used' });
  const inferred: string[] = [];
  const calendar = hints.calendar ?? inferCalendar(file, csv, inferred, hints.format?.stamp === undefined);
  checkCalendarYears(file, csv.openTimeMs, calendar);
  const instrument = inferInstrument(file, hints.symbol, inferred);
  if (hints.interval === undefined) inferred.push(`interval ${csv.interval.label}: the most frequent step`);
  const bars = makeBars({
    ...adjusted(csv, []),
    instrument,
    interval: csv.interval,
    calendar,
    segments: segmentsOf(csv.openTimeMs, csv.interval, calendarNamed(calendar), DEFAULT_SEGMENT_RULE, file),
    source: path.basename(file).replace(/(\.(csv|tsv|txt|gz))+$/i, ''),
    sha256,
  });
  return { bars, inferred };
}
