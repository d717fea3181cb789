/** A journal, run again step by step: what the trader answered, how it stood after each event, and the bars it took. */
import { calendarNamed } from '#env/market/calendar.js';
import { BarBuilder } from '../core/bar-builder.js';
import type { Decider } from '../core/decider.js';
import type { ClosedBar } from '../core/events.js';
import type { TraderIntent } from '../core/intents.js';
import { Trader } from '../core/trader.js';
import type { Journal, JournalEntry } from './journal.js';

export interface TakenBar {
  readonly symbol: string;
  readonly bar: ClosedBar;
  /** From 5-second bars, or whole from the broker's history: the warm-up, and what was missed. */
  readonly from: 'stream' | 'history';
}

export interface JournalStep {
  readonly entry: JournalEntry;
  /** What the trader answers now; the entry has what it answered then. */
  readonly repeated: readonly TraderIntent[];
  /** As the event left it. */
  readonly trader: Trader;
  /** Bars that went into the observation by this event, oldest first. */
  readonly bars: readonly TakenBar[];
}

/** Throws LIVE_JOURNAL on a row that cannot be read, LIVE_EVENT where the journal does not begin with a start. */
export function* walkJournal(journal: Journal, decider: Decider): IterableIterator<JournalStep> {
  const trader = new Trader(decider);
  const builders = new Map<string, BarBuilder>();
  for (const entry of journal.entries()) {
    const { event } = entry;
    const news = event.type === 'fiveSecondBar' || event.type === 'history' ? event : null;
    const symbolOf = (name: string | undefined) => trader.symbols.find(({ symbol }) => symbol === name);
    const before = symbolOf(news?.symbol)?.market.row.stampMs ?? Infinity;
    const repeated = trader.handle(event);
    if (event.type === 'started') {
      const calendar = calendarNamed(event.config.calendar);
      for (const { symbol } of event.config.symbols)
        builders.set(symbol, new BarBuilder(event.config.interval.ms, calendar));
    }
    const bars: TakenBar[] = [];
    const after = symbolOf(news?.symbol)?.market.row.stampMs ?? -Infinity;
    if (news?.type === 'fiveSecondBar') {
      const built = builders.get(news.symbol)?.add(news.bar) ?? [];
      for (const { bar, whole } of built)
        if (whole && after > before && bar.openMs === after) bars.push({ symbol: news.symbol, bar, from: 'stream' });
    } else if (news !== null && after > before) {
      let last = before;
      for (const bar of news.bars) {
        if (bar.openMs <= last) continue;
        last = bar.openMs;
        bars.push({ symbol: news.symbol, bar, from: 'history' });
      }
    }
    yield { entry, repeated, trader, bars };
  }
}
