/** From stamps as they are written to the opens of bars in UTC: zones, bar ends, dates, interval and order. */
import type { Interval } from '#env/market/bars.js';
import { fail } from '#src/errors.js';
import { checkInterval, DAY_MS, detectInterval, parseInterval } from './interval.js';
import { ZoneClock } from './time-zone.js';
import { dateMs, type StampKind } from './timestamps.js';
import type { ViolationSink } from './violations.js';

export interface StampColumn {
  /** (T) UTC for kind instant; else local time as if it were UTC. */
  timeMs: Float64Array;
  /** (T) local minus UTC where an instant says so. */
  offsetMs: Float64Array;
  /** (T) lines of the file. */
  lines: Int32Array;
  kind: StampKind;
  /** The zone that the stamps name, or null. */
  zone: string | null;
}

export interface ResolvedTimes {
  readonly openTimeMs: Float64Array;
  /** Rows that are kept; null: all of them. Rows are lost only where the sink does not throw. */
  readonly keep: Int32Array | null;
  readonly interval: Interval;
}

interface TimeFormat {
  time_zone?: string | undefined;
  stamp?: 'open' | 'close' | undefined;
}

export function resolveTimes(
  file: string,
  stamps: StampColumn,
  format: TimeFormat,
  interval: string | null,
  sink: ViolationSink,
): ResolvedTimes {
  if (stamps.lines.length === 0) fail('DATA_EMPTY', { where: file, message: 'no row of the file can be used' });
  const zone = stamps.zone ?? format.time_zone ?? null;
  const clock = zone === null ? null : new ZoneClock(zone, stamps.zone === null ? file : `${file}:${stamps.lines[0]}`);
  const wanted = interval === null ? null : parseInterval(interval, file);
  const places = wanted === null || wanted.ms < DAY_MS ? toUtc(file, stamps, clock, wanted, sink) : identity(stamps);
  const { keep } = places;
  const daily = stamps.kind === 'date' || (wanted ?? detectDaily(file, places.timeMs)).ms >= DAY_MS;
  const times = daily ? toDates(file, stamps, keep, places.timeMs, clock, format.stamp ?? 'open') : places.timeMs;
  const order = inOrder(times, keep, stamps.lines, daily, sink);
  const kept = order === null ? times : Float64Array.from(order, (i) => times[i]);
  if (wanted !== null) checkInterval(kept, wanted, file);
  const found = wanted ?? detectInterval(kept, file);
  if (stamps.kind === 'date' && found.ms < DAY_MS) {
    fail('DATA_TIME', {
      where: file,
      value: found.label,
      message: 'the stamps are dates without a time of day: the interval is a day or longer',
    });
  }
  if (!daily && format.stamp === 'close') for (let t = 0; t < kept.length; t++) kept[t] -= found.ms;
  return {
    openTimeMs: kept,
    keep: order === null ? keep : Int32Array.from(order, (i) => (keep === null ? i : keep[i])),
    interval: found,
  };
}

function detectDaily(file: string, timeMs: Float64Array): Interval {
  const interval = detectInterval(timeMs, file);
  // a local midnight is 23 or 25 hours from the next when clocks change
  return interval.ms >= 23 * 3_600_000 ? { label: '1d', ms: DAY_MS } : interval;
}

interface Places {
  timeMs: Float64Array;
  keep: Int32Array | null;
}

function identity(stamps: StampColumn): Places {
  return { timeMs: stamps.timeMs, keep: null };
}

/** Instants in UTC. Stamps without a zone need one from the user, unless they turn out to be dates at midnight. */
function toUtc(
  file: string,
  stamps: StampColumn,
  clock: ZoneClock | null,
  wanted: Interval | null,
  sink: ViolationSink,
): Places {
  if (stamps.kind === 'date' || stamps.kind === 'instant') return identity(stamps);
  if (clock === null) {
    if (wanted === null && stamps.timeMs.length > 1 && detectDaily(file, stamps.timeMs).ms >= DAY_MS)
      return identity(stamps);
    const line = stamps.lines.length === 0 ? '' : `:${stamps.lines[0]}`;
    fail('DATA_TIME', {
      where: `${file}${line}`,
      value: new Date(stamps.timeMs[0]).toISOString().slice(0, 19).replace('T', ' '),
      message: 'the stamps name no time zone: say it (--time-zone America/New_York, or UTC)',
    });
  }
  const timeMs = new Float64Array(stamps.timeMs.length);
  const keep: number[] = [];
  let lost = false;
  for (let row = 0; row < timeMs.length; row++) {
    const utc = clock.toUtc(stamps.timeMs[row]);
    if (Number.isNaN(utc)) {
      lost = true;
      const what =
        clock.problem === 'ambiguous'
          ? 'happens twice when the clocks go back'
          : 'does not exist: the clocks go forward over it';
      sink.add({
        code: 'DATA_TIME',
        line: stamps.lines[row],
        value: new Date(stamps.timeMs[row]).toISOString().slice(0, 19).replace('T', ' '),
        message: `this local time of ${clock.timeZone} ${what}: export the stamps in UTC or with their offset, or name the zone that they are really in`,
      });
    } else {
      timeMs[keep.length] = utc;
      keep.push(row);
    }
  }
  return { timeMs: timeMs.subarray(0, keep.length), keep: lost ? Int32Array.from(keep) : null };
}

/** Daily stamps to their session's date at 00:00 UTC. */
function toDates(
  file: string,
  stamps: StampColumn,
  keep: Int32Array | null,
  utc: Float64Array,
  clock: ZoneClock | null,
  stamp: 'open' | 'close',
): Float64Array {
  const dates = new Float64Array(utc.length);
  for (let i = 0; i < utc.length; i++) {
    const row = keep === null ? i : keep[i];
    let local = stamps.timeMs[row];
    if (stamps.kind === 'instant') {
      if (clock !== null) local += clock.offsetAt(local);
      else if (stamps.offsetMs[row] !== 0) local += stamps.offsetMs[row];
      else if (local % DAY_MS !== 0) {
        fail('DATA_TIME', {
          where: `${file}:${stamps.lines[row]}`,
          value: new Date(local).toISOString(),
          message:
            "daily stamps in UTC that are not at 00:00 do not tell their date: say the exchange's zone (--time-zone America/New_York)",
        });
      }
    }
    // a day that ends at midnight bears the date before
    dates[i] = dateMs(stamp === 'close' && stamps.kind !== 'date' ? local - 1 : local);
  }
  return dates;
}

/** Null where times increase strictly; else the places of those that do, after complaints about the others. */
function inOrder(
  times: Float64Array,
  keep: Int32Array | null,
  lines: Int32Array,
  daily: boolean,
  sink: ViolationSink,
): number[] | null {
  if (times.length > 1 && times.every((time, i) => i === 0 || time < times[i - 1])) {
    const row = keep === null ? 1 : keep[1];
    sink.add({
      code: 'DATA_ORDER',
      line: lines[row],
      value: new Date(times[1]).toISOString(),
      message: 'the file runs from the newest bar to the oldest: sort it by time, oldest first',
    });
    return Array.from({ length: times.length }, (_, i) => times.length - 1 - i);
  }
  let previous = -Infinity;
  let previousRow = 0;
  let order: number[] | null = null;
  for (let i = 0; i < times.length; i++) {
    const time = times[i];
    const row = keep === null ? i : keep[i];
    if (time > previous) {
      order?.push(i);
      previous = time;
      previousRow = row;
      continue;
    }
    order ??= Array.from({ length: i }, (_, place) => place);
    const text = daily ? new Date(time).toISOString().slice(0, 10) : new Date(time).toISOString();
    const message =
      time === previous
        ? `the same ${daily ? 'date' : 'time'} as line ${lines[previousRow]}: decide which row is right and delete the other`
        : `earlier than line ${lines[previousRow]} (${new Date(previous).toISOString()}): sort the file by time, oldest first`;
    sink.add({ code: 'DATA_ORDER', line: lines[row], value: text, message });
  }
  return order;
}
