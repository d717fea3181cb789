/**
 * IBKR's pacing of historical data in bars of 30 seconds or less (wall clock): no identical request within 15 seconds,
 * fewer than six for the same contract and kind within 2 seconds, at most 60 in ten minutes.
 * Source: IBKR's page "Historical Data Limitations".
 */
import type { ExchangeRequest } from '../wire/requests.js';

const SMALL_BARS = new Set(['1 sec', '1 secs', '5 secs', '10 secs', '15 secs', '30 secs']);
const IDENTICAL_MS = 15_000;
const BURST_MS = 2_000;
const BURST = 6;
const WINDOW_MS = 600_000;
const MOST = 60;

type HistoryRequest = Extract<ExchangeRequest, { readonly type: 'reqHistoricalData' }>;

export class HistoryPacing {
  #asked: { readonly timeMs: number; readonly identity: string; readonly series: string }[] = [];

  /** Counts a request at a moment of the wall clock; says why it is one too many, or null. */
  violation(request: HistoryRequest, nowMs: number): string | null {
    if (!SMALL_BARS.has(request.barSize)) return null;
    this.#asked = this.#asked.filter(({ timeMs }) => nowMs - timeMs < WINDOW_MS);
    const { symbol, secType, exchange, conId } = request.contract;
    const series = JSON.stringify([conId, symbol, secType, exchange, request.whatToShow]);
    const identity = JSON.stringify([series, request.endDateTime, request.duration, request.barSize, request.useRth]);
    const since = (ms: number) => this.#asked.filter(({ timeMs }) => nowMs - timeMs < ms);
    if (this.#asked.length >= MOST) return `more than ${MOST} requests in ten minutes`;
    if (since(IDENTICAL_MS).some((one) => one.identity === identity)) return 'the same request within 15 seconds';
    if (since(BURST_MS).filter((one) => one.series === series).length >= BURST - 1)
      return `${BURST} requests for the same contract within 2 seconds`;
    this.#asked.push({ timeMs: nowMs, identity, series });
    return null;
  }
}
