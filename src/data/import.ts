/**
 * Import: a foreign CSV becomes a normalised CSV and a manifest. Normalised, not kept with a mapping, so that every
 * doubt (zone, delimiter, bar ends, column names) is settled once, at import, in a file that can be read and compared;
 * the manifest records the original's sha256.
 */
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import type { Bars } from '#env/market/bars.js';
import type { Instrument } from '#env/market/instrument.js';
import { fail } from '#src/errors.js';
import { fromCsv, loadDatasetInFull, type CsvHints } from './load.js';
import { makeFolder } from '#src/config/make-folder.js';
import { parseManifest } from './manifest.js';
import { readCsvBars } from './read-csv.js';
import type { SegmentRule } from './segments.js';
import { readSourceBytes } from './source-bytes.js';
import { StrictSink } from './violations.js';
import { writeNormalised, writeWhole } from './write-dataset.js';

export interface ImportOptions extends CsvHints {
  readonly file: string;
  readonly name: string;
  /** Folder for NAME.csv and NAME.yaml. */
  readonly out: string;
  /** Price increment; default: the usual bands of the type. */
  readonly tick?: number | undefined;
  /** Where the source knows it for sure; default: what the symbol and the prices suggest. */
  readonly instrument?: Instrument | undefined;
  readonly segments?: SegmentRule | undefined;
  /** The prices are adjusted already, by a factor that the file does not hold. */
  readonly adjusted?: boolean | undefined;
  readonly source?: string | undefined;
  readonly licence?: string | undefined;
  /** Replace files that are there. */
  readonly force?: boolean | undefined;
}

export interface Imported {
  readonly csvFile: string;
  readonly manifestFile: string;
  readonly bars: Bars;
  readonly inferred: readonly string[];
}

/** Throws the DATA_ errors of reading; USAGE where a file would be replaced. Reads back what it wrote before it returns. */
export async function importCsv(options: ImportOptions): Promise<Imported> {
  const { file, name, out } = options;
  const { bytes, sha256 } = await readSourceBytes(file);
  const csv = readCsvBars(file, bytes, options.format ?? {}, options.interval ?? null, new StrictSink(file));
  const { bars, inferred } = fromCsv(file, csv, options, sha256);
  const csvFile = path.join(out, `${name}.csv`);
  const manifestFile = path.join(out, `${name}.yaml`);
  for (const target of [csvFile, manifestFile]) {
    if (existsSync(target) && realpathSync(target) === realpathSync(file))
      fail('USAGE', {
        where: target,
        message: 'the import would replace its own source: choose another --name or --out',
      });
    if (existsSync(target) && options.force !== true)
      fail('USAGE', {
        where: target,
        message: 'this file is there already: choose another --name or --out, or say --force',
      });
  }
  const manifest = (written: string): string => manifestText(options, bars, written, sha256, csv.factor !== null);
  // what would be refused later is refused before anything is written
  parseManifest(manifest(sha256), manifestFile);
  const written = await writing(out, async () => {
    makeFolder(path.resolve(out));
    return writeNormalised(csvFile, csv);
  });
  await writing(out, () => writeWhole(manifestFile, manifest(written)));
  const loaded = await loadDatasetInFull(manifestFile);
  return { csvFile, manifestFile, bars: loaded.bars, inferred };
}

async function writing<Result>(out: string, write: () => Promise<Result>): Promise<Result> {
  return write().catch((cause: NodeJS.ErrnoException) =>
    fail('DATA_FILE', {
      where: out,
      message: `cannot be written to (${cause.code ?? cause.message}): check the folder and its free space, or choose another --out`,
      cause,
    }),
  );
}

function manifestText(options: ImportOptions, bars: Bars, written: string, sha256: string, hasFactor: boolean): string {
  const { symbol, securityType, currency, exchange, ticks, lotSize } = options.instrument ?? bars.instrument;
  const bands =
    options.tick === undefined
      ? ticks.map(({ lowEdge, increment }) => ({ low_edge: lowEdge, increment }))
      : [{ low_edge: 0, increment: options.tick }];
  return stringify({
    name: options.name,
    source: options.source ?? `imported from ${path.basename(options.file)}`,
    licence: options.licence ?? 'not stated',
    file: `${options.name}.csv`,
    sha256: written,
    interval: bars.interval.label,
    calendar: bars.calendar,
    instrument: { symbol, type: securityType, currency, exchange, ticks: bands, lot: lotSize },
    adjustments: { prices: hasFactor ? 'factor' : options.adjusted === true ? 'applied' : 'none' },
    ...(options.segments === undefined ? {} : { segments: options.segments }),
    imported_from: { file: path.basename(options.file), sha256 },
  });
}
