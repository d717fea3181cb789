/** Bars of the past: one question of ours is as many of the broker's as its limits on durations demand, backwards. */
import { SecType, WhatToShow, type BarSizeSetting } from '@stoqey/ib';
import { parseInterval } from '#src/data/interval.js';
import { fail } from '#src/errors.js';
import { dataEffect } from './codes.js';
import type { Answer, BrokerBar, HistoryRequest } from './contract.js';
import type { KnownContract } from './contracts.js';
import { HistoryPace, type HistoryLimits } from './history-pace.js';
import { dateOf, instantOf, toUtc, utcText, zoneOf } from './ib-time.js';
import { unknown, type HistoryRow, type Questions } from './questions.js';

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

interface BarSize {
  readonly text: string;
  readonly ms: number;
  /** What one question may cover: seconds, or days. */
  readonly most: { readonly unit: 'S' | 'D'; readonly count: number };
}

/** IBKR's table of durations and bar sizes. */
const BAR_SIZES: readonly BarSize[] = [
  { text: '1 secs', ms: SECOND_MS, most: { unit: 'S', count: 1_800 } },
  { text: '5 secs', ms: 5 * SECOND_MS, most: { unit: 'S', count: 3_600 } },
  { text: '10 secs', ms: 10 * SECOND_MS, most: { unit: 'S', count: 14_400 } },
  { text: '15 secs', ms: 15 * SECOND_MS, most: { unit: 'S', count: 14_400 } },
  { text: '30 secs', ms: 30 * SECOND_MS, most: { unit: 'S', count: 28_800 } },
  ...[
    { minutes: 1, days: 1 },
    { minutes: 2, days: 2 },
    { minutes: 3, days: 7 },
    { minutes: 5, days: 7 },
    { minutes: 10, days: 7 },
    { minutes: 15, days: 7 },
    { minutes: 20, days: 7 },
    { minutes: 30, days: 30 },
  ].map(({ minutes, days }) => ({
    text: minutes === 1 ? '1 min' : `${minutes} mins`,
    ms: minutes * 60_000,
    most: { unit: 'D' as const, count: days },
  })),
  ...[1, 2, 3, 4, 8].map((hours) => ({
    text: hours === 1 ? '1 hour' : `${hours} hours`,
    ms: hours * 3_600_000,
    most: { unit: 'D' as const, count: 30 },
  })),
  { text: '1 day', ms: DAY_MS, most: { unit: 'D', count: 365 } },
];

/** After so many questions without a bar the broker is asked where its data begin. */
const EMPTY_BEFORE_HEAD = 2;
const MOST_EMPTY = 400;
const MOST_RETRIES = 5;
const LONGEST_SLEEP_MS = 500;

/** What one question covers, in milliseconds: who downloads much asks for so much at a time. Throws DATA_TIME. */
export function chunkMs(interval: string): number {
  const { most } = barSizeOf(interval);
  return most.count * (most.unit === 'S' ? SECOND_MS : DAY_MS);
}

function barSizeOf(interval: string): BarSize {
  const { ms } = parseInterval(interval, 'history interval');
  const size = BAR_SIZES.find((one) => one.ms === ms);
  return (
    size ??
    fail('DATA_TIME', {
      where: 'history interval',
      value: interval,
      message: `the broker has no such bars: take ${BAR_SIZES.map(({ text }) => text).join(', ')}`,
    })
  );
}

export class BrokerHistory {
  readonly #questions: Questions;
  readonly #pace: HistoryPace;

  constructor(questions: Questions, limits: HistoryLimits, nowMs: () => number) {
    this.#questions = questions;
    this.#pace = new HistoryPace(limits, nowMs);
  }

  /** Throws DATA_TIME on an interval that the broker does not have. */
  async bars(request: HistoryRequest, known: KnownContract): Promise<Answer<readonly BrokerBar[]>> {
    const { fromMs, toMs } = request;
    const size = barSizeOf(request.interval);
    const found = new Map<number, BrokerBar>();
    let empty = 0;
    let headMs: number | null = null;
    for (let endMs = toMs; endMs > fromMs;) {
      const duration = durationOf(size, endMs - fromMs);
      const answer = await this.#ask(request, known, size, duration.text, endMs);
      if (!answer.known) return answer;
      let earliestMs = endMs;
      for (const row of answer.value) {
        const bar = barOf(row, size.ms === DAY_MS);
        if (bar === null) return unknown(null, `a bar that makes no sense: ${JSON.stringify(row)}`);
        earliestMs = Math.min(earliestMs, bar.openMs);
        found.set(bar.openMs, bar);
      }
      if (answer.value.length > 0) {
        empty = 0;
        endMs = earliestMs < endMs ? earliestMs : endMs - Math.max(size.ms, SECOND_MS);
        continue;
      }
      empty++;
      endMs -= duration.ms;
      if (empty === EMPTY_BEFORE_HEAD) headMs = await this.#headMs(request, known);
      if (headMs !== null && endMs <= headMs) break;
      if (empty >= MOST_EMPTY) return unknown(null, 'the broker has no bars over a long stretch');
    }
    const bars = [...found.values()].filter(
      ({ openMs }) => openMs >= fromMs && closeOf(openMs, size, known) <= toMs && openMs < toMs,
    );
    return { known: true, value: bars.sort((a, b) => a.openMs - b.openMs) };
  }

  async #ask(
    { symbol, regularHoursOnly }: HistoryRequest,
    { contract }: KnownContract,
    size: BarSize,
    duration: string,
    endMs: number,
  ): Promise<Answer<readonly HistoryRow[]>> {
    const end = utcText(Math.ceil(endMs / SECOND_MS) * SECOND_MS);
    const key = `${symbol} ${end} ${duration} ${size.text} ${regularHoursOnly}`;
    for (let tries = 1; ; tries++) {
      await this.#turn(key, symbol, size.ms);
      this.#pace.began(key, symbol, size.ms);
      const answer = await this.#questions.bars((api, id) =>
        api.reqHistoricalData(
          id,
          contract,
          end,
          duration,
          // the library names a few of the sizes only; the wire carries the text
          size.text as BarSizeSetting,
          showOf(contract.secType),
          regularHoursOnly,
          2,
          false,
        ),
      );
      this.#pace.ended();
      if (answer.known || tries >= MOST_RETRIES) return answer;
      if (answer.code === null || dataEffect(answer.code, answer.reason) !== 'pacing') return answer;
      this.#pace.violated();
    }
  }

  async #turn(key: string, symbol: string, barMs: number): Promise<void> {
    for (;;) {
      const waitMs = this.#pace.waitMs(key, symbol, barMs);
      if (waitMs <= 0) return;
      await new Promise((resolve) => setTimeout(resolve, Math.min(waitMs, LONGEST_SLEEP_MS)));
    }
  }

  /** Where the data begin; -Infinity where the broker does not tell. */
  async #headMs({ regularHoursOnly }: HistoryRequest, { contract, info }: KnownContract): Promise<number> {
    const answer = await this.#questions.head(contract, showOf(contract.secType), regularHoursOnly);
    const zone = zoneOf(info.timeZone);
    const [text] = answer.known ? answer.value : [];
    if (text === undefined || zone === null) return -Infinity;
    const timeMs = instantOf(text, zone);
    return Number.isNaN(timeMs) ? -Infinity : timeMs;
  }
}

function showOf(secType: SecType | undefined): WhatToShow {
  return secType === SecType.CASH ? WhatToShow.MIDPOINT : WhatToShow.TRADES;
}

/** The least that covers `spanMs`, within what one question may. */
function durationOf({ ms, most }: BarSize, spanMs: number): { readonly text: string; readonly ms: number } {
  const unitMs = most.unit === 'S' ? SECOND_MS : DAY_MS;
  const count = Math.min(Math.max(Math.ceil(spanMs / unitMs), Math.ceil(ms / unitMs)), most.count);
  return { text: `${count} ${most.unit}`, ms: count * unitMs };
}

function barOf({ date, open, high, low, close, volume }: HistoryRow, daily: boolean): BrokerBar | null {
  const openMs = daily ? dateOf(date.slice(0, 8)) : instantOf(date, UTC);
  const prices = [open, high, low, close];
  if (Number.isNaN(openMs) || !prices.every((price) => price > 0 && price < Infinity)) return null;
  if (low > Math.min(open, close) || high < Math.max(open, close)) return null;
  // -1: these bars have no volume
  return { openMs, open, high, low, close, volume: Math.max(0, Number.isFinite(volume) ? volume : 0) };
}

/** When the bar is over: the last one of a session ends with it. */
function closeOf(openMs: number, { ms }: BarSize, { info }: KnownContract): number {
  const { liquidHours, timeZone } = info;
  if (ms < DAY_MS) {
    const session = liquidHours.find((one) => openMs >= one.openMs && openMs < one.closeMs);
    return session === undefined ? openMs + ms : Math.min(openMs + ms, session.closeMs);
  }
  const zone = zoneOf(timeZone);
  if (zone === null) return openMs + ms;
  const midnightMs = toUtc(openMs, zone);
  const last = liquidHours.findLast(({ closeMs }) => closeMs > midnightMs && closeMs <= midnightMs + DAY_MS);
  return last?.closeMs ?? midnightMs + DAY_MS;
}

const UTC = zoneOfUtc();

function zoneOfUtc(): NonNullable<ReturnType<typeof zoneOf>> {
  return zoneOf('UTC') ?? fail('DATA_TIME', { where: 'history', message: 'this Node knows no UTC' });
}
