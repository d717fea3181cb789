/** Contracts inside requests. */
import type { FieldReader } from './fields.js';
import type { ComboLeg, Contract, ContractQuery, TagValue } from './types.js';

/** conId, symbol, secType, lastTradeDate, strike, right, multiplier, exchange, primaryExch, currency, localSymbol, tradingClass */
export function readContract(r: FieldReader): Contract {
  return {
    conId: r.int('conId'),
    symbol: r.text(),
    secType: r.text().toUpperCase(),
    lastTradeDateOrContractMonth: r.text(),
    strike: r.double('strike'),
    right: readRight(r.text()),
    multiplier: r.text(),
    exchange: r.text(),
    primaryExchange: r.text(),
    currency: r.text(),
    localSymbol: r.text(),
    tradingClass: r.text(),
  };
}

function readRight(text: string): string {
  return text === '0' || text === '?' ? '' : text;
}

/** The same without the primary exchange (exerciseOptions). */
export function readContractWithoutPrimary(r: FieldReader): Contract {
  return {
    conId: r.int('conId'),
    symbol: r.text(),
    secType: r.text().toUpperCase(),
    lastTradeDateOrContractMonth: r.text(),
    strike: r.double('strike'),
    right: readRight(r.text()),
    multiplier: r.text(),
    exchange: r.text(),
    primaryExchange: '',
    currency: r.text(),
    localSymbol: r.text(),
    tradingClass: r.text(),
  };
}

export function toQuery(contract: Contract): ContractQuery {
  return {
    ...contract,
    includeExpired: false,
    secIdType: '',
    secId: '',
    issuerId: '',
    comboLegs: [],
    deltaNeutralContract: null,
  };
}

/** A contract and whether expired ones are meant too. */
export function readContractAndExpired(r: FieldReader): ContractQuery {
  return { ...toQuery(readContract(r)), includeExpired: r.bool('includeExpired') };
}

/** Legs of a combo; orders say more of each than data requests. */
export function readComboLegs(r: FieldReader, ofOrder: boolean): readonly ComboLeg[] {
  const count = r.count('comboLegs');
  const legs: ComboLeg[] = [];
  for (let i = 0; i < count; i++) {
    legs.push({
      conId: r.int('comboLeg.conId'),
      ratio: r.int('comboLeg.ratio'),
      action: r.text(),
      exchange: r.text(),
      openClose: ofOrder ? r.int('comboLeg.openClose') : 0,
      shortSaleSlot: ofOrder ? r.int('comboLeg.shortSaleSlot') : 0,
      designatedLocation: ofOrder ? r.text() : '',
      exemptCode: ofOrder ? r.int('comboLeg.exemptCode') : -1,
    });
  }
  return legs;
}

export function readTagValues(r: FieldReader, name: string): readonly TagValue[] {
  const count = r.count(name);
  const values: TagValue[] = [];
  for (let i = 0; i < count; i++) values.push({ tag: r.text(), value: r.text() });
  return values;
}
