/** What `openbell paper` does. */
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { loadFaultPlan } from '#src/gateway/faults/schema.js';
import { Registry } from '#src/registry/registry.js';
import { paperAtGateway } from '#src/paper/gateway-session.js';
import { paperTrade } from '#src/paper/paper-session.js';
import { paperText } from '#src/paper/paper-text.js';
import type { PaperResult } from '#src/paper/report.js';
import { reportAgain } from '#src/paper/report-again.js';
import { narrator } from '#src/live/shell/narrator.js';
import { DEFAULT_POLICY, readPolicy } from '#src/live/shell/policy-file.js';
import { interruption, stopSignal } from '../interruption.js';

export interface PaperArguments {
  bundle: string;
  data: string[] | undefined;
  from: string | undefined;
  to: string | undefined;
  fills: 'path' | 'backtest';
  speed: string;
  seed: number;
  faults: string | undefined;
  gateway: string | undefined;
  account: string | undefined;
  policy: string | undefined;
  'on-exit': 'leave' | 'close' | undefined;
  simulated: boolean;
  json: boolean;
}

export interface ReportArguments {
  folder: string;
  bundle: string | undefined;
  json: boolean;
}

export async function reportOnFolder({ folder, bundle, json }: ReportArguments): Promise<void> {
  const { registryDir } = readRuntimeSettings(process.env);
  const found = await reportAgain(new Registry(registryDir), folder, bundle ?? null);
  print(json, found.result, found.folder);
}

function print(json: boolean, { report }: PaperResult, folder: string): void {
  console.log(json ? JSON.stringify(report, null, 2) : `${paperText(report)}\n\njournal, logs, report.html: ${folder}`);
}

export async function tradeOnPaper(args: PaperArguments): Promise<void> {
  if (args.gateway !== undefined) return atGateway(args, args.gateway);
  const { bundle: reference, data, from, to, fills, speed, seed, faults, json } = args;
  const policy = args.policy === undefined ? null : readPolicy(args.policy);
  const { registryDir, tradingDir, logLevel } = readRuntimeSettings(process.env);
  const bundle = new Registry(registryDir).load(reference);
  const signal = interruption('the runner settles what is in flight and leaves');
  const { result, folder } = await paperTrade({
    bundle,
    fills,
    seed,
    speed: speedOf(speed),
    tradingDir,
    logLevel,
    signal,
    listener: narrator((line) => console.error(line)),
    ...(policy === null ? {} : { policy }),
    ...(data === undefined ? {} : { data }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(faults === undefined ? {} : { faults: loadFaultPlan(faults) }),
  });
  print(json, result, folder);
  if (signal.aborted) process.exitCode = 130;
}

/** The same runner as openbell live, at a real gateway, in an account without real money. */
async function atGateway(args: PaperArguments, gateway: string): Promise<void> {
  const { registryDir, tradingDir, logLevel, ib } = readRuntimeSettings(process.env);
  const policy = args.policy === undefined ? DEFAULT_POLICY : readPolicy(args.policy);
  const say = (line: string): void => console.error(line);
  const { outcome, result } = await paperAtGateway({
    kind: 'paper',
    registry: new Registry(registryDir),
    reference: args.bundle,
    address: { ...addressOf(gateway), clientId: ib.clientId },
    account: args.account ?? null,
    policy,
    onExit: args['on-exit'] ?? policy.care.on_shutdown,
    simulated: args.simulated,
    tradingDir,
    logLevel,
    listener: narrator(say),
    print: say,
    signal: stopSignal(),
  });
  print(args.json, result, outcome.folder);
}

function addressOf(text: string): { host: string; port: number } {
  const found = /^(?:(.+):)?(\d{1,5})$/.exec(text);
  const port = Number(found?.[2]);
  if (!(port >= 1 && port <= 65_535))
    fail('USAGE', { where: '--gateway', value: text, message: 'write host:port, such as 127.0.0.1:4002' });
  return { host: found?.[1] ?? '127.0.0.1', port };
}

function speedOf(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const speed = Number(text);
  if (!(speed > 0 && Number.isFinite(speed)))
    fail('USAGE', { where: '--speed', value: text, message: 'write max, or market seconds a second such as 60' });
  return speed;
}
