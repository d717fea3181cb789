/** From what the broker says to what the trader hears; the rest is told to people alone. */
import type { BrokerEvent } from '#src/broker/contract.js';
import type { TraderNews } from '../core/events.js';
import type { Alert } from '../core/intents.js';

export interface BrokerNewsListener {
  /** The broker can be asked again: contracts first, then all that was missed. */
  began(): void;
  news(news: TraderNews): void;
  told(alert: Alert): void;
}

/** Quotes come in floods; one a second says all that a plausibility check needs. */
const QUOTE_EVERY_MS = 1_000;

export class BrokerNews {
  readonly #listener: BrokerNewsListener;
  readonly #elapsedMs: () => number;
  /** Between closes only levels that follow every tick look at trades. */
  readonly #wantsTrades: boolean;
  readonly #quotedAtMs = new Map<string, number>();

  constructor(listener: BrokerNewsListener, elapsedMs: () => number, wantsTrades: boolean) {
    this.#listener = listener;
    this.#elapsedMs = elapsedMs;
    this.#wantsTrades = wantsTrades;
  }

  hear(event: BrokerEvent): void {
    const listener = this.#listener;
    switch (event.type) {
      case 'connected':
        return listener.began();
      case 'disconnected':
        return listener.news({ type: 'disconnected' });
      case 'link':
        return event.state === 'down' ? listener.news({ type: 'disconnected' }) : listener.began();
      case 'marketDataType':
        return listener.news({ type: 'dataType', symbol: event.symbol, marketDataType: event.marketDataType });
      case 'commission': {
        const { execRoot, revision, amount } = event.report;
        return listener.news({ type: 'commission', execRoot, revision, amount });
      }
      case 'orderError': {
        const { orderRef, effect, code, text } = event;
        return listener.news({ type: 'orderError', orderRef, effect, code, text });
      }
      case 'fiveSecondBar':
      case 'execution':
      case 'order':
        return listener.news(event);
      case 'quote':
        return this.#quote(event);
      case 'trade':
        if (this.#wantsTrades) listener.news({ type: 'trade', symbol: event.symbol, price: event.price });
        return;
      case 'dataFarm':
      case 'dataError':
      case 'notice':
        return this.#notice(event);
    }
  }

  #quote(event: Extract<BrokerEvent, { type: 'quote' }>): void {
    const elapsedMs = this.#elapsedMs();
    if (elapsedMs - (this.#quotedAtMs.get(event.symbol) ?? -Infinity) < QUOTE_EVERY_MS) return;
    this.#quotedAtMs.set(event.symbol, elapsedMs);
    this.#listener.news(event);
  }

  /** What changes nothing for the trader is still told. */
  #notice(event: Extract<BrokerEvent, { type: 'dataFarm' | 'dataError' | 'notice' }>): void {
    const level = event.type === 'notice' ? (event.level === 'info' ? 'info' : 'warning') : 'info';
    this.#listener.told({
      level,
      code: `BROKER_${event.code}`,
      symbol: event.type === 'dataError' ? event.symbol : null,
      text: event.text,
    });
  }
}
