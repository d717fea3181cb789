import type { CommandModule } from 'yargs';
import type { PaperArguments, ReportArguments } from './handlers/paper.js';

const reportCommand: CommandModule<object, ReportArguments> = {
  command: 'report <folder>',
  describe: 'Report on what a session, or an account, has journalled by now',
  builder: (yargs) =>
    yargs
      .positional('folder', { type: 'string', demandOption: true, describe: 'Of the session or account, or a journal' })
      .option('bundle', { type: 'string', describe: 'A bundle file, where the registry here does not hold it' })
      .option('json', { type: 'boolean', default: false, describe: 'Print the report as JSON' }),
  handler: async (args) => (await import('./handlers/paper.js')).reportOnFolder(args),
};

const tradeCommand: CommandModule<object, PaperArguments> = {
  command: '$0 [bundle]',
  describe: 'Trade a bundle on the simulated gateway, and compare with the backtest',
  builder: (yargs) =>
    yargs
      .positional('bundle', { type: 'string', default: 'paper', describe: 'An alias, an id, or a file' })
      .option('data', {
        type: 'string',
        array: true,
        describe: "Data sets to replay, one a symbol; default: the bundle's",
      })
      .option('from', { type: 'string', describe: 'Replay bars from this date on; default: the last tenth' })
      .option('to', { type: 'string', describe: 'Up to this date, exclusive' })
      .option('fills', {
        choices: ['path', 'backtest'] as const,
        default: 'path' as const,
        describe: 'Orders meet a tick path, or the rules of the backtest exactly',
      })
      .option('speed', { type: 'string', default: 'max', describe: 'Market seconds a second, or max (in lockstep)' })
      .option('seed', { type: 'number', default: 1, describe: 'Of the tick path' })
      .option('faults', { type: 'string', describe: 'Fault plan (YAML)' })
      .option('gateway', {
        type: 'string',
        conflicts: ['data', 'from', 'to', 'faults'],
        describe: 'Trade a paper account at this gateway instead: host:port (IB_CLIENT_ID)',
      })
      .option('account', {
        type: 'string',
        implies: 'gateway',
        describe: 'Paper account; needed where there are several',
      })
      .option('policy', { type: 'string', describe: 'Risk limits and policies of care (YAML)' })
      .option('on-exit', {
        choices: ['leave', 'close'] as const,
        implies: 'gateway',
        describe: 'What the end does with a position: leave it protected, or close it',
      })
      .option('simulated', {
        type: 'boolean',
        default: false,
        describe: 'The gateway at --gateway is a simulated one, which replays the past',
      })
      .option('json', { type: 'boolean', default: false, describe: 'Print the report as JSON' }),
  handler: async (args) => (await import('./handlers/paper.js')).tradeOnPaper(args),
};

export const paperCommand: CommandModule = {
  command: 'paper',
  describe: 'Trade a bundle on the simulated gateway or in a paper account, and report',
  builder: (yargs) => yargs.command(tradeCommand).command(reportCommand),
  handler: () => {},
};
