/** `openbell doctor` */
import type { CommandModule } from 'yargs';
import type { DoctorArguments } from './handlers/doctor.js';

export const doctorCommand: CommandModule<object, DoctorArguments> = {
  command: 'doctor',
  describe: 'Check that this machine has what OpenBell needs',
  builder: (yargs) =>
    yargs
      .option('live', {
        type: 'boolean',
        default: false,
        describe:
          'The pre-flight of openbell live instead: gateway, account, contracts, clock, disk, calendar, holdings',
      })
      .option('account', { type: 'string', describe: "Account; default: the gateway's only one" })
      .option('policy', { type: 'string', describe: 'Risk limits and policies of care (YAML)' })
      .option('simulated', { type: 'boolean', default: false, describe: 'The gateway is a simulated one' })
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' }),
  handler: async (args) => (await import('./handlers/doctor.js')).examine(args),
};
