/** `openbell train EXPERIMENT [key=value ...]` and `openbell train --resume RUN` */
import type { CommandModule } from 'yargs';
import type { TrainArguments } from './handlers/train.js';

export const trainCommand: CommandModule<object, TrainArguments> = {
  command: 'train [experiment] [overrides..]',
  describe: 'Train an agent from an experiment file, or resume a run',
  builder: (yargs) =>
    yargs
      .positional('experiment', { type: 'string', describe: 'Experiment file, e.g. experiments/quickstart.yaml' })
      .positional('overrides', {
        type: 'string',
        array: true,
        describe: 'Values that override the file, e.g. agent.learning_rate=1e-4',
      })
      .options({
        seed: { type: 'string', requiresArg: true, describe: 'Seeds every random stream; as the override seed=N' },
        seeds: {
          type: 'string',
          requiresArg: true,
          describe:
            'Train many seeds in parallel: 10 (counted up from the seed), 0-9 or 1,5,9; goes on where it was left',
        },
        jobs: {
          type: 'string',
          requiresArg: true,
          describe: 'With --seeds: how many trainings at a time; default: as the cores allow',
        },
        resume: {
          type: 'string',
          requiresArg: true,
          describe: 'Take up this run (folder, name or a checkpoint file) to the same bits as if never interrupted',
        },
        threads: {
          choices: [1, 2] as const,
          requiresArg: true,
          describe: 'Instead of training.threads, also when resuming: the bits are the same',
        },
        evaluate: {
          type: 'boolean',
          default: false,
          describe: 'Afterwards evaluate on the test window, with a report',
        },
        json: { type: 'boolean', default: false, describe: 'Print the result as JSON' },
      })
      .example('$0 train experiments/quickstart.yaml --seed 1 agent.learning_rate=1e-4', '')
      .example('$0 train experiments/quickstart.yaml --seeds 10 --evaluate', 'Ten seeds over the cores')
      .example('$0 train --resume latest', ''),
  handler: async (args) => (await import('./handlers/train.js')).trainExperiment(args),
};
