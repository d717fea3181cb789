/** One order at the broker: what was asked, where it stands, and the messages that say so. */
import type { ServerMessage } from '../wire/responses.js';
import type { Contract, Order, OrderState, OrderStatus } from '../wire/types.js';
import type { ContractEntry } from './contract-book.js';

export type OrderSide = 1 | -1;

export class WorkingOrder {
  readonly orderId: number;
  readonly clientId: number;
  readonly permId: number;
  readonly entry: ContractEntry;
  readonly contract: Contract;
  readonly side: OrderSide;
  order: Order;
  status: OrderStatus = 'PendingSubmit';
  /** Quantity as it stands: modifications, OCA reductions and corporate actions change it. */
  total: number;
  filled = 0;
  /** Sum of quantity x price of the fills. */
  filledValue = 0;
  lastFillPrice = 0;
  /** Commission charged on the fills so far, currency. */
  commission = 0;
  /** Handed to the exchange, or waiting at the gateway for an order of its bracket. */
  transmitted = false;
  parent: WorkingOrder | null = null;
  readonly children: WorkingOrder[] = [];
  /** Names the group of which one cancels or reduces the others; empty: none. */
  ocaKey = '';
  ocaType = 0;
  /** Current stop and limit prices: trailing orders move them. NaN: none. */
  stop = NaN;
  limit = NaN;
  /** Best price since a trailing order began to follow. */
  best = NaN;
  triggered = false;
  /** Its time or its conditions have not come: it is held at the broker. */
  dormant = false;
  /** It has been in the market at an earlier tick: it is filled at its own price. */
  rested = false;
  /** Position when the order was last given, by which a backtest knows whether it reduces. */
  heldWhenGiven = 0;
  /** Market time of its end; Infinity: good till cancelled. */
  expiryMs = Infinity;
  completedMs = NaN;
  /** Why it was held when it was last shown. */
  shownWhyHeld = '';

  constructor(
    ids: { orderId: number; clientId: number; permId: number },
    entry: ContractEntry,
    contract: Contract,
    order: Order,
  ) {
    this.orderId = ids.orderId;
    this.clientId = ids.clientId;
    this.permId = ids.permId;
    this.entry = entry;
    this.contract = contract;
    this.order = order;
    this.side = order.action === 'BUY' ? 1 : -1;
    this.total = order.totalQuantity;
  }

  get remaining(): number {
    return this.total - this.filled;
  }

  get averagePrice(): number {
    return this.filled === 0 ? 0 : this.filledValue / this.filled;
  }

  get isDone(): boolean {
    const { status } = this;
    return status === 'Filled' || status === 'Cancelled' || status === 'ApiCancelled' || status === 'Inactive';
  }

  /** In the books of the broker: transmitted and not at its end. */
  get isWorking(): boolean {
    return this.transmitted && !this.isDone;
  }

  get isTrailing(): boolean {
    return this.order.orderType === 'TRAIL' || this.order.orderType === 'TRAIL LIMIT';
  }

  /** Waits for a price before it is a market or a limit order. */
  get waitsForTrigger(): boolean {
    return !this.triggered && TRIGGERED_TYPES.has(this.order.orderType);
  }

  /** Touched orders (MIT, LIT) trigger on the favourable side, stops on the other. */
  get triggersOnTouch(): boolean {
    return this.order.orderType === 'MIT' || this.order.orderType === 'LIT';
  }

  get isStop(): boolean {
    return TRIGGERED_TYPES.has(this.order.orderType) && !this.triggersOnTouch;
  }

  /** Limited in price once it is in the market. */
  get isLimited(): boolean {
    return LIMITED_TYPES.has(this.order.orderType);
  }

  /** What may fill now: while the parent fills, its children close no more than what it has filled. */
  get fillable(): number {
    const { parent, remaining } = this;
    if (parent === null || !parent.isWorking) return remaining;
    let closed = 0;
    for (const child of parent.children) closed += child.filled;
    return Math.max(0, Math.min(remaining, parent.filled - closed));
  }

  /** Whether the parent keeps it waiting. */
  get isHeldByParent(): boolean {
    return this.parent !== null && this.parent.filled === 0;
  }

  get whyHeld(): string {
    const held = this.isHeldByParent ? ['child'] : [];
    if (this.waitsForTrigger) held.push('trigger');
    return this.isDone ? '' : held.join(',');
  }
}

const TRIGGERED_TYPES = new Set(['STP', 'STP LMT', 'TRAIL', 'TRAIL LIMIT', 'MIT', 'LIT']);
const LIMITED_TYPES = new Set(['LMT', 'STP LMT', 'TRAIL LIMIT', 'LIT', 'LOC']);

const NO_STATE: Omit<OrderState, 'status'> = {
  initMarginBefore: null,
  maintMarginBefore: null,
  equityWithLoanBefore: null,
  initMarginChange: null,
  maintMarginChange: null,
  equityWithLoanChange: null,
  initMarginAfter: null,
  maintMarginAfter: null,
  equityWithLoanAfter: null,
  commission: null,
  minCommission: null,
  maxCommission: null,
  commissionCurrency: '',
  warningText: '',
  completedTime: '',
  completedStatus: '',
};

export function orderState(status: OrderStatus, more: Partial<OrderState> = {}): OrderState {
  return { ...NO_STATE, status, ...more };
}

/** The order as openOrder shows it: quantity, stop and group as they now stand. */
export function shownOrder(working: WorkingOrder, account: string): Order {
  const { order } = working;
  return {
    ...order,
    account,
    totalQuantity: working.total,
    tif: order.tif === '' ? 'DAY' : order.tif,
    ocaGroup: working.ocaKey,
    ocaType: working.ocaType === 0 ? 3 : working.ocaType,
    trailStopPrice: working.isTrailing && !Number.isNaN(working.stop) ? working.stop : order.trailStopPrice,
  };
}

export function openOrderMessage(working: WorkingOrder, account: string, state?: OrderState): ServerMessage {
  return {
    type: 'openOrder',
    orderId: working.orderId,
    clientId: working.clientId,
    permId: working.permId,
    contract: working.contract,
    order: shownOrder(working, account),
    orderState: state ?? orderState(working.status),
  };
}

export function orderStatusMessage(working: WorkingOrder): ServerMessage {
  return {
    type: 'orderStatus',
    orderId: working.orderId,
    status: working.status,
    filled: working.filled,
    remaining: Math.max(0, working.remaining),
    avgFillPrice: working.averagePrice,
    permId: working.permId,
    parentId: working.parent?.orderId ?? 0,
    lastFillPrice: working.lastFillPrice,
    clientId: working.clientId,
    whyHeld: working.whyHeld,
    mktCapPrice: 0,
  };
}
