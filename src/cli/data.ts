/** `openbell data list | describe | check | import` */
import type { Argv, CommandModule } from 'yargs';
import { CALENDAR_NAMES } from '#env/market/calendar.js';
import { DEFAULT_CHECK } from '#src/data/check-options.js';
import type { CheckArguments, DescribeArguments, ImportArguments, ListArguments } from './handlers/data.js';

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

const list = {
  command: 'list',
  describe: 'List the data sets that can be named',
  builder: (yargs: Argv) => yargs.options(json),
  handler: async (args: ListArguments) => (await import('./handlers/data.js')).listData(args),
};

const describe = {
  command: 'describe <dataset>',
  describe: 'Describe a data set: instrument, range, segments, prices, returns',
  builder: (yargs: Argv) =>
    yargs
      .positional('dataset', { type: 'string', demandOption: true, describe: 'Name, manifest or CSV file' })
      .options({ ...csvOptions, ...json }),
  handler: async (args: DescribeArguments) => (await import('./handlers/data.js')).describeData(args),
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
  handler: async (args: CheckArguments) => (await import('./handlers/data.js')).checkData(args),
};

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
  handler: async (args: ImportArguments) => (await import('./handlers/data.js')).importData(args),
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
