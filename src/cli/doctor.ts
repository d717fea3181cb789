/** `openbell doctor` */
import type { CommandModule } from 'yargs';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { examineMachine } from '#src/lab/doctor.js';

export const doctorCommand: CommandModule<object, { json: boolean }> = {
  command: 'doctor',
  describe: 'Check that this machine has what OpenBell needs',
  builder: (yargs) => yargs.options({ json: { type: 'boolean', default: false, describe: 'Print JSON' } }),
  handler: async ({ json }) => {
    const findings = await examineMachine(readRuntimeSettings(process.env).runsDir);
    if (json) console.log(JSON.stringify(findings));
    else
      for (const { status, name, detail } of findings) console.log(`${status.padEnd(8)} ${name.padEnd(22)} ${detail}`);
    if (findings.some(({ status }) => status === 'failure')) process.exitCode = 1;
  },
};
