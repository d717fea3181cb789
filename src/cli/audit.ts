/** `openbell audit RUN|EXPERIMENT` */
import type { CommandModule } from 'yargs';
import type { AuditArguments } from './handlers/audit.js';

export const auditCommand: CommandModule<object, AuditArguments> = {
  command: 'audit <target> [overrides..]',
  describe: 'Look for look-ahead in features, environment, training, splits and data; exit code 1 where there is any',
  builder: (yargs) =>
    yargs
      .positional('target', {
        type: 'string',
        demandOption: true,
        describe: 'Experiment file, or a run: folder, name or latest',
      })
      .positional('overrides', {
        type: 'string',
        array: true,
        describe: 'Values that override the experiment file, e.g. observation.warmup=100',
      })
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' })
      .example('$0 audit experiments/quickstart.yaml', 'Before anything is trained')
      .example('$0 audit latest', 'A run, its checkpoints included'),
  handler: async (args) => (await import('./handlers/audit.js')).audit(args),
};
