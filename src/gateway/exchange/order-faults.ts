/** Faults that wait for an order to meet: each is spent by the first that fits. */
import type { ExchangeFault, OrderMatch } from '../exchange-port.js';
import type { WorkingOrder } from './working-order.js';

type OrderFault = Extract<ExchangeFault, { readonly match: OrderMatch }>;
type FaultOf<Kind extends OrderFault['kind']> = Extract<OrderFault, { readonly kind: Kind }>;

export class OrderFaults {
  readonly #armed: OrderFault[] = [];

  arm(fault: OrderFault): void {
    this.#armed.push(fault);
  }

  take<Kind extends OrderFault['kind']>(kind: Kind, working: WorkingOrder): FaultOf<Kind> | null {
    if (this.#armed.length === 0) return null;
    const isWanted = (fault: OrderFault): fault is FaultOf<Kind> =>
      fault.kind === kind && matches(fault.match, working);
    const found = this.#armed.find(isWanted);
    if (found === undefined) return null;
    this.#armed.splice(this.#armed.indexOf(found), 1);
    return found;
  }

  /** The share of the order that its next fill may fill; null: no such fault. */
  takePartial(working: WorkingOrder): number | null {
    return this.take('partialThenCancel', working)?.fraction ?? null;
  }

  takeCorrection(working: WorkingOrder): FaultOf<'correctExecution'> | null {
    return this.take('correctExecution', working);
  }
}

function matches(match: OrderMatch, working: WorkingOrder): boolean {
  const given = <Value>(wanted: Value | undefined, has: Value): boolean => wanted === undefined || wanted === has;
  return (
    given(match.orderId, working.orderId) &&
    given(match.clientId, working.clientId) &&
    given(match.orderRef, working.order.orderRef) &&
    (match.symbol === undefined || symbolsOf(working).includes(match.symbol)) &&
    given(match.orderType, working.order.orderType) &&
    given(match.action, working.order.action)
  );
}

/** A currency pair goes by its first currency, and by its name with and without the dot. */
function symbolsOf({ contract }: WorkingOrder): string[] {
  return [contract.symbol, contract.localSymbol, contract.localSymbol.replace('.', '')];
}
