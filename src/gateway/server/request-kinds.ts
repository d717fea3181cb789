/** Which requests go to the exchange. */
import type { ClientRequest, ExchangeRequest } from '../wire/requests.js';

const EXCHANGE_REQUESTS: Readonly<Record<ExchangeRequest['type'], true>> = {
  reqContractDetails: true,
  reqMatchingSymbols: true,
  reqMarketRule: true,
  reqSecDefOptParams: true,
  reqMktData: true,
  cancelMktData: true,
  reqMarketDataType: true,
  reqTickByTickData: true,
  cancelTickByTickData: true,
  reqRealTimeBars: true,
  cancelRealTimeBars: true,
  reqHistoricalData: true,
  cancelHistoricalData: true,
  reqHeadTimestamp: true,
  cancelHeadTimestamp: true,
  reqHistoricalTicks: true,
  reqHistogramData: true,
  cancelHistogramData: true,
  placeOrder: true,
  cancelOrder: true,
  reqGlobalCancel: true,
  reqOpenOrders: true,
  reqAllOpenOrders: true,
  reqAutoOpenOrders: true,
  reqExecutions: true,
  reqCompletedOrders: true,
  reqAccountUpdates: true,
  reqAccountUpdatesMulti: true,
  cancelAccountUpdatesMulti: true,
  reqAccountSummary: true,
  cancelAccountSummary: true,
  reqPositions: true,
  cancelPositions: true,
  reqPositionsMulti: true,
  cancelPositionsMulti: true,
  reqPnL: true,
  cancelPnL: true,
  reqPnLSingle: true,
  cancelPnLSingle: true,
};

export function isExchangeRequest(request: ClientRequest): request is ExchangeRequest {
  return request.type in EXCHANGE_REQUESTS;
}
