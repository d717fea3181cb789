/** What the market charges: commission and fees, spread and slippage, borrow. Training and live share it. */
import { fail } from '#src/errors.js';
import type { CostsConfig } from './config.js';
import type { Instrument } from './instrument.js';
import { regulatoryFees } from './regulatory-fees.js';

/** Interactive Brokers' fixed pricing of US stocks, in dollars: per share, least per order, most as a share of value. */
const IBKR_PER_SHARE = 0.005;
const IBKR_MINIMUM = 1;
const IBKR_MAXIMUM_SHARE = 0.01;

/** Interactive Brokers collateralises a short at 102% of the settlement price, rounded up to the dollar; a year has 360 days. */
const BORROW_COLLATERAL = 1.02;
const BORROW_YEAR_DAYS = 360;

/**
 * Interactive Brokers' fixed commission on an order of `shares` (>= 0) at `price`: 0.005 a share, at least 1.00,
 * at most 1% of the value. The maximum wins over the minimum: 10 shares at 0.25 cost 0.025.
 */
export function ibkrFixedCommission(shares: number, price: number): number {
  return Math.min(Math.max(IBKR_PER_SHARE * shares, IBKR_MINIMUM), IBKR_MAXIMUM_SHARE * shares * price);
}

/**
 * Charge for holding `sharesShort` (>= 0) over `calendarDays` nights: quantity x 1.02 x the prior settlement
 * price, rounded up to the dollar, x the annual rate / 360 a day.
 */
export function borrowCost(
  sharesShort: number,
  settlementPrice: number,
  annualRate: number,
  calendarDays: number,
): number {
  const collateral = sharesShort * Math.ceil(BORROW_COLLATERAL * settlementPrice - 1e-9);
  return (collateral * annualRate * calendarDays) / BORROW_YEAR_DAYS;
}

/** The charges of one instrument under one configuration. */
export class CostModel {
  /** Half the spread plus slippage as a fraction of the price: what an order that takes the market's price pays a side. */
  readonly takingShare: number;
  readonly borrowRate: number;
  readonly #percent: number;
  readonly #ibkrFixed: boolean;

  /** Throws ENV_CONFIG where the model does not price such an instrument. */
  constructor(costs: CostsConfig, instrument: Instrument) {
    const usStock = instrument.securityType === 'STK' && instrument.currency === 'USD';
    if (costs.model === 'ibkr_fixed' && !usStock) {
      fail('ENV_CONFIG', {
        where: 'costs.model',
        value: `ibkr_fixed for ${instrument.symbol} (${instrument.securityType} in ${instrument.currency})`,
        message:
          'ibkr_fixed prices US stocks in USD only; use costs.model "percent" with costs.percent_bps for this instrument',
      });
    }
    this.takingShare = (costs.spread_bps / 2 + costs.slippage_bps) * 1e-4;
    this.borrowRate = costs.borrow_rate;
    this.#percent = costs.model === 'percent' ? costs.percent_bps * 1e-4 : 0;
    this.#ibkrFixed = costs.model === 'ibkr_fixed';
  }

  /**
   * Commission and regulatory fees, in currency, of filling `quantity` (signed: negative sells) at the tradable
   * `price` in a fee period (`feePeriodOf` the trade date). One fill is one order.
   */
  commission(quantity: number, price: number, feePeriod: number): number {
    const shares = Math.abs(quantity);
    if (this.#ibkrFixed) {
      const fees = quantity < 0 ? regulatoryFees(shares, price, feePeriod) : 0;
      return ibkrFixedCommission(shares, price) + fees;
    }
    return this.#percent * shares * price;
  }
}
