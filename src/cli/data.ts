/** `openbell data list | describe | check | import` */
import type { Argv, CommandModule } from 'yargs';
import { CALENDAR_NAMES } from '#env/market/calendar.js';
import { checkDataset, DEFAULT_CHECK } from '#src/data/check.js';
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

/** How a CSV file is read: one table for every command that takes one. */
const csvOptions = {
  'time-zone': { type: 'string', describe: 'IANA zone of stamps that name none, e.g. America/New_York' },
  columns: {
    type: 'string',
    describe: 'Which column is what: time=Date,open=Open,...; positions without a header: time=1,...; volume=none',
  },
  stamp: { choices: ['open', 'close'], describe: "Whether a stamp is the bar's open (default) or its close" },
  interval: { type: 'string', describe: '30s, 1m, 5m, 1h, 1d; default: detected' },
  calendar: { choices: CALENDAR_NAMES, describe: 'Trading calendar; default: inferred' },
  symbol: { type: 'string', describe: "Default: what the file's name begins with" },
  time: { choices: ['auto', 'iso', 'epoch_s', 'epoch_ms', 'epoch_us', 'epoch_ns'], describe: 'How times are written' },
  'date-order': { choices: ['mdy', 'dmy'], describe: 'How 03/04/2024 is read' },
  delimiter: { choices: ['comma', 'semicolon', 'tab', 'bar'], describe: 'Default: detected' },
  decimal: { choices: ['.', ','], describe: 'Decimal mark' },
  thousands: { choices: [',', '.', "'", ' ', '_'], describe: 'Mark that groups thousands; default: none' },
  adjust: {
    type: 'boolean',
    default: true,
    describe: 'Adjust by an adjusted-close column; --no-adjust leaves it alone',
  },
} as const;

const json = { json: { type: 'boolean', default: false, describe: 'Print JSON' } } as const;

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

const list = {
  command: 'list',
  describe: 'List the data sets that can be named',
  builder: (yargs: Argv) => yargs.options(json),
  handler: async (args: { json: boolean }) => {
    const entries = await listDatasets();
    print(args.json ? JSON.stringify(entries, null, 2) : listText(entries));
  },
};

const describe = {
  command: 'describe <dataset>',
  describe: 'Describe a data set: instrument, range, segments, prices, returns',
  builder: (yargs: Argv) =>
    yargs
      .positional('dataset', { type: 'string', demandOption: true, describe: 'Name, manifest or CSV file' })
      .options({ ...csvOptions, ...json }),
  handler: async (args: CsvArguments & { dataset: string; json: boolean }) => {
    const description = await describeDataset(args.dataset, hintsOf(args));
    print(args.json ? JSON.stringify(description, null, 2) : describeText(description));
  },
};

const check = {
  command: 'check <dataset>',
  describe: 'Report what is wrong, missing or odd; exit 1 where the data set cannot be used',
  builder: (yargs: Argv) =>
    yargs
      .positional('dataset', { type: 'string', demandOption: true, describe: 'Name, manifest or CSV file' })
      .options({
        limit: { type: 'number', default: DEFAULT_CHECK.limit, describe: 'How many of each kind to list' },
        'outlier-z': {
          type: 'number',
          default: DEFAULT_CHECK.outlierZ,
          describe: 'Robust z beyond which a return is an outlier',
        },
        ...csvOptions,
        ...json,
      }),
  handler: async (args: CsvArguments & { dataset: string; limit: number; outlierZ: number; json: boolean }) => {
    const report = await checkDataset(args.dataset, { ...hintsOf(args), limit: args.limit, outlierZ: args.outlierZ });
    print(args.json ? JSON.stringify(report, null, 2) : checkText(report));
    if (!report.usable) process.exitCode = 1;
  },
};

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

const importCommand = {
  command: 'import [file]',
  describe:
    'Turn a CSV file, history of Interactive Brokers, or bars that a runner recorded into a normalised CSV file and its manifest',
  builder: (yargs: Argv) =>
    yargs
      .positional('file', {
        type: 'string',
        describe: 'CSV file, plain or gzip; recorded: the folder of an account or a paper session, or a journal',
      })
      .options({
        from: {
          choices: ['csv', 'ib', 'recorded'],
          default: 'csv',
          describe:
            'ib: download from the gateway at IB_HOST and IB_PORT; goes on where it was interrupted. recorded: bars that a runner saw, appended to what is there',
        },
        'from-date': { type: 'string', describe: 'ib: first day, yyyy-mm-dd' },
        'to-date': { type: 'string', describe: 'ib: last day; default: to the last closed bar' },
        type: { choices: ['STK', 'CASH', 'IND'], default: 'STK', describe: 'ib: type of security' },
        exchange: { type: 'string', default: 'SMART', describe: 'ib: exchange' },
        currency: { type: 'string', default: 'USD', describe: 'ib: currency' },
        'connect-timeout': { type: 'number', default: 20, describe: 'ib: seconds to wait for the gateway' },
        name: { type: 'string', demandOption: true, describe: 'Name of the data set' },
        out: { type: 'string', default: 'datasets', describe: 'Folder for NAME.csv and NAME.yaml' },
        tick: { type: 'number', describe: 'Price increment; default: the usual one' },
        segments: {
          choices: ['none', 'month-gap'],
          describe: 'Where the series breaks; default: where more than 5 sessions are missing',
        },
        'max-gap-sessions': {
          type: 'number',
          conflicts: 'segments',
          describe: 'Break where more sessions than this are missing',
        },
        adjusted: {
          type: 'boolean',
          default: false,
          describe: 'The prices are adjusted already, by a factor not in the file',
        },
        source: { type: 'string', describe: 'Where the data come from' },
        licence: { type: 'string', describe: 'Their licence' },
        force: { type: 'boolean', default: false, describe: 'Replace files that are there' },
        ...csvOptions,
        ...json,
      }),
  handler: async (
    args: CsvArguments & {
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
    },
  ) => {
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
  },
};

export const dataCommand = {
  command: 'data',
  describe: 'List, import, check and describe data sets',
  builder: (yargs: Argv) =>
    yargs
      .command(list)
      .command(describe)
      .command(check)
      .command(importCommand)
      .demandCommand(1, 1, 'say which: list, describe, check or import'),
  handler: () => {},
} satisfies CommandModule<object, object>;
