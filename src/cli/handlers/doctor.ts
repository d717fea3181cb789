/** What `openbell doctor` does. */
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';

export interface DoctorArguments {
  live: boolean;
  account: string | undefined;
  policy: string | undefined;
  simulated: boolean;
  json: boolean;
}

export async function examine(args: DoctorArguments): Promise<void> {
  if (!args.live && (args.account ?? args.policy) !== undefined)
    fail('USAGE', { where: 'openbell doctor', message: '--account and --policy are of the pre-flight: add --live' });
  if (args.live) return (await import('./live-trade.js')).checkLive(args);
  const { json } = args;
  const { examineMachine } = await import('#src/lab/doctor.js');
  const findings = await examineMachine(readRuntimeSettings(process.env).runsDir);
  if (json) console.log(JSON.stringify(findings));
  else for (const { status, name, detail } of findings) console.log(`${status.padEnd(8)} ${name.padEnd(22)} ${detail}`);
  if (findings.some(({ status }) => status === 'failure')) process.exitCode = 1;
}
