/**
 * What must be right before a runner may trade: asked of the broker, the disk and the bundle, each with what was found
 * and what to do. A failure refuses the start; a warning is told.
 */
import { shortId } from '#src/registry/bundle.js';
import { contractProblem } from './broker-questions.js';
import { accountKind, fundsCheck, holdingsChecks, promotionCheck } from './preflight-account.js';
import { ok, verdict, type Check, type PreflightOptions } from './preflight-check.js';
import { diskCheck, journalCheck, tickFileCheck } from './preflight-disk.js';
import { calendarCheck, clockCheck, dataChecks } from './preflight-market.js';

export const passes = (checks: readonly Check[]): boolean => checks.every(({ status }) => status !== 'failure');

/** All checks, in the order in which they are asked. What cannot be asked is a failure too; nothing is thrown. */
export async function preflight(options: PreflightOptions): Promise<Check[]> {
  const { line, bundle, config, account } = options;
  const contracts = await Promise.all(
    config.symbols.map(async ({ instrument }) => ({ instrument, answer: await line.broker.contract(instrument) })),
  );
  const known = contracts.flatMap(({ answer }) => (answer.known ? [answer.value] : []));
  const manifest = bundle.manifest;
  return [
    ok(
      'bundle',
      `${manifest.name} seed ${manifest.run.seed}, ${shortId(bundle.sha256)}, observation ${manifest.observation.feature_set}`,
    ),
    promotionCheck(options),
    ok('connection', `account ${account}, server version ${line.serverVersion}`),
    accountKind(options),
    ...contracts.map(({ instrument, answer }) =>
      verdict(
        `contract ${instrument.symbol}`,
        answer.known ? `conId ${answer.value.conId}, ${answer.value.longName}`.trim() : 'unknown',
        contractProblem(instrument, answer) ?? '',
        'trade what the bundle was trained for: train on data whose manifest has the ticks and the lot of the contract',
      ),
    ),
    ...known.map((contract) => calendarCheck(config.calendar, contract)),
    await clockCheck(options),
    ...(await dataChecks(options, known)),
    diskCheck(options.folder),
    journalCheck(options.folder),
    tickFileCheck(options.folder, known, options.nowMs),
    await fundsCheck(options),
    ...(await holdingsChecks(options)),
  ];
}

/** The table that a person reads. */
export function preflightText(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .map(({ name, status, value, why, remedy }) => {
      const head = `${status.padEnd(7)}  ${name.padEnd(width)}  ${value}`;
      return why === '' ? head : `${head}\n${' '.repeat(11 + width)}${why}: ${remedy}`;
    })
    .join('\n');
}
