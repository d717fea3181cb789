/** The broker's own books, as the control channel and tests read them. */
import type { Truth } from '../exchange-port.js';
import type { Desk } from './desk.js';
import { MICROS } from './ledger.js';
import { shownOrder } from './working-order.js';
import type { World } from './world.js';

export function truthOf(world: World, desk: Desk): Truth {
  const { ledger, contracts } = world;
  return {
    timeMs: world.nowMs,
    account: world.account,
    currency: world.currency,
    cash: ledger.cashMicros / MICROS,
    netLiquidation: ledger.netLiquidationMicros((feed) => world.mark(feed)) / MICROS,
    positions: ledger.positions.flatMap((position, feed) =>
      position.quantity === 0
        ? []
        : [
            {
              contract: contracts.entries[feed].contract,
              position: position.quantity,
              averageCost: position.averageCost,
              marketPrice: world.mark(feed),
            },
          ],
    ),
    orders: desk.books.all.map((working) => ({
      orderId: working.orderId,
      clientId: working.clientId,
      permId: working.permId,
      contract: working.contract,
      order: shownOrder(working, world.account),
      status: working.status,
      filled: working.filled,
      remaining: Math.max(0, working.remaining),
      avgFillPrice: working.averagePrice,
    })),
    executions: desk.executions.records.map(({ working, execution, commissionMicros, realizedMicros, superseded }) => ({
      contract: working.contract,
      execution,
      commission: commissionMicros / MICROS,
      realizedPnl: realizedMicros === null ? null : realizedMicros / MICROS,
      superseded,
    })),
  };
}
