/** The pre-flight's checks of the market: contracts, calendar, clock, and what kind of data comes. */
import { calendarNamed, type Session, type TradingCalendar } from '#env/market/calendar.js';
import type { BrokerEvent, ContractInfo } from '#src/broker/contract.js';
import { OpenBellError } from '#src/errors.js';
import { verdict, type Check, type PreflightOptions } from './preflight-check.js';

const MOST_SKEW_MS = 5_000;
/** A clock so far off is no clock that is wrong, but a replay. */
const REPLAY_SKEW_MS = 86_400_000;
const DAY_MS = 86_400_000;
const DATA_TYPE_WITHIN_MS = 10_000;
const DATA_TYPES = ['', 'live', 'frozen', 'delayed', 'delayed and frozen'];

/** Our calendar must not be open while the contract is not. */
export function calendarCheck(name: string, { instrument, liquidHours, timeZone }: ContractInfo): Check {
  const label = `calendar ${instrument.symbol}`;
  const sessions = touching(liquidHours);
  if (sessions.length === 0)
    return verdict(label, name, 'the contract states no liquid hours', 'look at the contract in TWS: it may be halted');
  const calendar = calendarNamed(name);
  const { compared, wrong, unknown } = compareSessions(calendar, sessions);
  const value = `${name}: ${compared} sessions inside the contract's liquid hours (${timeZone})`;
  if (unknown !== '')
    return verdict(
      label,
      value,
      unknown,
      'update OpenBell: a calendar that does not know the day does not trade on it',
    );
  return verdict(
    label,
    value,
    wrong.length === 0 ? '' : `the contract is not liquid throughout ${wrong[0]}, when ${name} is open`,
    'do not trade over that session: the calendar of this version does not know of it',
  );
}

/** Our sessions within the contract's; `unknown`: why the calendar says nothing of them. */
function compareSessions(
  calendar: TradingCalendar,
  sessions: readonly Pick<Session, 'openMs' | 'closeMs'>[],
): { readonly compared: number; readonly wrong: readonly string[]; readonly unknown: string } {
  const fromMs = sessions[0].openMs;
  const toMs = sessions[sessions.length - 1].closeMs;
  let compared = 0;
  const wrong: string[] = [];
  try {
    for (let day = Math.floor(fromMs / DAY_MS) - 1; day * DAY_MS <= toMs; day++) {
      const own = calendar.sessionOnDay(day);
      if (own === null || own.openMs < fromMs || own.closeMs > toMs) continue;
      compared++;
      if (!sessions.some(({ openMs, closeMs }) => openMs <= own.openMs && own.closeMs <= closeMs))
        wrong.push(`${new Date(own.openMs).toISOString()} to ${new Date(own.closeMs).toISOString()}`);
    }
  } catch (error) {
    if (!(error instanceof OpenBellError)) throw error;
    return { compared, wrong, unknown: error.message };
  }
  return { compared, wrong, unknown: '' };
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

export async function clockCheck({ line, simulated }: PreflightOptions): Promise<Check> {
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
export async function dataChecks(
  { kind, line }: PreflightOptions,
  contracts: readonly ContractInfo[],
): Promise<Check[]> {
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
