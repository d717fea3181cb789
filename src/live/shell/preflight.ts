/**
 * What must be right before a runner may trade: asked of the broker, the disk and the bundle, each with what was found
 * and what to do. A failure refuses the start; a warning is told.
 */
import { existsSync, rmSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { calendarNamed } from '#env/market/calendar.js';
import type { BrokerEvent, ContractInfo, ExecutionReport } from '#src/broker/contract.js';
import { makeFolder } from '#src/data/make-folder.js';
import { OpenBellError } from '#src/errors.js';
import { shortId, type Bundle } from '#src/registry/bundle.js';
import type { AliasChange } from '#src/registry/registry.js';
import type { TraderConfig } from '../core/config.js';
import type { BrokerLine } from './broker-line.js';
import { JOURNAL_FILE, type TradingKind } from './account-folder.js';
import { Journal } from './journal.js';
import { liveVerdict } from './promotion-status.js';
import { promotionLines, type PromotionStatus } from './promotion-text.js';
import { traderOf } from './replay-journal.js';
import { contractProblem } from './broker-questions.js';
import { writeTickSizes } from './tick-sizes.js';

export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failure';
  readonly value: string;
  /** Empty where nothing is wrong. */
  readonly why: string;
  readonly remedy: string;
}

export interface PreflightOptions {
  readonly kind: TradingKind;
  readonly line: BrokerLine;
  readonly account: string;
  readonly bundle: Bundle;
  /** By which the alias live came to it. */
  readonly liveChange: AliasChange | null;
  readonly promotion: PromotionStatus;
  readonly config: TraderConfig;
  readonly folder: string;
  /** The gateway replays the past: its clock is its own. */
  readonly simulated: boolean;
  readonly nowMs: number;
}

const MOST_SKEW_MS = 5_000;
/** A clock so far off is no clock that is wrong, but a replay. */
const REPLAY_SKEW_MS = 86_400_000;
const NEEDED_BYTES = 200_000_000;
const DATA_TYPE_WITHIN_MS = 10_000;
const DATA_TYPES = ['', 'live', 'frozen', 'delayed', 'delayed and frozen'];
const PROBE_FILE = '.preflight.db';

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

const ok = (name: string, value: string): Check => ({ name, status: 'ok', value, why: '', remedy: '' });

function verdict(
  name: string,
  value: string,
  why: string,
  remedy: string,
  status: 'failure' | 'warning' = 'failure',
): Check {
  return why === '' ? ok(name, value) : { name, status, value, why, remedy };
}

function promotionCheck({ kind, account, bundle, liveChange, promotion }: PreflightOptions): Check {
  const name = 'promotion';
  const lines = promotionLines(promotion);
  const { why, remedy } = kind === 'live' ? liveVerdict(liveChange, bundle, account) : { why: '', remedy: '' };
  if (why !== '') return verdict(name, lines[0], why, remedy);
  return verdict(
    name,
    lines[0],
    lines.slice(1).join('; '),
    'train for what it did not pass, and promote that instead',
    'warning',
  );
}

export const isPaperAccount = (account: string): boolean => /^D[UF]/.test(account);

function accountKind({ kind, line, account }: PreflightOptions): Check {
  const others = line.accounts.filter((one) => !isPaperAccount(one));
  if (kind === 'paper')
    return verdict(
      'account',
      line.accounts.join(', '),
      others.length === 0 ? '' : `${others.join(', ')} is no paper account (DU..., DF...)`,
      'log in to the paper account, or trade with openbell live',
    );
  return verdict(
    'account',
    line.accounts.join(', '),
    line.accounts.includes(account) ? '' : `the gateway does not manage ${account}`,
    'confirm an account that it manages',
  );
}

/** Our calendar must not be open while the contract is not. */
function calendarCheck(name: string, { instrument, liquidHours, timeZone }: ContractInfo): Check {
  const label = `calendar ${instrument.symbol}`;
  const sessions = touching(liquidHours);
  if (sessions.length === 0)
    return verdict(label, name, 'the contract states no liquid hours', 'look at the contract in TWS: it may be halted');
  const calendar = calendarNamed(name);
  const fromMs = sessions[0].openMs;
  const toMs = sessions[sessions.length - 1].closeMs;
  let compared = 0;
  const wrong: string[] = [];
  for (let day = Math.floor(fromMs / REPLAY_SKEW_MS) - 1; day * REPLAY_SKEW_MS <= toMs; day++) {
    const own = calendar.sessionOnDay(day);
    if (own === null || own.openMs < fromMs || own.closeMs > toMs) continue;
    compared++;
    if (!sessions.some(({ openMs, closeMs }) => openMs <= own.openMs && own.closeMs <= closeMs))
      wrong.push(`${new Date(own.openMs).toISOString()} to ${new Date(own.closeMs).toISOString()}`);
  }
  return verdict(
    label,
    `${name}: ${compared} sessions inside the contract's liquid hours (${timeZone})`,
    wrong.length === 0 ? '' : `the contract is not liquid throughout ${wrong[0]}, when ${name} is open`,
    'do not trade over that session: the calendar of this version does not know of it',
  );
}

/** Sessions that follow one another without a gap, as one. */
function touching(hours: ContractInfo['liquidHours']): { openMs: number; closeMs: number }[] {
  const joined: { openMs: number; closeMs: number }[] = [];
  for (const { openMs, closeMs } of hours) {
    const last = joined.at(-1);
    if (last !== undefined && openMs <= last.closeMs) last.closeMs = Math.max(last.closeMs, closeMs);
    else joined.push({ openMs, closeMs });
  }
  return joined;
}

async function clockCheck({ line, simulated }: PreflightOptions): Promise<Check> {
  const answer = await line.broker.currentTime();
  const name = 'clock';
  if (!answer.known) return verdict(name, 'unknown', answer.reason, 'look whether the gateway answers at all');
  // the gateway tells whole seconds, the one under way
  const skewMs = Date.now() - answer.value - 500;
  const isReplay = Math.abs(skewMs) > REPLAY_SKEW_MS;
  const apart = isReplay ? 'a replay' : `${Math.abs(skewMs / 1000).toFixed(1)} s from this machine's`;
  const value = `gateway ${new Date(answer.value).toISOString()}, ${apart}`;
  if (simulated)
    return verdict(
      name,
      value,
      isReplay ? '' : 'this gateway lives in the present: it is no simulated one',
      'leave --simulated away',
    );
  return verdict(
    name,
    value,
    Math.abs(skewMs) <= MOST_SKEW_MS ? '' : `more than ${MOST_SKEW_MS / 1000} s apart`,
    isReplay ? 'a gateway that replays the past is traded with --simulated' : 'set the clock of this machine by NTP',
  );
}

/** What kind of market data each symbol gets: the gateway says so when it is subscribed. */
async function dataChecks({ kind, line }: PreflightOptions, contracts: readonly ContractInfo[]): Promise<Check[]> {
  const types = new Map<string, number>();
  const errors = new Map<string, string>();
  const told = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, DATA_TYPE_WITHIN_MS);
    line.listen((event: BrokerEvent) => {
      if (event.type === 'marketDataType') types.set(event.symbol, event.marketDataType);
      else if (event.type === 'dataError') errors.set(event.symbol, `${event.code} ${event.text}`);
      if (contracts.some(({ instrument: { symbol } }) => !types.has(symbol) && !errors.has(symbol))) return;
      clearTimeout(timer);
      resolve();
    });
    if (contracts.length === 0) {
      clearTimeout(timer);
      resolve();
    }
    for (const { instrument } of contracts) line.broker.subscribe(instrument);
  });
  await told;
  line.listen(() => undefined);
  for (const { instrument } of contracts) line.broker.unsubscribe(instrument.symbol);
  return contracts.map(({ instrument: { symbol } }) => {
    const type = types.get(symbol);
    const why =
      type === 1
        ? ''
        : type === undefined
          ? (errors.get(symbol) ?? `no market data type was told within ${DATA_TYPE_WITHIN_MS / 1000} s`)
          : `type ${type} is ${DATA_TYPES[type] ?? 'unknown'}, not live: entries are off`;
    return verdict(
      `market data ${symbol}`,
      type === undefined ? 'unknown' : `type ${type}, ${DATA_TYPES[type] ?? 'unknown'}`,
      why,
      'subscribe to live data for this contract, and end other sessions that hold it (10197)',
      kind === 'live' ? 'failure' : 'warning',
    );
  });
}

function diskCheck(folder: string): Check {
  makeFolder(folder);
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  return verdict(
    'disk',
    `${(free / 1e9).toFixed(1)} GB free at ${folder}`,
    free >= NEEDED_BYTES ? '' : `less than ${NEEDED_BYTES / 1e6} MB: a journal that cannot be written stops trading`,
    'make room, or set OPENBELL_TRADING_DIR to another disk',
  );
}

/** A journal of its own, written with the settings of the true one, and read again. */
function journalCheck(folder: string): Check {
  const file = path.join(folder, PROBE_FILE);
  const remove = (): void => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
  };
  const name = 'journal';
  const remedy = 'put OPENBELL_TRADING_DIR on a local disk that this user may write to';
  try {
    remove();
    const probe = Journal.open(file);
    probe.append({ type: 'clock', marketMs: 0, wallMs: 0 }, [{ type: 'reconcile' }]);
    probe.close();
    const again = Journal.read(file);
    const { length } = again;
    again.close();
    return verdict(
      name,
      'SQLite, WAL, synchronous=FULL',
      length === 1 ? '' : 'what was written did not come back',
      remedy,
    );
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return verdict(name, 'not written', error.message, remedy);
  } finally {
    remove();
  }
}

function tickFileCheck(folder: string, contracts: readonly ContractInfo[], nowMs: number): Check {
  try {
    const changed = writeTickSizes(folder, contracts, nowMs);
    return verdict(
      'tick sizes',
      `${contracts.length} in ${path.join(folder, 'tick-sizes.json')}`,
      changed.length === 0 ? '' : `${changed.join(', ')} had other ticks at the last start`,
      'check that resting orders lie on the new ticks',
      'warning',
    );
  } catch (error) {
    if (!(error instanceof OpenBellError)) throw error;
    return verdict('tick sizes', 'unknown', error.message, 'remove the file');
  }
}

async function fundsCheck({ line, config }: PreflightOptions): Promise<Check> {
  const answer = await line.broker.accountValues();
  if (!answer.known) return verdict('funds', 'unknown', answer.reason, 'look whether the account answers in TWS');
  const { netLiquidation, currency, buyingPower } = answer.value;
  const budget = config.market.initial_equity;
  return verdict(
    'funds',
    `${netLiquidation.toFixed(2)} ${currency}, buying power ${buyingPower.toFixed(2)}; budget ${budget}`,
    netLiquidation >= budget ? '' : "the budget is more than the account's worth",
    'give the runner less: equity in the policy file',
    'warning',
  );
}

/** Orders and positions that no journal of ours explains. */
async function holdingsChecks({ line, config, folder }: PreflightOptions): Promise<Check[]> {
  const [positions, orders, executions] = await Promise.all([
    line.broker.positions(),
    line.broker.openOrders(),
    line.broker.executions(),
  ]);
  if (!positions.known || !orders.known || !executions.known) {
    const missing = [positions, orders, executions].flatMap((one) => (one.known ? [] : [one.reason]));
    return [verdict('positions and orders', 'unknown', missing[0], 'look whether the gateway answers at all')];
  }
  const journal = holdingsOf(folder, executions.value);
  const tag = journal?.tag ?? config.tag;
  const refuses = config.care.foreign === 'refuse' ? 'failure' : 'warning';
  const foreign = orders.value.filter(
    ({ orderRef, state }) => !orderRef.startsWith(`${tag}-`) && state !== 'cancelled' && state !== 'filled',
  );
  const own = new Map(config.symbols.map(({ symbol }) => [symbol, journal?.positions.get(symbol) ?? 0]));
  for (const [symbol, quantity] of journal?.positions ?? []) own.set(symbol, quantity);
  const symbols = new Set([...own.keys(), ...positions.value.map(({ symbol }) => symbol)]);
  const held = (symbol: string): number => positions.value.find((one) => one.symbol === symbol)?.quantity ?? 0;
  const mismatched = [...symbols].filter((symbol) => own.has(symbol) && held(symbol) !== own.get(symbol));
  const unknown = [...symbols].filter((symbol) => !own.has(symbol) && held(symbol) !== 0);
  const value = [...symbols].map((symbol) => `${symbol} ${held(symbol)}`).join(', ');
  const remedy = 'close it by hand, or give the runner an account of its own';
  return [
    verdict(
      'positions',
      value === '' ? 'none' : value,
      mismatched.length === 0
        ? ''
        : `of ${mismatched[0]} our journal explains ${own.get(mismatched[0])}, the broker holds ${held(mismatched[0])}`,
      `${remedy}; if it is ours, restore the journal that opened it`,
    ),
    verdict(
      'other positions',
      unknown.length === 0 ? 'none' : unknown.map((symbol) => `${symbol} ${held(symbol)}`).join(', '),
      unknown.length === 0 ? '' : 'not ours',
      `${remedy}, or set care.foreign to ignore in the policy file`,
      refuses,
    ),
    verdict(
      'orders',
      `${orders.value.length - foreign.length} of ours`,
      foreign.length === 0
        ? ''
        : `${foreign.length} not ours, such as order ${foreign[0].orderId} (${foreign[0].symbol}, client ${foreign[0].clientId})`,
      'cancel them by hand, or set care.foreign to ignore in the policy file',
      refuses,
    ),
  ];
}

/** Positions by the folder's journal and what our orders have filled since; null: there is none. */
function holdingsOf(
  folder: string,
  executions: readonly ExecutionReport[],
): { readonly tag: string; readonly positions: Map<string, number> } | null {
  const file = path.join(folder, JOURNAL_FILE);
  if (!existsSync(file)) return null;
  const journal = Journal.read(file);
  try {
    if (journal.length === 0) return null;
    const trader = traderOf(journal);
    for (const report of executions) {
      const own = report.orderRef.startsWith(`${trader.config.tag}-`);
      if (own) trader.symbols.find(({ symbol }) => symbol === report.symbol)?.ledger.book(report);
    }
    return {
      tag: trader.config.tag,
      positions: new Map(trader.symbols.map(({ symbol, position }) => [symbol, position])),
    };
  } finally {
    journal.close();
  }
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
