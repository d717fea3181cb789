/** Arms the exchange's faults. */
import { fail } from '#src/errors.js';
import type { ExchangeFault } from '../exchange-port.js';
import type { Desk } from './desk.js';
import type { HistoryService } from './history-service.js';
import type { MarketData } from './market-data.js';
import type { World } from './world.js';

/** Throws GATEWAY_FAULT where the fault makes no sense. */
export function injectFault(
  fault: ExchangeFault,
  world: World,
  desk: Desk,
  marketData: MarketData,
  history: HistoryService,
): void {
  switch (fault.kind) {
    case 'staleFeed': {
      const feed = world.feeds.find(({ symbol }) => symbol === fault.symbol);
      if (feed === undefined)
        refuse(
          'symbol',
          fault.symbol,
          `no such instrument is replayed; there are ${world.feeds.map(({ symbol }) => symbol).join(', ')}`,
        );
      if (fault.durationMs !== null) positive('durationMs', fault.durationMs);
      marketData.makeStale(feed.index, fault.durationMs === null ? Infinity : world.nowMs + fault.durationMs);
      return;
    }
    case 'marketDataType':
      marketData.forceType(fault.marketDataType);
      return;
    case 'rollbackNextValidId':
      if (!(Number.isInteger(fault.orderId) && fault.orderId >= 1))
        refuse('orderId', fault.orderId, 'an order id is a whole number from 1 on');
      desk.books.rollBack(fault.orderId);
      return;
    case 'dropSubscriptions':
      marketData.drop();
      history.drop();
      return;
    case 'partialThenCancel':
      if (!(fault.fraction > 0 && fault.fraction < 1))
        refuse('fraction', fault.fraction, 'the share that fills lies between 0 and 1');
      break;
    case 'fillAfterCancel':
      positive('delayMs', fault.delayMs);
      break;
    case 'correctExecution':
      positive('delayMs', fault.delayMs);
      if (!Number.isFinite(fault.priceOffset)) refuse('priceOffset', fault.priceOffset, 'the offset is an amount');
      if (!(Number.isInteger(fault.sharesFactor) && fault.sharesFactor >= 1))
        refuse('sharesFactor', fault.sharesFactor, 'the factor is a whole number from 1 on');
      break;
    case 'rejectOrder':
    case 'rejectModify':
      if (!Number.isInteger(fault.code)) refuse('code', fault.code, 'an error code is a whole number');
      break;
  }
  desk.faults.arm(fault);
}

function positive(name: string, value: number): void {
  if (!(value >= 0 && value < Infinity)) refuse(name, value, 'a length of time is a number of milliseconds from 0 on');
}

function refuse(name: string, value: unknown, message: string): never {
  fail('GATEWAY_FAULT', { where: `fault, ${name}`, value, message });
}
