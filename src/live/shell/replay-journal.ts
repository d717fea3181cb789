/**
 * A journal, run again: the same events to a new trader. With the bundle's policy it proves that every decision and
 * every order followed from what was heard; with the journal's own decisions it gives back the trader's state alone.
 */
import { firstDifference } from '#env/same-bits.js';
import { fail } from '#src/errors.js';
import type { Decider } from '../core/decider.js';
import type { DecisionRecord, TraderIntent } from '../core/intents.js';
import { Trader } from '../core/trader.js';
import { Journal } from './journal.js';

export interface JournalDifference {
  /** Of the event, from 1. */
  readonly sequence: number;
  readonly event: string;
  readonly marketMs: number;
  /** Place among the event's intents. */
  readonly place: number;
  /** null: there is none at this place. */
  readonly journalled: TraderIntent | null;
  readonly repeated: TraderIntent | null;
}

export interface JournalReplay {
  readonly file: string;
  readonly bundle: string | null;
  readonly events: number;
  readonly intents: number;
  readonly decisions: number;
  readonly orders: number;
  readonly firstDifference: JournalDifference | null;
}

/** Throws LIVE_JOURNAL on a journal that cannot be read. Stops at the first difference. */
export function replayJournal(file: string, decider: Decider): JournalReplay {
  const journal = Journal.read(file);
  const trader = new Trader(decider);
  let events = 0;
  let intents = 0;
  let decisions = 0;
  let orders = 0;
  let difference: JournalDifference | null = null;
  for (const entry of journal.entries()) {
    // the journal is JSON: what was said is compared as it was written down
    const repeated: TraderIntent[] = trader.handle(entry.event).map((intent) => JSON.parse(JSON.stringify(intent)));
    events++;
    const place = firstOther(entry.intents, repeated);
    if (place !== null) {
      difference = {
        sequence: entry.sequence,
        event: entry.event.type,
        marketMs: entry.event.marketMs,
        place,
        journalled: entry.intents[place] ?? null,
        repeated: repeated[place] ?? null,
      };
      break;
    }
    intents += repeated.length;
    decisions += repeated.filter(({ type }) => type === 'decision').length;
    orders += repeated.filter(({ type }) => type === 'place' || type === 'modify' || type === 'cancel').length;
  }
  const { bundle } = journal;
  journal.close();
  return { file, bundle, events, intents, decisions, orders, firstDifference: difference };
}

function firstOther(a: readonly TraderIntent[], b: readonly TraderIntent[]): number | null {
  for (let place = 0; place < Math.max(a.length, b.length); place++)
    if (place >= a.length || place >= b.length || firstDifference(a[place], b[place]) !== null) return place;
  return null;
}

/** Decides as the journal says that it was decided, and then no more: for what needs no policy, such as leaving. */
export class RecordedDecider implements Decider {
  readonly #file: string;
  readonly #decisions: DecisionRecord[] = [];
  #at = 0;

  constructor(journal: Journal) {
    this.#file = journal.file;
    for (const intent of journal.intents()) if (intent.type === 'decision') this.#decisions.push(intent.decision);
  }

  decide(_observation: Float32Array, _mask: Uint8Array | null, probabilities: Float32Array): number {
    if (this.#at >= this.#decisions.length)
      fail('LIVE_JOURNAL', { where: this.#file, message: 'holds fewer decisions than its events ask for' });
    const { action, probabilities: recorded } = this.#decisions[this.#at++];
    probabilities.set(recorded);
    return action;
  }
}

/** The trader as the journal left it. */
export function traderOf(journal: Journal): Trader {
  const trader = new Trader(new RecordedDecider(journal));
  for (const { event } of journal.entries()) trader.handle(event);
  return trader;
}
