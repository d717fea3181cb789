/** What the account is worth, in the keys and tags of the TWS API. */
import { MICROS, type Position } from './ledger.js';
import { marginsOf, INITIAL_MARGIN } from './margin.js';
import type { World } from './world.js';

export interface AccountFigures {
  readonly cash: number;
  readonly netLiquidation: number;
  readonly grossPosition: number;
  readonly netPosition: number;
  readonly initialMargin: number;
  readonly maintenanceMargin: number;
  readonly unrealized: number;
  readonly realized: number;
  readonly daily: number;
}

/** Value of a position at the mark, and what it has gained, in currency. */
export function valueOf(world: World, feed: number): { value: number; unrealized: number; price: number } {
  const position = world.ledger.positions[feed];
  const price = world.mark(feed);
  const valueMicros = Math.round(position.quantity * price * MICROS);
  return { value: valueMicros / MICROS, unrealized: (valueMicros - position.costMicros) / MICROS, price };
}

export function figuresOf(world: World): AccountFigures {
  const { ledger } = world;
  let gross = 0;
  let net = 0;
  let unrealized = 0;
  ledger.positions.forEach((position, feed) => {
    if (position.quantity === 0) return;
    const one = valueOf(world, feed);
    gross += Math.abs(one.value);
    net += one.value;
    unrealized += one.unrealized;
  });
  const margins = marginsOf(
    world.feeds.map(({ index }) => ({ quantity: ledger.positions[index].quantity, price: world.mark(index) })),
  );
  const netMicros = ledger.netLiquidationMicros((feed) => world.mark(feed));
  return {
    cash: ledger.cashMicros / MICROS,
    netLiquidation: netMicros / MICROS,
    grossPosition: gross,
    netPosition: net,
    initialMargin: margins.initial,
    maintenanceMargin: margins.maintenance,
    unrealized,
    realized: ledger.dayRealizedMicros / MICROS,
    daily: (netMicros - ledger.dayStartMicros) / MICROS,
  };
}

export interface AccountValue {
  readonly key: string;
  readonly value: string;
  readonly currency: string;
}

const money = (amount: number): string => amount.toFixed(2);

/** Tags of reqAccountSummary and keys of account updates that are amounts. */
function amounts(f: AccountFigures): Record<string, number> {
  const available = f.netLiquidation - f.initialMargin;
  const excess = f.netLiquidation - f.maintenanceMargin;
  return {
    AccruedCash: 0,
    AccruedDividend: 0,
    AvailableFunds: available,
    BuyingPower: Math.max(0, available / INITIAL_MARGIN),
    EquityWithLoanValue: f.netLiquidation,
    ExcessLiquidity: excess,
    FullAvailableFunds: available,
    FullExcessLiquidity: excess,
    FullInitMarginReq: f.initialMargin,
    FullMaintMarginReq: f.maintenanceMargin,
    GrossPositionValue: f.grossPosition,
    InitMarginReq: f.initialMargin,
    LookAheadAvailableFunds: available,
    LookAheadExcessLiquidity: excess,
    LookAheadInitMarginReq: f.initialMargin,
    LookAheadMaintMarginReq: f.maintenanceMargin,
    MaintMarginReq: f.maintenanceMargin,
    NetLiquidation: f.netLiquidation,
    PreviousDayEquityWithLoanValue: f.netLiquidation - f.daily,
    RegTEquity: f.netLiquidation,
    RegTMargin: f.initialMargin,
    SMA: available,
    SettledCash: f.cash,
    TotalCashValue: f.cash,
  };
}

/** Tags that are not amounts. */
function plain(f: AccountFigures): Record<string, string> {
  const excess = f.netLiquidation - f.maintenanceMargin;
  return {
    AccountType: 'INDIVIDUAL',
    Cushion: f.netLiquidation > 0 ? String(Math.round((excess / f.netLiquidation) * 1e6) / 1e6) : '0',
    DayTradesRemaining: '-1',
    DayTradesRemainingT1: '-1',
    DayTradesRemainingT2: '-1',
    DayTradesRemainingT3: '-1',
    DayTradesRemainingT4: '-1',
    HighestSeverity: '',
    Leverage: f.netLiquidation > 0 ? (f.grossPosition / f.netLiquidation).toFixed(2) : '0.00',
    LookAheadNextChange: '0',
  };
}

/** The ledger of one currency: what $LEDGER and the lower half of account updates say. */
function ledgerValues(world: World, f: AccountFigures): AccountValue[] {
  const values: Record<string, string> = {
    AccruedCash: money(0),
    CashBalance: money(f.cash),
    CorporateBondValue: money(0),
    Currency: world.currency,
    ExchangeRate: '1.00',
    FundValue: money(0),
    FutureOptionValue: money(0),
    FuturesPNL: money(0),
    FxCashBalance: money(0),
    IssuerOptionValue: money(0),
    MutualFundValue: money(0),
    NetDividend: money(0),
    NetLiquidationByCurrency: money(f.netLiquidation),
    OptionMarketValue: money(0),
    RealCurrency: world.currency,
    RealizedPnL: money(f.realized),
    StockMarketValue: money(f.netPosition),
    TBillValue: money(0),
    TBondValue: money(0),
    TotalCashBalance: money(f.cash),
    UnrealizedPnL: money(f.unrealized),
    WarrantValue: money(0),
  };
  return Object.entries(values).map(([key, value]) => ({ key, value, currency: world.currency }));
}

/** All values of an account update. `-S` are those of the securities segment, the only one. */
export function accountValues(world: World): AccountValue[] {
  const f = figuresOf(world);
  const list: AccountValue[] = [
    { key: 'AccountCode', value: world.account, currency: '' },
    { key: 'AccountReady', value: 'true', currency: '' },
    { key: 'AccountOrGroup', value: world.account, currency: world.currency },
    { key: 'Currency', value: 'BASE', currency: 'BASE' },
  ];
  for (const [key, value] of Object.entries(plain(f))) list.push({ key, value, currency: '' });
  for (const [key, amount] of Object.entries(amounts(f))) {
    list.push({ key, value: money(amount), currency: world.currency });
    list.push({ key: `${key}-S`, value: money(amount), currency: world.currency });
  }
  const ledger = ledgerValues(world, f);
  for (const currency of ['BASE', world.currency])
    for (const one of ledger) if (one.key !== 'Currency' || currency !== 'BASE') list.push({ ...one, currency });
  return list;
}

/** The tags that were asked for, in IBKR's spelling; unknown ones have no answer. */
export function summaryValues(world: World, tags: readonly string[]): AccountValue[] {
  const f = figuresOf(world);
  const byTag = new Map<string, AccountValue>();
  for (const [key, value] of Object.entries(plain(f))) byTag.set(key, { key, value, currency: '' });
  for (const [key, amount] of Object.entries(amounts(f)))
    byTag.set(key, { key, value: money(amount), currency: world.currency });
  return tags.flatMap((tag) => {
    const ledger = /^\$LEDGER(?::([A-Z]+))?$/.exec(tag);
    if (ledger === null) return byTag.get(tag) ?? [];
    const currencies =
      ledger[1] === undefined ? ['BASE'] : ledger[1] === 'ALL' ? ['BASE', world.currency] : [ledger[1]];
    return currencies
      .filter((currency) => currency === 'BASE' || currency === world.currency)
      .flatMap((currency) => ledgerValues(world, f).map((one) => ({ ...one, currency })));
  });
}

/** Gain of the trading day on one instrument, in currency. */
export function dailyOf(world: World, feed: number, position: Position): number {
  const valueMicros = Math.round(position.quantity * world.mark(feed) * MICROS);
  return (valueMicros + position.dayCashMicros - position.dayStartValueMicros) / MICROS;
}
