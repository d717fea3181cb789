/**
 * Faults of single messages: lost, doubled, late, out of order. A pure transformation of the stream of messages to one
 * client; what is held back is handed to `later`.
 */
import type { RandomStream } from '#env/seeding.js';
import type { ServerMessage } from '../wire/responses.js';
import type { Fault, MatchSpec } from './schema.js';

/** The faults that this file knows. */
export type MessageFault = Extract<
  Fault,
  {
    readonly kind:
      | 'lose_status'
      | 'duplicate_status'
      | 'lose_execution'
      | 'duplicate_execution'
      | 'lose_commission'
      | 'late_commission'
      | 'execution_before_status'
      | 'status_before_execution'
      | 'reorder';
  }
>;

const MESSAGE_KINDS: ReadonlySet<Fault['kind']> = new Set<MessageFault['kind']>([
  'lose_status',
  'duplicate_status',
  'lose_execution',
  'duplicate_execution',
  'lose_commission',
  'late_commission',
  'execution_before_status',
  'status_before_execution',
  'reorder',
]);

export function isMessageFault(fault: Fault): fault is MessageFault {
  return MESSAGE_KINDS.has(fault.kind);
}

/** A message fault that is armed: how often it still applies. Shared by all clients' lines. */
export interface ArmedFault {
  readonly fault: MessageFault;
  left: number;
}

interface OrderFacts {
  readonly orderId: number;
  readonly clientId: number;
  orderRef: string;
  symbol: string;
  orderType: string;
  action: string;
  /** Quantity that the statuses, and the executions, have told of so far. */
  statusFilled: number;
  executionFilled: number;
}

/** Executions whose order is known: at most so many (the oldest are forgotten). */
const REMEMBERED_EXECUTIONS = 4096;

export class MessageFaults {
  readonly #armed: ArmedFault[];
  readonly #random: RandomStream;
  readonly #deliver: (message: ServerMessage) => void;
  readonly #later: (message: ServerMessage, delayMs: number) => void;
  readonly #orders = new Map<number, OrderFacts>();
  readonly #orderOfExecution = new Map<string, OrderFacts>();
  /** Status of an order that waits for its execution, execution that waits for its status, commission for both. */
  readonly #held = new Map<string, ServerMessage[]>();
  #shuffled: ServerMessage[] = [];

  constructor(
    armed: ArmedFault[],
    random: RandomStream,
    deliver: (message: ServerMessage) => void,
    later: (message: ServerMessage, delayMs: number) => void,
  ) {
    this.#armed = armed;
    this.#random = random;
    this.#deliver = deliver;
    this.#later = later;
  }

  send(message: ServerMessage): void {
    const facts = this.#note(message);
    if (facts === null || (this.#armed.length === 0 && this.#held.size === 0)) {
      this.#out(message);
      return;
    }
    const key = `${facts.orderId}`;
    switch (message.type) {
      case 'orderStatus': {
        if (this.#take('lose_status', facts) !== null) return;
        if (message.filled > facts.executionFilled && this.#take('execution_before_status', facts) !== null) {
          this.#hold(`exec ${key}`, message);
          return;
        }
        facts.statusFilled = message.filled;
        this.#out(message);
        if (this.#take('duplicate_status', facts) !== null) this.#out(message);
        if (message.filled > 0) this.#release(`status ${key}`);
        return;
      }
      case 'execDetails': {
        if (message.reqId === -1 && this.#take('lose_execution', facts) !== null) return;
        const isNews = message.reqId === -1 && message.execution.cumQty > facts.statusFilled;
        if (isNews && this.#take('status_before_execution', facts) !== null) {
          this.#hold(`status ${key}`, message);
          return;
        }
        facts.executionFilled = message.execution.cumQty;
        this.#out(message);
        if (message.reqId === -1 && this.#take('duplicate_execution', facts) !== null) this.#out(message);
        this.#release(`exec ${key}`);
        return;
      }
      case 'commissionReport': {
        if (this.#take('lose_commission', facts) !== null) return;
        const late = this.#take('late_commission', facts);
        if (late?.kind === 'late_commission') this.#later(message, late.delay);
        else this.#out(message);
        return;
      }
      default:
        this.#out(message);
    }
  }

  /** What still waits goes out (the session ends, or the fault is over). */
  flush(): void {
    for (const key of this.#held.keys()) this.#release(key);
    this.#releaseShuffled();
  }

  #out(message: ServerMessage): void {
    const reorder = this.#armed.find(({ fault, left }) => fault.kind === 'reorder' && left > 0);
    if (reorder === undefined || reorder.fault.kind !== 'reorder' || !isOrderMessage(message)) {
      if (this.#shuffled.length > 0 && !isOrderMessage(message)) this.#releaseShuffled();
      this.#deliver(message);
      return;
    }
    this.#shuffled.push(message);
    if (this.#shuffled.length >= reorder.fault.window) {
      reorder.left--;
      this.#releaseShuffled();
    } else if (this.#shuffled.length === 1) {
      // a group that never fills up does not wait for ever
      const group = this.#shuffled;
      queueMicrotask(() => {
        if (group === this.#shuffled && group.length > 0) this.#releaseShuffled();
      });
    }
  }

  #releaseShuffled(): void {
    const group = this.#shuffled;
    this.#shuffled = [];
    const order = new Int32Array(group.length);
    this.#random.permutation(order);
    for (const index of order) this.#deliver(group[index]);
  }

  /** Remembers what an order is; returns the order that a message speaks of. */
  #note(message: ServerMessage): OrderFacts | null {
    switch (message.type) {
      case 'openOrder': {
        const facts = this.#factsOf(message.orderId, message.clientId);
        facts.orderRef = message.order.orderRef;
        facts.symbol = message.contract.symbol;
        facts.orderType = message.order.orderType;
        facts.action = message.order.action;
        return facts;
      }
      case 'orderStatus':
        return this.#factsOf(message.orderId, message.clientId);
      case 'execDetails': {
        const { execution, contract } = message;
        const facts = this.#factsOf(execution.orderId, execution.clientId);
        facts.symbol = contract.symbol;
        facts.orderRef = execution.orderRef;
        facts.action = execution.side === 'BOT' ? 'BUY' : 'SELL';
        this.#orderOfExecution.set(execution.execId, facts);
        if (this.#orderOfExecution.size > REMEMBERED_EXECUTIONS) {
          const [oldest] = this.#orderOfExecution.keys();
          this.#orderOfExecution.delete(oldest);
        }
        return facts;
      }
      case 'commissionReport':
        return this.#orderOfExecution.get(message.execId) ?? null;
      default:
        return null;
    }
  }

  #factsOf(orderId: number, clientId: number): OrderFacts {
    let facts = this.#orders.get(orderId);
    if (facts === undefined) {
      facts = {
        orderId,
        clientId,
        orderRef: '',
        symbol: '',
        orderType: '',
        action: '',
        statusFilled: 0,
        executionFilled: 0,
      };
      this.#orders.set(orderId, facts);
      if (this.#orders.size > REMEMBERED_EXECUTIONS) {
        const [oldest] = this.#orders.keys();
        this.#orders.delete(oldest);
      }
    }
    return facts;
  }

  /** Spends the first armed fault of this kind that fits. */
  #take(kind: MessageFault['kind'], facts: OrderFacts): MessageFault | null {
    const index = this.#armed.findIndex(
      ({ fault, left }) => left > 0 && fault.kind === kind && 'match' in fault && fits(fault.match, facts),
    );
    if (index < 0) return null;
    const armed = this.#armed[index];
    armed.left--;
    if (armed.left === 0) this.#armed.splice(index, 1);
    return armed.fault;
  }

  #hold(key: string, message: ServerMessage): void {
    const held = this.#held.get(key) ?? [];
    held.push(message);
    this.#held.set(key, held);
  }

  #release(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    for (const message of held) this.#out(message);
  }
}

function fits(match: MatchSpec, facts: OrderFacts): boolean {
  return (
    (match.order_id === undefined || match.order_id === facts.orderId) &&
    (match.client_id === undefined || match.client_id === facts.clientId) &&
    (match.order_ref === undefined || match.order_ref === facts.orderRef) &&
    (match.symbol === undefined || match.symbol === facts.symbol) &&
    (match.order_type === undefined || match.order_type === facts.orderType) &&
    (match.action === undefined || match.action === facts.action)
  );
}

function isOrderMessage(message: ServerMessage): boolean {
  return (
    message.type === 'openOrder' ||
    message.type === 'orderStatus' ||
    message.type === 'execDetails' ||
    message.type === 'commissionReport'
  );
}
