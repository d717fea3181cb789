/** Times as the TWS API writes them: "20240102 09:30:00 US/Eastern", "20240102-14:30:00" (UTC), "20240102", epoch seconds. */
import { ZoneClock } from '#src/data/time-zone.js';

const clocks = new Map<string, ZoneClock | null>();

/** Null where Intl knows no such zone. */
export function zoneOf(name: string): ZoneClock | null {
  let clock = clocks.get(name);
  if (clock === undefined) {
    clock = isZone(name) ? new ZoneClock(name, 'time zone') : null;
    clocks.set(name, clock);
  }
  return clock;
}

function isZone(name: string): boolean {
  if (name === 'UTC' || name === 'GMT') return true;
  // EST and MET name no zone without doubt
  if (!/^[A-Za-z]+(?:\/[A-Za-z0-9_+-]+){1,2}$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (cause) {
    if (cause instanceof RangeError) return false;
    throw cause;
  }
}

/**
 * The instant, epoch milliseconds; NaN where the text is none. A gateway before version 10.x may leave the zone out:
 * then it is `fallback`. Of an hour that the change of clocks repeats the first is taken.
 */
export function instantOf(text: string, fallback: ZoneClock): number {
  const match = /^(\d{4})(\d{2})(\d{2})(-| +)(\d{2}):(\d{2}):(\d{2})(?: +(\S+))?$/.exec(text.trim());
  if (match === null) return /^\d{9,11}$/.test(text) ? Number(text) * 1000 : NaN;
  const [, year, month, day, separator, hour, minute, second, zone] = match;
  const localMs = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  if (separator === '-' && zone === undefined) return localMs;
  return toUtc(localMs, (zone === undefined ? null : zoneOf(zone)) ?? fallback);
}

/** Of an hour that exists twice the first; one that does not exist is moved on. */
export function toUtc(localMs: number, zone: ZoneClock): number {
  const exact = zone.toUtc(localMs);
  return Number.isNaN(exact) ? localMs - zone.offsetAt(localMs - zone.offsetAt(localMs) - 3_600_000) : exact;
}

/** "20240102" -> 00:00 UTC of that date; NaN where the text is none. */
export function dateOf(text: string): number {
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(text);
  return match === null ? NaN : Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
}

/** "yyyymmdd-hh:mm:ss", UTC. */
export function utcText(timeMs: number): string {
  const iso = new Date(timeMs).toISOString();
  return `${iso.slice(0, 10).replaceAll('-', '')}-${iso.slice(11, 19)}`;
}

export interface Session {
  readonly openMs: number;
  readonly closeMs: number;
}

/**
 * Sessions of a contract's hours: "20240102:0930-20240102:1600;20240103:CLOSED;...", and in the older way
 * "20240102:0930-1200,1300-1600". What cannot be read is left out.
 */
export function sessionsOf(hours: string, zone: ZoneClock): Session[] {
  const sessions: Session[] = [];
  for (const day of hours.split(';')) {
    const colon = day.indexOf(':');
    const date = day.slice(0, colon);
    if (colon !== 8 || day.endsWith('CLOSED')) continue;
    for (const part of day.slice(colon + 1).split(',')) {
      const match = /^(?:\d{8}:)?(\d{4})-(?:(\d{8}):)?(\d{4})$/.exec(part);
      if (match === null) continue;
      const [, from, endDate, to] = match;
      const openMs = toUtc(dateOf(date) + minutesMs(from), zone);
      let closeMs = toUtc(dateOf(endDate ?? date) + minutesMs(to), zone);
      if (endDate === undefined && closeMs <= openMs) closeMs += 86_400_000;
      if (closeMs > openMs) sessions.push({ openMs, closeMs });
    }
  }
  return sessions.sort((a, b) => a.openMs - b.openMs);
}

function minutesMs(hhmm: string): number {
  return (Number(hhmm.slice(0, 2)) * 60 + Number(hhmm.slice(2))) * 60_000;
}
