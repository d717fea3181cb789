/** Trading calendars: dated sessions in an exchange's own time zone, half days and holidays included. */
export interface Session {
  /** The session's date as days since 1970-01-01 (the exchange's own date). */
  readonly dayId: number;
  readonly openMs: number;
  readonly closeMs: number;
}

export interface TradingCalendar {
  readonly name: string;
  /** IANA zone, e.g. "America/New_York". */
  readonly timeZone: string;
  /** The session that contains the instant (open <= t < close), or null where the market is closed. */
  sessionAt(timeMs: number): Session | null;
  /** The session of a daily bar that carries the session's date at 00:00 UTC, or null on a holiday. */
  sessionOnDay(dayId: number): Session | null;
  /** Sessions that open in [fromMs, toMs), in order. */
  sessionsBetween(fromMs: number, toMs: number): Session[];
}
