import type { CommandModule } from 'yargs';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { loadFaultPlan } from '#src/gateway/faults/schema.js';
import { Registry } from '#src/registry/registry.js';
import { paperTrade } from '#src/paper/paper-session.js';
import { narrator, paperText } from '#src/paper/paper-text.js';
import { interruption } from './interruption.js';

interface PaperArguments {
  bundle: string;
  data: string[] | undefined;
  from: string | undefined;
  to: string | undefined;
  fills: 'path' | 'backtest';
  speed: string;
  seed: number;
  faults: string | undefined;
  json: boolean;
}

export const paperCommand: CommandModule<object, PaperArguments> = {
  command: 'paper [bundle]',
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
      .option('json', { type: 'boolean', default: false, describe: 'Print the report as JSON' }),
  handler: async ({ bundle: reference, data, from, to, fills, speed, seed, faults, json }) => {
    const { registryDir, tradingDir, logLevel } = readRuntimeSettings(process.env);
    const bundle = new Registry(registryDir).load(reference);
    const signal = interruption('the runner settles what is in flight and leaves');
    const { report, folder } = await paperTrade({
      bundle,
      fills,
      seed,
      speed: speedOf(speed),
      tradingDir,
      logLevel,
      signal,
      listener: narrator((line) => console.error(line)),
      ...(data === undefined ? {} : { data }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(faults === undefined ? {} : { faults: loadFaultPlan(faults) }),
    });
    console.log(json ? JSON.stringify(report, null, 2) : `${paperText(report)}\n\njournal, logs and report: ${folder}`);
    if (signal.aborted) process.exitCode = 130;
  },
};

function speedOf(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const speed = Number(text);
  if (!(speed > 0 && Number.isFinite(speed)))
    fail('USAGE', { where: '--speed', value: text, message: 'write max, or market seconds a second such as 60' });
  return speed;
}
