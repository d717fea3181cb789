/** `openbell doctor` */
import type { CommandModule } from 'yargs';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';

interface DoctorArguments {
  live: boolean;
  account: string | undefined;
  policy: string | undefined;
  simulated: boolean;
  json: boolean;
}

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
  handler: async (args) => {
    if (!args.live && (args.account ?? args.policy) !== undefined)
      fail('USAGE', { where: 'openbell doctor', message: '--account and --policy are of the pre-flight: add --live' });
    if (args.live) return (await import('./live-trade.js')).checkLive(args);
    const { json } = args;
    const { examineMachine } = await import('#src/lab/doctor.js');
    const findings = await examineMachine(readRuntimeSettings(process.env).runsDir);
    if (json) console.log(JSON.stringify(findings));
    else
      for (const { status, name, detail } of findings) console.log(`${status.padEnd(8)} ${name.padEnd(22)} ${detail}`);
    if (findings.some(({ status }) => status === 'failure')) process.exitCode = 1;
  },
};
