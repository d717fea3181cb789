/** The bars that a session is compared on: the data sets that were replayed, where they can be had again; else its own. */
import { firstBarAtOrAfter, sliceBars, type Bars } from '#env/market/bars.js';
import { calendarNamed } from '#env/market/calendar.js';
import { spanAt } from '#src/live/core/bar-builder.js';
import { asTraded } from '#src/data/as-traded.js';
import { loadDataset } from '#src/data/load.js';
import { OpenBellError } from '#src/errors.js';
import { segmentFrom } from './parity.js';
import type { SessionRecord } from './session-record.js';

export interface Reference {
  /** One entry a symbol with decisions, in one segment each. */
  readonly bars: readonly Bars[];
  readonly of: 'replayed' | 'recorded';
  /** Why not those that were replayed; null: they are, or nothing was replayed. */
  readonly why: string | null;
  /** Bars of the reference, and those that the runner took with the same bits. */
  readonly expected: number;
  readonly same: number;
}

const COLUMNS = ['open', 'high', 'low', 'close', 'volume'] as const;

export async function referenceBars(session: SessionRecord): Promise<Reference> {
  const decided = session.bars.filter(({ instrument }) => session.decisions.has(instrument.symbol));
  const recorded = (why: string | null): Reference => {
    const expected = decided.reduce((sum, { length }) => sum + length, 0);
    return { bars: decided, of: 'recorded', why, expected, same: expected };
  };
  const { note } = session;
  if (note === null || note.data.length === 0) return recorded(null);
  const bars: Bars[] = [];
  for (const own of decided) {
    const { symbol } = own.instrument;
    const source = note.data.find((one) => one.symbol === symbol);
    if (source === undefined) return recorded(`the journal does not say what was replayed for ${symbol}`);
    const found = await load(source.dataset);
    if (typeof found === 'string') return recorded(found);
    if (found.sha256 !== source.sha256)
      return recorded(`${source.dataset} is another file now (sha256 ${found.sha256}, not ${source.sha256})`);
    bars.push(replayedPart(found, own, session));
  }
  return {
    bars,
    of: 'replayed',
    why: null,
    expected: bars.reduce((sum, { length }) => sum + length, 0),
    same: bars.reduce((sum, one, index) => sum + sameBars(one, decided[index]), 0),
  };
}

async function load(dataset: string): Promise<Bars | string> {
  try {
    return asTraded(await loadDataset(dataset));
  } catch (error) {
    if (!(error instanceof OpenBellError)) throw error;
    return `${dataset} cannot be loaded: ${error.message}`;
  }
}

/** From the observation's anchor to the last bar that closed while the session ran. */
function replayedPart(data: Bars, recorded: Bars, { note, toMs, decisions, config }: SessionRecord): Bars {
  const first = decisions.get(recorded.instrument.symbol)?.[0].barOpenMs ?? recorded.openTimeMs[0];
  const segment = segmentFrom(data, first);
  const calendar = calendarNamed(config.calendar);
  const endMs = note?.toMs ?? toMs;
  const start = firstBarAtOrAfter(segment, note?.anchorMs ?? recorded.openTimeMs[0]);
  let end = firstBarAtOrAfter(segment, endMs);
  const closes = (openMs: number): number =>
    config.interval.ms >= DAY_MS
      ? (calendar.sessionOnDay(Math.floor(openMs / DAY_MS))?.closeMs ?? openMs)
      : (spanAt(openMs, config.interval.ms, calendar)?.toMs ?? openMs + config.interval.ms);
  while (end > start + 1 && closes(segment.openTimeMs[end - 1]) > endMs) end--;
  return sliceBars(segment, start, Math.max(end, start + 1));
}

const DAY_MS = 86_400_000;

function sameBars(expected: Bars, recorded: Bars): number {
  const rowOf = new Map([...recorded.openTimeMs].map((timeMs, row) => [timeMs, row]));
  let same = 0;
  for (let t = 0; t < expected.length; t++) {
    const row = rowOf.get(expected.openTimeMs[t]);
    if (row !== undefined && COLUMNS.every((column) => Object.is(expected[column][t], recorded[column][row]))) same++;
  }
  return same;
}
