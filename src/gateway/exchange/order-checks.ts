/** What the broker refuses before an order is taken, in IBKR's codes. */
import type { ContractQuery, Order } from '../wire/types.js';
import type { PriceGrid } from './price-grid.js';

export interface Refusal {
  readonly code: number;
  readonly message: string;
}

const refuse = (code: number, message: string): Refusal => ({ code, message });
const invalid = (cause: string): Refusal => refuse(321, `Error validating request.-'bW' : cause - ${cause}`);

const ORDER_TYPES = new Set(['MKT', 'LMT', 'STP', 'STP LMT', 'TRAIL', 'TRAIL LIMIT', 'MIT', 'LIT', 'MOC', 'LOC']);
const TIMES_IN_FORCE = new Set(['', 'DAY', 'GTC', 'IOC', 'FOK', 'GTD']);

/** Of the contract as it is described, before it is looked up. */
export function checkQuery(query: ContractQuery): Refusal | null {
  if (query.secType === 'BAG' || query.comboLegs.length > 0) return invalid('Combination orders are not simulated');
  if (query.deltaNeutralContract !== null) return invalid('Delta-neutral orders are not simulated');
  if (query.exchange === '') return invalid('Please enter exchange');
  return null;
}

export const UNKNOWN_CONTRACT: Refusal = refuse(200, 'No security definition has been found for the request');
export const AMBIGUOUS_CONTRACT: Refusal = refuse(
  200,
  'The contract description specified is ambiguous; you must specify the multiplier or trading class.',
);

/** Of the order by itself. `grid` is null where no bars of the contract are replayed. */
export function checkOrder(
  order: Order,
  account: string,
  grid: PriceGrid | null,
  lotSize: number,
  closes: boolean,
): Refusal | null {
  return checkTerms(order, account) ?? checkQuantity(order, lotSize, closes) ?? checkPrices(order, grid);
}

function checkTerms(order: Order, account: string): Refusal | null {
  if (order.action !== 'BUY' && order.action !== 'SELL')
    return invalid(`Invalid order action: '${order.action}'. Must be either 'BUY' or 'SELL'`);
  if (order.account !== '' && order.account !== account) return invalid(`Invalid account code '${order.account}'`);
  if (order.algoStrategy !== '')
    return refuse(439, 'The order processing failed. Algorithm definition not found. Algorithms are not simulated');
  if (!ORDER_TYPES.has(order.orderType))
    return refuse(387, `Unsupported order type for this exchange and security type: '${order.orderType}'`);
  if (!TIMES_IN_FORCE.has(order.tif)) return refuse(10052, `Invalid time in force: '${order.tif}'`);
  if (order.tif === 'GTD' && order.goodTillDate === '') return invalid('Good till date is missing');
  if (order.hedgeType !== '') return invalid('Hedge orders are not simulated');
  if ((order.scalePriceIncrement ?? 0) > 0) return invalid('Scale orders are not simulated');
  if (order.deltaNeutralOrderType !== '' && order.deltaNeutralOrderType !== 'None')
    return invalid('Delta-neutral orders are not simulated');
  if (order.allOrNone || (order.minQty ?? 0) > 0) return invalid('All-or-none and minimum quantity are not simulated');
  return null;
}

function checkQuantity(order: Order, lotSize: number, closes: boolean): Refusal | null {
  const { totalQuantity, cashQty } = order;
  if ((cashQty ?? 0) > 0) return refuse(10244, 'Cash quantity cannot be used for this order');
  if (totalQuantity === 0) return refuse(434, 'The order size cannot be zero');
  if (!(totalQuantity > 0 && totalQuantity < 1e12)) return invalid(`Invalid order quantity '${totalQuantity}'`);
  const lots = totalQuantity / lotSize;
  // a corporate action may leave a fraction of a share, which an order may close whole
  if (!closes && Math.abs(lots - Math.round(lots)) > 1e-6)
    return refuse(
      10243,
      'Fractional-sized order cannot be placed via API. Please use desktop version to revise this order',
    );
  return null;
}

function checkPrices(order: Order, grid: PriceGrid | null): Refusal | null {
  const { orderType, lmtPrice, auxPrice, trailingPercent, trailStopPrice } = order;
  const needsLimit =
    orderType === 'LMT' ||
    orderType === 'LOC' ||
    orderType === 'LIT' ||
    orderType === 'STP LMT' ||
    (orderType === 'TRAIL LIMIT' && order.lmtPriceOffset === null);
  const needsStop = orderType === 'STP' || orderType === 'STP LMT' || orderType === 'MIT' || orderType === 'LIT';
  if (needsLimit && !isPrice(lmtPrice)) return invalid(`Limit price '${lmtPrice}' must be a positive number`);
  if (needsStop && !isPrice(auxPrice)) return invalid(`Stop price '${auxPrice}' must be a positive number`);
  if (orderType === 'TRAIL' || orderType === 'TRAIL LIMIT') {
    const byPercent = (trailingPercent ?? 0) > 0;
    const byAmount = (auxPrice ?? 0) > 0;
    if (byPercent === byAmount) return invalid('A trailing order needs either a trailing amount or a trailing percent');
    if (byPercent && !((trailingPercent ?? 0) < 100))
      return invalid(`Trailing percent '${trailingPercent}' must be under 100`);
  }
  const prices = [needsLimit ? lmtPrice : null, needsStop ? auxPrice : null, trailStopPrice];
  for (const price of prices) {
    if (grid !== null && price !== null && price > 0 && !grid.isOnTick(price))
      return refuse(110, 'The price does not conform to the minimum price variation for this contract.');
  }
  return null;
}

const isPrice = (price: number | null): price is number => price !== null && price > 0 && price < 1e9;

export const SHORTING_REFUSED: Refusal = refuse(
  201,
  'Order rejected - reason:The contract is not available for short sale.',
);

export const CLOSED_FOR_NOW: Refusal = refuse(
  201,
  'Order rejected - reason:The exchange is closed, and the order may not wait for its opening.',
);

export function marginRefusal(equityWithLoan: number, initialMargin: number, currency: string): Refusal {
  return refuse(
    201,
    `Order rejected - reason:YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED POSITION YOUR EQUITY WITH LOAN VALUE [${equityWithLoan.toFixed(2)} ${currency}] MUST EXCEED THE INITIAL MARGIN [${initialMargin.toFixed(2)} ${currency}]`,
  );
}
