#!/usr/bin/env node
/**
 * The command line: finds the command, loads its module alone, and turns errors into a line and an exit code. A module
 * exports a yargs CommandModule: options alone, so that help and usage errors come at once. What the command does stands
 * in handlers/, loaded when it is asked for: it calls one function of the library and prints; it fails by throwing.
 */
import type { Argv } from 'yargs';
import { nearestName } from '#src/config/suggest.js';
import { fail, OpenBellError } from '#src/errors.js';

interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly register: (yargs: Argv) => Promise<Argv>;
}

const COMMANDS: readonly Entry[] = [
  {
    name: 'train',
    summary: 'Train an agent from an experiment file, or resume a run',
    register: async (yargs) => yargs.command((await import('./train.js')).trainCommand),
  },
  {
    name: 'sweep',
    summary: 'Search the keys of an experiment for what does best on the validation window',
    register: async (yargs) => yargs.command((await import('./sweep.js')).sweepCommand),
  },
  {
    name: 'walk-forward',
    summary: 'Train window after window over all seeds, and judge what follows each',
    register: async (yargs) => yargs.command((await import('./walk-forward.js')).walkForwardCommand),
  },
  {
    name: 'evaluate',
    summary: 'Judge a run on held-out bars against honest baselines',
    register: async (yargs) => yargs.command((await import('./evaluate.js')).evaluateCommand),
  },
  {
    name: 'compare',
    summary: 'Compare experiments over all their seeds, with intervals and a verdict',
    register: async (yargs) => yargs.command((await import('./compare.js')).compareCommand),
  },
  {
    name: 'replay',
    summary: 'Train a run again and compare it to the bit',
    register: async (yargs) => yargs.command((await import('./replay.js')).replayCommand),
  },
  {
    name: 'audit',
    summary: 'Look for look-ahead in features, environment, training, splits and data',
    register: async (yargs) => yargs.command((await import('./audit.js')).auditCommand),
  },
  {
    name: 'prove',
    summary: 'Train on markets whose best policy is known',
    register: async (yargs) => yargs.command((await import('./prove.js')).proveCommand),
  },
  {
    name: 'env-server',
    summary: "Serve an experiment's environment to another program, such as a Gymnasium client",
    register: async (yargs) => yargs.command((await import('./env-server.js')).envServerCommand),
  },
  {
    name: 'data',
    summary: 'List, import, check and describe data sets',
    register: async (yargs) => yargs.command((await import('./data.js')).dataCommand),
  },
  {
    name: 'gateway',
    summary: 'Serve a simulated Interactive Brokers gateway',
    register: async (yargs) => yargs.command((await import('./gateway.js')).gatewayCommand),
  },
  {
    name: 'runs',
    summary: 'List, show, tag, archive and delete runs',
    register: async (yargs) => yargs.command((await import('./runs.js')).runsCommand),
  },
  {
    name: 'promote',
    summary: 'Freeze a run in a bundle and move an alias to it',
    register: async (yargs) => yargs.command((await import('./promote.js')).promoteCommand),
  },
  {
    name: 'rollback',
    summary: 'Move an alias back to the bundle before',
    register: async (yargs) => yargs.command((await import('./rollback.js')).rollbackCommand),
  },
  {
    name: 'retrain',
    summary: 'Train an incumbent further on the days since, and judge its challenger',
    register: async (yargs) => yargs.command((await import('./retrain.js')).retrainCommand),
  },
  {
    name: 'paper',
    summary: 'Trade a bundle on the simulated gateway, and compare with the backtest',
    register: async (yargs) => yargs.command((await import('./paper.js')).paperCommand),
  },
  {
    name: 'live',
    summary: 'Trade real money at Interactive Brokers; status, pause, flatten, kill',
    register: async (yargs) => yargs.command((await import('./live.js')).liveCommand),
  },
  {
    name: 'registry',
    summary: 'Look at bundles, aliases and their history',
    register: async (yargs) => yargs.command((await import('./registry.js')).registryCommand),
  },
  {
    name: 'config',
    summary: 'Show what a configuration means, and what it may hold',
    register: async (yargs) => yargs.command((await import('./config.js')).configCommand),
  },
  {
    name: 'doctor',
    summary: 'Check that this machine has what OpenBell needs',
    register: async (yargs) => yargs.command((await import('./doctor.js')).doctorCommand),
  },
];

const HELP = `openbell <command>

Commands:
${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`).join('\n')}

Options:
  --help     Show help; after a command, that command's
  --version  Show the version

Examples:
  openbell train experiments/quickstart.yaml --evaluate
  openbell train experiments/quickstart.yaml --seed 1 agent.learning_rate=1e-4
  openbell evaluate latest`;

/** Runs one command line. Returns when it is done; errors are thrown. */
async function run(argv: readonly string[]): Promise<void> {
  const [first] = argv;
  if (first === undefined || first === 'help' || first === '--help' || first === '-h') {
    console.log(HELP);
    if (first === undefined) process.exitCode = 2;
    return;
  }
  if (first === '--version' || first === '-v') {
    console.log((await import('#src/lab/provenance.js')).packageVersion());
    return;
  }
  const entry = COMMANDS.find(({ name }) => name === first);
  if (entry === undefined) {
    const near = nearestName(
      first,
      COMMANDS.map(({ name }) => name),
    );
    const hint = near === null ? '`openbell --help` lists them' : `did you mean "${near}"?`;
    return fail('USAGE', {
      where: first.startsWith('-') ? 'option' : 'command',
      value: first,
      message: `there is no such thing; ${hint}`,
    });
  }
  refuseRepeated(argv);
  const { default: yargs } = await import('yargs');
  const parser = (await entry.register(yargs([...argv])))
    .scriptName('openbell')
    .locale('en')
    .parserConfiguration({ 'dot-notation': false })
    .demandCommand(1)
    .strict()
    .version(false)
    .help()
    .alias('help', 'h')
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .exitProcess(false)
    // one place prints errors: the end of this file
    .fail((message: string | null, error: Error | undefined) => {
      if (error !== undefined && error.name !== 'YError') throw error;
      throw new UsageProblem(message ?? error?.message ?? 'this cannot be understood');
    });
  try {
    await parser.parseAsync();
  } catch (error) {
    if (!(error instanceof UsageProblem)) throw error;
    fail('USAGE', { where: `openbell ${first}`, message: describeUsage(error.message, await parser.getHelp()) });
  }
}

/** Options that make a list when they are repeated. */
const REPEATABLE = ['--data'];

/** Two seeds, or two runs: which one is meant cannot be known. */
function refuseRepeated(argv: readonly string[]): void {
  const names = argv.filter((text) => /^--[a-z]/.test(text)).map((text) => text.replace(/=.*$/s, ''));
  const repeated = names.find((name, index) => names.indexOf(name) !== index && !REPEATABLE.includes(name));
  if (repeated !== undefined)
    fail('USAGE', { where: `openbell ${argv[0]}`, value: repeated, message: 'is given twice; give it once' });
}

/** What yargs finds wrong with a command line. */
class UsageProblem extends Error {}

/** yargs' message in one line, with the nearest option that the help names. */
function describeUsage(message: string, help: string): string {
  const text = message.trim().replace(/\s*\n\s*/g, ' ');
  if (text.startsWith('Not enough non-option arguments'))
    return 'an argument is missing; --help shows which (a file whose name begins with a dash is written ./-name)';
  const unknown = /^Unknown arguments?: (\S+?)(?:,|$)/.exec(text)?.[1];
  const options = [...help.matchAll(/--([a-z][a-z-]*)/g)].map((match) => match[1]);
  const near = unknown === undefined ? null : nearestName(unknown, [...new Set(options)]);
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}; ${near === null ? '--help shows what is understood' : `did you mean --${near}?`}`;
}

/** What the operating system refuses, in our words: a full disk or a folder without permission is no defect of ours. */
function fromSystem(error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'))
    return error;
  const { code } = error;
  return new OpenBellError('FILE_SYSTEM', {
    where: 'path' in error && typeof error.path === 'string' ? error.path : String(error.syscall),
    value: code,
    message: SYSTEM_REMEDIES[code] ?? `the system refuses this (${error.message})`,
    cause: error,
  });
}

const NO_PERMISSION =
  'there is no permission for this: change it, or choose another place (OPENBELL_RUNS_DIR for runs)';
const NO_FOLDER =
  'a part of this path is a file, not a folder: move it, or choose another place (OPENBELL_RUNS_DIR for runs)';
const SYSTEM_REMEDIES: Readonly<Record<string, string>> = {
  EACCES: NO_PERMISSION,
  EPERM: NO_PERMISSION,
  EROFS: 'this place can only be read: choose another one (OPENBELL_RUNS_DIR for runs)',
  ENOTDIR: NO_FOLDER,
  EEXIST: NO_FOLDER,
  ENOENT:
    'there is no such place, or it vanished meanwhile: make it, or choose another one (OPENBELL_RUNS_DIR for runs)',
  ENOSPC: 'the disk is full: make room; a training run goes on with openbell train --resume',
  EMFILE: 'too many files are open: raise the limit (ulimit -n)',
};

// `openbell ... | head` closes the pipe early: nobody reads on, and there is nothing to say
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await run(process.argv.slice(2));
} catch (thrown) {
  const error = fromSystem(thrown);
  if (error instanceof OpenBellError) {
    console.error(error.message);
    process.exitCode = error.exitCode;
  } else {
    console.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    console.error(
      'This is a defect of OpenBell, not of your input: please report it with the lines above and the command line.',
    );
    process.exitCode = 1;
  }
}
