/** Instruments as the broker's contracts, and back: what is known by conId is known for sure. */
import { SecType, type Contract, type ContractDetails } from '@stoqey/ib';
import type { Instrument } from '#env/market/instrument.js';
import type { Answer, ContractInfo } from './contract.js';
import { sessionsOf, zoneOf } from './ib-time.js';

const SEC_TYPES = { STK: SecType.STK, CASH: SecType.CASH, IND: SecType.IND } as const;

/** What asks for an instrument's contract. Currency pairs: EURUSD is EUR, priced in USD. */
export function contractOf({ symbol, securityType, currency, exchange }: Instrument): Contract {
  const secType = SEC_TYPES[securityType];
  const pair = securityType === 'CASH' ? /^([A-Z]{3})[./]?([A-Z]{3})$/.exec(symbol) : null;
  return pair === null
    ? { symbol, secType, exchange, currency }
    : { symbol: pair[1], secType, exchange, currency: pair[2] };
}

export interface KnownContract {
  readonly info: ContractInfo;
  /** As requests and orders name it. */
  readonly contract: Contract;
}

export class Contracts {
  readonly #bySymbol = new Map<string, KnownContract>();
  readonly #symbolOf = new Map<number, string>();

  get(symbol: string): KnownContract | undefined {
    return this.#bySymbol.get(symbol);
  }

  add(info: ContractInfo): void {
    const { instrument, conId } = info;
    this.#bySymbol.set(instrument.symbol, { info, contract: { ...contractOf(instrument), conId } });
    this.#symbolOf.set(conId, instrument.symbol);
  }

  /**
   * The symbol under which we trade this contract. Another one never gets it: an option on AAPL, or AAPL in another
   * currency, is called by its local symbol and conId.
   */
  symbolOf({ conId, symbol, secType, currency, localSymbol }: Contract): string {
    const known = conId === undefined ? undefined : this.#symbolOf.get(conId);
    if (known !== undefined) return known;
    const name = secType === SecType.CASH ? `${symbol}${currency}` : (symbol ?? '');
    const plain = secType === SecType.STK || secType === SecType.CASH || secType === SecType.IND;
    return plain && !this.#bySymbol.has(name) ? name : `${localSymbol || name} ${secType}#${conId ?? 0}`;
  }
}

export type Ticks = Instrument['ticks'];

/** The rule of the exchange that the instrument trades at; null: the details name none. */
export function marketRuleId({ validExchanges, marketRuleIds }: ContractDetails, exchange: string): number | null {
  const exchanges = (validExchanges ?? '').split(',');
  const ids = (marketRuleIds ?? '').split(',').map((id) => (id.trim() === '' ? NaN : Number(id)));
  const at = Math.max(0, exchanges.indexOf(exchange));
  return Number.isInteger(ids[at]) ? ids[at] : null;
}

/** `rows`: the details that came. Exactly one contract must fit. */
export function contractInfo(
  instrument: Instrument,
  rows: readonly ContractDetails[],
  ticks: Ticks,
): Answer<ContractInfo> {
  const [details] = rows;
  const { conId } = details.contract;
  const zone = details.timeZoneId === undefined ? null : zoneOf(details.timeZoneId);
  if (conId === undefined || !(conId > 0)) return no(`the details of ${instrument.symbol} have no conId`);
  if (zone === null) return no(`the time zone of ${instrument.symbol} is not known: ${details.timeZoneId ?? 'none'}`);
  return {
    known: true,
    value: {
      conId,
      instrument: { ...instrument, ticks },
      longName: details.longName ?? '',
      timeZone: zone.timeZone,
      liquidHours: sessionsOf(details.liquidHours ?? '', zone),
    },
  };
}

/** Price bands of a market rule; null where they make no sense. */
export function ticksOf(increments: readonly unknown[]): Ticks | null {
  const bands = increments.map((row) => ({ lowEdge: numberIn(row, 'lowEdge'), increment: numberIn(row, 'increment') }));
  bands.sort((a, b) => a.lowEdge - b.lowEdge);
  const sound = bands.every(
    ({ lowEdge, increment }, index) =>
      lowEdge >= 0 && increment > 0 && increment < Infinity && (index === 0 || lowEdge > bands[index - 1].lowEdge),
  );
  return sound && bands.length > 0 && bands[0].lowEdge === 0 ? bands : null;
}

function numberIn(row: unknown, key: string): number {
  const found: unknown = typeof row === 'object' && row !== null ? Reflect.get(row, key) : undefined;
  return typeof found === 'number' ? found : NaN;
}

function no(reason: string): Answer<never> {
  return { known: false, code: null, reason };
}
