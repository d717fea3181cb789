import { describe, expect, it } from 'vitest';
import { CALENDAR_NAMES, calendarNamed } from './calendar.js';
import { DAY_MS, HOUR_MS, dayIdOf, easterSunday, newYorkOffsetMs } from './calendars/dates.js';

const xnys = calendarNamed('XNYS');
const fx = calendarNamed('FX');
const dayOf = (iso: string): number => Date.parse(`${iso}T00:00:00Z`) / DAY_MS;
const hoursOf = (iso: string): string | null => {
  const session = xnys.sessionOnDay(dayOf(iso));
  if (session === null) return null;
  const local = (ms: number): string => new Date(ms + xnys.utcOffsetMs(ms)).toISOString().slice(11, 16);
  return `${local(session.openMs)}-${local(session.closeMs)}`;
};

describe('XNYS', () => {
  it.each([
    '2000-01-17',
    '2000-04-21',
    '2001-09-11',
    '2001-09-14',
    '2004-06-11',
    '2004-12-24',
    '2006-01-02',
    '2007-01-02',
    '2010-12-24',
    '2012-10-29',
    '2012-10-30',
    '2015-07-03',
    '2018-12-05',
    '2020-07-03',
    '2021-07-05',
    '2021-12-24',
    '2022-06-20',
    '2023-06-19',
    '2024-03-29',
    '2025-01-09',
    '2026-07-03',
    '2027-06-18',
    '2028-04-14',
  ])('is closed on %s', (iso) => expect(hoursOf(iso)).toBeNull());

  it.each([
    ['2001-09-17', '09:30-16:00'],
    ['2010-12-31', '09:30-16:00'],
    ['2021-12-31', '09:30-16:00'],
    ['2021-06-18', '09:30-16:00'], // Juneteenth from 2022
    ['2012-10-31', '09:30-16:00'],
    ['2021-11-26', '09:30-13:00'],
    ['2002-07-05', '09:30-13:00'],
    ['2002-07-03', '09:30-16:00'],
    ['2013-07-03', '09:30-13:00'],
    ['2013-07-05', '09:30-16:00'],
    ['2003-12-26', '09:30-13:00'],
    ['2019-12-24', '09:30-13:00'],
    ['2017-07-03', '09:30-13:00'],
    ['2022-07-01', '09:30-16:00'],
    ['2002-09-11', '12:00-16:00'],
    ['2024-07-03', '09:30-13:00'],
  ])('trades on %s at %s', (iso, hours) => expect(hoursOf(iso)).toBe(hours));

  // counts published by the exchange's own calendars
  it.each([
    [2000, 252],
    [2001, 248],
    [2004, 252],
    [2007, 251],
    [2008, 253],
    [2012, 250],
    [2013, 252],
    [2018, 251],
    [2020, 253],
    [2021, 252],
    [2022, 251],
    [2023, 250],
    [2024, 252],
    [2025, 250],
  ])('has in %i %i sessions', (year, count) => {
    expect(xnys.sessionsBetween(Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1))).toHaveLength(count);
  });

  it('moves with summer time: 14:30 UTC before, 13:30 UTC after 2011-03-13', () => {
    expect(xnys.sessionOnDay(dayOf('2011-03-11'))?.openMs).toBe(Date.parse('2011-03-11T14:30:00Z'));
    expect(xnys.sessionOnDay(dayOf('2011-03-14'))?.openMs).toBe(Date.parse('2011-03-14T13:30:00Z'));
    expect(xnys.sessionOnDay(dayOf('2006-04-03'))?.openMs).toBe(Date.parse('2006-04-03T13:30:00Z'));
    expect(xnys.sessionOnDay(dayOf('2006-10-30'))?.openMs).toBe(Date.parse('2006-10-30T14:30:00Z'));
  });

  it('contains the open and not the close', () => {
    const session = xnys.sessionOnDay(dayOf('2024-01-02'));
    if (session === null) throw new Error('2024-01-02 is a session');
    expect(xnys.sessionAt(session.openMs)).toBe(session);
    expect(xnys.sessionAt(session.closeMs - 1)).toBe(session);
    expect(xnys.sessionAt(session.openMs - 1)).toBeNull();
    expect(xnys.sessionAt(session.closeMs)).toBeNull();
  });

  it('refuses years that it does not know', () => {
    expect(() => xnys.sessionAt(Date.UTC(1999, 11, 31))).toThrow(/DATA_TIME calendar XNYS "1999-12-31T00:00:00.000Z"/);
    expect(() => xnys.sessionOnDay(dayIdOf(2031, 1, 2))).toThrow(/2000 to 2030/);
    expect(xnys.sessionAt(Date.UTC(2030, 11, 31, 22))).toBeNull();
  });
});

describe('FX', () => {
  const at = (iso: string): string | null => {
    const session = fx.sessionAt(Date.parse(iso));
    return session === null ? null : new Date(session.dayId * DAY_MS).toISOString().slice(0, 10);
  };
  it.each([
    ['2017-01-06T21:59:59Z', '2017-01-06'],
    ['2017-01-06T22:00:00Z', null],
    ['2017-01-08T21:59:59Z', null],
    ['2017-01-08T22:00:00Z', '2017-01-09'],
    ['2017-01-09T22:00:00Z', '2017-01-10'],
    ['2017-07-07T20:59:00Z', '2017-07-07'],
    ['2017-07-07T21:00:00Z', null],
    ['2017-03-10T21:30:00Z', '2017-03-10'],
    ['2017-03-12T21:00:00Z', '2017-03-13'],
    ['2017-11-05T21:30:00Z', null],
    ['2017-11-05T22:00:00Z', '2017-11-06'],
  ])('%s belongs to %s', (iso, expected) => expect(at(iso)).toBe(expected));

  it('has five sessions a week', () => {
    expect(fx.sessionsBetween(Date.UTC(2017, 0, 1), Date.UTC(2017, 0, 15))).toHaveLength(10);
  });
});

it('agrees with the ICU about New York at every hour of 2000 to 2030', () => {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: 'America/New_York', timeZoneName: 'longOffset' });
  for (let t = Date.UTC(2000, 0, 1); t < Date.UTC(2031, 0, 1); t += HOUR_MS * 11) {
    const text = format.format(t);
    if (newYorkOffsetMs(t) !== (text.endsWith('GMT-04:00') ? -4 : -5) * HOUR_MS)
      throw new Error(`${new Date(t).toISOString()} ${text}`);
  }
  for (const change of ['2011-03-13T07:00Z', '2011-11-06T06:00Z', '2006-04-02T07:00Z', '2006-10-29T06:00Z']) {
    const t = Date.parse(change);
    expect(Math.abs(newYorkOffsetMs(t) - newYorkOffsetMs(t - 1))).toBe(HOUR_MS);
  }
});

it.each(CALENDAR_NAMES)('%s finds every instant in the session that a plain search finds', (name) => {
  const calendar = calendarNamed(name);
  const sessions = calendar.sessionsBetween(Date.UTC(2011, 0, 1), Date.UTC(2012, 0, 1));
  const wrong: string[] = [];
  for (let t = Date.UTC(2011, 0, 4); t < Date.UTC(2011, 11, 30); t += 17 * 60_000) {
    const plain = sessions.find(({ openMs, closeMs }) => t >= openMs && t < closeMs) ?? null;
    if (calendar.sessionAt(t) !== plain) wrong.push(new Date(t).toISOString());
  }
  expect(wrong).toEqual([]);
});

it('knows Easter', () => {
  for (const iso of [
    '2000-04-23',
    '2008-03-23',
    '2011-04-24',
    '2019-04-21',
    '2024-03-31',
    '2025-04-20',
    '2038-04-25',
  ]) {
    expect(easterSunday(Number(iso.slice(0, 4)))).toBe(dayOf(iso));
  }
});

it('names the calendars when asked for an unknown one', () => {
  expect(() => calendarNamed('NYSE')).toThrow(/DATA_MANIFEST calendar "NYSE".*XNYS, FX, 24x7/);
});
