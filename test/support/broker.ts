/** A broker whose events are kept, and instruments of the simulated market. */
import { type Instrument, usShare } from '#env/market/instrument.js';
import type { Answer, BrokerEvent, OrderRequest, OrderState } from '#src/broker/contract.js';
import { IbBroker } from '#src/broker/ib-broker.js';
import type { IbBrokerOptions } from '#src/broker/options.js';

export const ACCOUNT = 'DU1234567';

export const STOCK: Instrument = usShare('SYN');

/** Waits that stand for a gateway that does not answer are short here; those that must not run out are long. */
export const QUICK = {
  host: '127.0.0.1',
  clientId: 7,
  account: ACCOUNT,
  handshakeTimeoutMs: 20_000,
  answerTimeoutMs: 20_000,
  backoffMs: { first: 20, most: 100 },
  clientIdInUseBackoffMs: 150,
} as const satisfies Partial<IbBrokerOptions>;

type EventOf<Type extends BrokerEvent['type']> = Extract<BrokerEvent, { readonly type: Type }>;

export class TestBroker {
  readonly broker: IbBroker;
  readonly events: BrokerEvent[] = [];
  readonly #watchers = new Set<() => void>();
  #refs = 0;

  constructor(options: IbBrokerOptions, listener: (event: BrokerEvent) => void = () => undefined) {
    this.broker = new IbBroker(options);
    this.broker.open((event) => {
      this.events.push(event);
      for (const watcher of this.#watchers) watcher();
      listener(event);
    });
  }

  all<Type extends BrokerEvent['type']>(type: Type): EventOf<Type>[] {
    return this.events.filter((event): event is EventOf<Type> => event.type === type);
  }

  /** The first event of a type that fits, from `since` on; those that are there already count. */
  async event<Type extends BrokerEvent['type']>(
    type: Type,
    fits: (event: EventOf<Type>) => boolean = () => true,
    since = 0,
  ): Promise<EventOf<Type>> {
    let found: EventOf<Type> | undefined;
    await this.until(() => {
      found = this.events
        .slice(since)
        .find((event): event is EventOf<Type> => event.type === type && fits(event as EventOf<Type>));
      return found !== undefined;
    }, type);
    if (found === undefined) throw new Error('found and lost');
    return found;
  }

  state(orderRef: string, state: OrderState, since = 0): Promise<EventOf<'order'>> {
    return this.event('order', ({ report }) => report.orderRef === orderRef && report.state === state, since);
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (!condition()) {
      if (performance.now() > deadline)
        throw new Error(`${what} did not come; last events: ${JSON.stringify(this.events.slice(-12))}`);
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.#watchers.delete(done);
          resolve();
        };
        const timer = setTimeout(done, 20);
        this.#watchers.add(done);
      });
    }
  }

  ref(): string {
    return `t-${++this.#refs}`;
  }
}

export function value<T>(answer: Answer<T>): T {
  if (!answer.known) throw new Error(`not known: ${answer.code ?? ''} ${answer.reason}`);
  return answer.value;
}

/** A market order to buy 10 unless told otherwise. */
export function order(orderRef: string, changes: Partial<OrderRequest> = {}): OrderRequest {
  return {
    orderRef,
    symbol: 'SYN',
    side: 'BUY',
    quantity: 10,
    orderType: 'MKT',
    limitPrice: null,
    stopPrice: null,
    tif: 'DAY',
    outsideRth: false,
    parentRef: null,
    ocaGroup: null,
    transmit: true,
    ...changes,
  };
}

/** To the cent. */
export function cents(price: number): number {
  return Math.round(price * 100) / 100;
}
