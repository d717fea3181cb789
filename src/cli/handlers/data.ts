/** What `openbell data list | describe | check | import` does. */
import { checkDataset } from '#src/data/check.js';
import { COLUMN_ROLES, type ColumnMapping, type ColumnRole } from '#src/data/csv-columns.js';
import { describeDataset } from '#src/data/describe.js';
import { downloadDataset } from '#src/broker/download.js';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { importCsv, type Imported } from '#src/data/import.js';
import { listDatasets } from '#src/data/list.js';
import type { CsvHints } from '#src/data/load.js';
import { checkText, describeText, listText } from '#src/data/text.js';
import { fail } from '#src/errors.js';
import type { RecordedDataset } from '#src/live/shell/recorded-dataset.js';

interface CsvArguments {
  timeZone?: string | undefined;
  columns?: string | undefined;
  stamp?: string | undefined;
  interval?: string | undefined;
  calendar?: string | undefined;
  symbol?: string | undefined;
  time?: string | undefined;
  dateOrder?: string | undefined;
  delimiter?: string | undefined;
  decimal?: string | undefined;
  thousands?: string | undefined;
  adjust: boolean;
}

const DELIMITERS = { comma: ',', semicolon: ';', tab: '\t', bar: '|' } as const;

/** One of the choices that yargs has checked already, as its own type. */
function chosen<Choice extends string>(given: string | undefined, ...choices: readonly Choice[]): Choice | undefined {
  return choices.find((choice) => choice === given);
}

function hintsOf(args: CsvArguments): CsvHints {
  const delimiter = chosen(args.delimiter, 'comma', 'semicolon', 'tab', 'bar');
  return {
    interval: args.interval,
    calendar: args.calendar,
    symbol: args.symbol,
    format: {
      columns: args.columns === undefined ? undefined : parseColumns(args.columns),
      delimiter: delimiter === undefined ? undefined : DELIMITERS[delimiter],
      decimal: chosen(args.decimal, '.', ','),
      thousands: args.thousands,
      time: chosen(args.time, 'auto', 'iso', 'epoch_s', 'epoch_ms', 'epoch_us', 'epoch_ns'),
      date_order: chosen(args.dateOrder, 'mdy', 'dmy'),
      time_zone: args.timeZone,
      stamp: chosen(args.stamp, 'open', 'close'),
      adjust: args.adjust ? undefined : false,
    },
  };
}

function parseColumns(text: string): ColumnMapping {
  const mapping: Partial<Record<ColumnRole, string | number>> = {};
  for (const part of text.split(',')) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(0, equals)).trim();
    const role = COLUMN_ROLES.find((known) => known === name);
    const column = part.slice(equals + 1).trim();
    if (role === undefined || column === '') {
      fail('USAGE', {
        where: '--columns',
        value: part,
        message: `write ROLE=NAME with a role of ${COLUMN_ROLES.join(', ')}`,
      });
    }
    if (mapping[role] !== undefined)
      fail('USAGE', { where: '--columns', value: part, message: `${role} is given twice: give it once` });
    mapping[role] = /^\d+$/.test(column) ? Number(column) : column;
  }
  return mapping;
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const say = (text: string): void => void process.stderr.write(`${text}\n`);

export async function listData(args: ListArguments): Promise<void> {
  const entries = await listDatasets();
  print(args.json ? JSON.stringify(entries, null, 2) : listText(entries));
}

export async function describeData(args: DescribeArguments): Promise<void> {
  const description = await describeDataset(args.dataset, hintsOf(args));
  print(args.json ? JSON.stringify(description, null, 2) : describeText(description));
}

export async function checkData(args: CheckArguments): Promise<void> {
  const report = await checkDataset(args.dataset, { ...hintsOf(args), limit: args.limit, outlierZ: args.outlierZ });
  print(args.json ? JSON.stringify(report, null, 2) : checkText(report));
  if (!report.usable) process.exitCode = 1;
}

function printImported({ bars, csvFile, manifestFile, inferred }: Imported, asJson: boolean): void {
  for (const text of inferred) say(`inferred: ${text}`);
  if (asJson)
    print(
      JSON.stringify(
        {
          csv: csvFile,
          manifest: manifestFile,
          bars: bars.length,
          segments: bars.segments.length,
          interval: bars.interval.label,
          calendar: bars.calendar,
          sha256: bars.sha256,
        },
        null,
        2,
      ),
    );
  else
    print(
      `${csvFile}\n${manifestFile}\n${bars.length} bars of ${bars.interval.label} in ${bars.segments.length} segment${bars.segments.length === 1 ? '' : 's'}, calendar ${bars.calendar}`,
    );
}

/** Beside a trader that has IB_CLIENT_ID itself. */
const DOWNLOAD_CLIENT_ID = 1000;

export interface ListArguments {
  json: boolean;
}

export interface DescribeArguments extends CsvArguments {
  dataset: string;
  json: boolean;
}

export interface CheckArguments extends DescribeArguments {
  limit: number;
  outlierZ: number;
}

export interface ImportArguments extends CsvArguments {
  file?: string;
  from: string;
  fromDate?: string;
  toDate?: string;
  type: string;
  exchange: string;
  currency: string;
  connectTimeout: number;
  name: string;
  out: string;
  tick?: number;
  segments?: string;
  maxGapSessions?: number;
  adjusted: boolean;
  source?: string;
  licence?: string;
  force: boolean;
  json: boolean;
}

interface IbArguments {
  readonly file?: string;
  readonly symbol?: string | undefined;
  readonly interval?: string | undefined;
  readonly calendar?: string | undefined;
  readonly fromDate?: string;
  readonly toDate?: string;
  readonly type: string;
  readonly exchange: string;
  readonly currency: string;
  readonly connectTimeout: number;
  readonly name: string;
  readonly out: string;
  readonly source?: string;
  readonly licence?: string;
  readonly force: boolean;
}

function importFromIb(args: IbArguments): Promise<Imported> {
  const needed = (option: string, given: string | undefined): string =>
    given ?? fail('USAGE', { where: 'import --from ib', message: `say ${option}` });
  if (args.file !== undefined)
    fail('USAGE', { where: 'import --from ib', value: args.file, message: 'a download takes no file: leave it out' });
  const { ib } = readRuntimeSettings(process.env);
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort());
  const live = process.stderr.isTTY === true;
  let told = -1;
  return downloadDataset({
    broker: { host: ib.host, port: ib.port, clientId: ib.clientId + DOWNLOAD_CLIENT_ID, account: null, dataOnly: true },
    symbol: needed('--symbol', args.symbol),
    interval: needed('--interval', args.interval),
    fromDate: needed('--from-date', args.fromDate),
    toDate: args.toDate ?? null,
    securityType: chosen(args.type, 'STK', 'CASH', 'IND') ?? 'STK',
    exchange: args.exchange,
    currency: args.currency,
    name: args.name,
    out: args.out,
    calendar: args.calendar,
    source: args.source,
    licence: args.licence,
    force: args.force,
    connectTimeoutMs: args.connectTimeout * 1000,
    signal: controller.signal,
    progress: (doneMs, fromMs, toMs, bars) => {
      const percent = Math.floor((100 * (doneMs - fromMs)) / Math.max(1, toMs - fromMs));
      if (percent === told || (!live && percent - told < 10 && percent < 100)) return;
      told = percent;
      say(`${percent}%, ${bars} bars`);
    },
  });
}

async function importRecorded({ file, name, out, symbol }: IbArguments): Promise<RecordedDataset[]> {
  if (file === undefined)
    return fail('USAGE', {
      where: 'import --from recorded',
      message: 'name the folder of an account or a session, such as trading/paper/DU1234567',
    });
  // the journal's database is loaded by those alone who read one
  const { writeRecordedDataset } = await import('#src/live/shell/recorded-dataset.js');
  return writeRecordedDataset({ from: file, name, out, ...(symbol === undefined ? {} : { symbol }) });
}

function printRecorded(written: readonly RecordedDataset[], asJson: boolean): void {
  if (asJson)
    return print(
      JSON.stringify(
        written.map(({ csvFile, manifestFile, bars, appended, conflicts }) => ({
          csv: csvFile,
          manifest: manifestFile,
          symbol: bars.instrument.symbol,
          bars: bars.length,
          segments: bars.segments.length,
          appended,
          conflicts,
          sha256: bars.sha256,
        })),
        null,
        2,
      ),
    );
  for (const { csvFile, manifestFile, bars, appended, conflicts } of written) {
    print(
      `${csvFile}\n${manifestFile}\n${bars.length} bars of ${bars.interval.label} in ${bars.segments.length} segment${bars.segments.length === 1 ? '' : 's'}, ${appended} of them new`,
    );
    if (conflicts > 0) say(`${conflicts} bars were there already with other values: the first word stands`);
  }
}

export async function importData(args: ImportArguments): Promise<void> {
  if (args.from === 'ib') return printImported(await importFromIb(args), args.json);
  if (args.from === 'recorded') return printRecorded(await importRecorded(args), args.json);
  const { file, name, out, tick, adjusted, source, licence, force } = args;
  if (file === undefined)
    return fail('USAGE', { where: 'import', message: 'name a CSV file, or say --from ib --symbol S --from-date D' });
  const segments =
    args.maxGapSessions === undefined
      ? chosen(args.segments, 'none', 'month-gap')
      : { max_gap_sessions: args.maxGapSessions };
  const imported = await importCsv({
    ...hintsOf(args),
    file,
    name,
    out,
    tick,
    segments,
    adjusted,
    source,
    licence,
    force,
  });
  printImported(imported, args.json);
}
