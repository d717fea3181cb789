/**
 * Every code that a gateway says, in one table: what it does to the session, to an order and to a request for data.
 * Sources: IBKR's list of TWS API message codes, and what the trackers of public clients report of each
 * (docs/broker.md). A code that is not in the table is not guessed at: on an order it is doubtful, on a request it ends it.
 */

/** `rejected`: it will never work. `doubtful`: only the broker's own books tell. `modify`, `cancel`: that request was refused. */
export type OrderEffect = 'rejected' | 'doubtful' | 'modify' | 'cancel' | 'warning';

/** What a code says about the session, where it names no request. */
export type SessionEffect =
  | 'linkDown'
  | 'linkUp'
  | 'linkUpDataLost'
  | 'marketDataBroken'
  | 'marketDataOk'
  | 'clientIdInUse'
  | 'ended'
  | 'rate'
  | 'warning'
  | 'information';

/** What a code does to a request or subscription that it names. `none`: the answer is whole, and empty. */
export type DataEffect = 'ends' | 'none' | 'pacing' | 'goesOn';

interface CodeRule {
  readonly meaning: string;
  readonly session?: SessionEffect;
  readonly order?: OrderEffect;
  readonly data?: DataEffect;
}

export const CODES: Readonly<Record<number, CodeRule>> = {
  // connectivity
  1100: { meaning: 'the link between gateway and broker is lost', session: 'linkDown' },
  1101: { meaning: 'the link is back, subscriptions are lost', session: 'linkUpDataLost' },
  1102: { meaning: 'the link is back, subscriptions are kept', session: 'linkUp' },
  1300: { meaning: 'the port was changed and this connection is dropped', session: 'ended' },
  2103: { meaning: 'a market data farm is broken', session: 'marketDataBroken' },
  2104: { meaning: 'a market data farm is fine', session: 'marketDataOk' },
  2105: { meaning: 'a farm of historical data is broken', session: 'warning' },
  2106: { meaning: 'a farm of historical data is fine', session: 'information' },
  2107: { meaning: 'a farm of historical data sleeps until it is asked', session: 'information' },
  2108: { meaning: 'a market data farm sleeps until it is asked', session: 'information' },
  2110: { meaning: 'the link between gateway and server is broken', session: 'linkDown' },
  2119: { meaning: 'a market data farm is connecting', session: 'information' },
  2157: { meaning: 'the farm of security definitions is broken', session: 'warning' },
  2158: { meaning: 'the farm of security definitions is fine', session: 'information' },
  326: { meaning: 'the clientId is in use', session: 'clientIdInUse' },
  501: { meaning: 'connected already', session: 'information' },
  502: { meaning: 'cannot connect', session: 'ended' },
  503: { meaning: 'the gateway is too old', session: 'ended' },
  504: { meaning: 'not connected', session: 'ended', order: 'doubtful', data: 'ends' },
  506: { meaning: 'the gateway speaks another version', session: 'ended' },
  507: { meaning: 'a message of the wrong length', session: 'ended' },

  // data
  100: { meaning: 'more than 50 messages a second', session: 'rate', order: 'doubtful', data: 'pacing' },
  101: { meaning: 'too many subscriptions', data: 'ends' },
  102: { meaning: 'the ticker id is in use', data: 'ends' },
  162: { meaning: 'historical data: none, or asked for too often', data: 'ends' },
  165: { meaning: 'historical data: a message of the service', data: 'goesOn' },
  300: { meaning: 'no such ticker id', data: 'goesOn' },
  310: { meaning: 'no such subscription of depth', data: 'goesOn' },
  316: { meaning: 'depth was halted', data: 'ends' },
  317: { meaning: 'depth was reset', data: 'goesOn' },
  322: { meaning: 'the request cannot be handled', data: 'ends', order: 'doubtful' },
  354: { meaning: 'market data is not subscribed to', data: 'ends' },
  365: { meaning: 'no such scanner', data: 'goesOn' },
  366: { meaning: 'no such request for historical data', data: 'goesOn' },
  386: { meaning: 'no such request for historical data', data: 'goesOn' },
  420: { meaning: '5-second bars: refused, or asked for too often', data: 'ends' },
  10089: { meaning: 'market data needs another subscription', data: 'ends' },
  10090: { meaning: 'a part of the market data is not subscribed to', data: 'goesOn' },
  10167: { meaning: 'delayed market data is shown', data: 'goesOn' },
  10168: { meaning: 'market data is not subscribed to, delayed data is off', data: 'ends' },
  10182: { meaning: 'the data was lost', data: 'ends' },
  10186: { meaning: 'market data is not subscribed to, delayed data is off', data: 'ends' },
  10187: { meaning: 'historical ticks: none', data: 'none' },
  10190: { meaning: 'too many tick-by-tick subscriptions', data: 'ends' },
  10197: { meaning: 'another session has the market data', data: 'ends' },
  10225: { meaning: 'a bust event: the subscription has to be made anew', data: 'ends' },

  // orders: refused for good, by the broker or the exchange
  103: { meaning: 'the order id was used before', order: 'rejected' },
  107: { meaning: 'the order is incomplete', order: 'rejected' },
  200: { meaning: 'no such contract, or more than one', order: 'rejected', data: 'ends' },
  201: { meaning: 'the order was rejected', order: 'rejected' },
  203: { meaning: 'the account may not trade this security', order: 'rejected', data: 'ends' },
  // orders: refused by the gateway itself, and no status follows
  104: { meaning: 'a filled order cannot be modified', order: 'modify' },
  105: { meaning: 'the modification does not fit the order', order: 'modify' },
  106: { meaning: 'the order cannot be transmitted', order: 'doubtful' },
  109: { meaning: 'the price is out of range', order: 'doubtful' },
  110: { meaning: 'the price is off tick', order: 'doubtful' },
  111: { meaning: 'order type and time in force do not fit', order: 'doubtful' },
  113: { meaning: 'the time in force does not fit the order type', order: 'doubtful' },
  115: { meaning: 'relative orders do not fit here', order: 'doubtful' },
  116: { meaning: 'the order cannot be transmitted to a dead exchange', order: 'doubtful' },
  118: { meaning: 'the size is not allowed', order: 'doubtful' },
  129: { meaning: 'the time in force does not fit', order: 'doubtful' },
  133: { meaning: 'the order cannot be submitted', order: 'doubtful' },
  134: { meaning: 'the modification failed', order: 'modify' },
  135: { meaning: 'no order with this id', order: 'doubtful' },
  136: { meaning: 'this order cannot be cancelled', order: 'cancel' },
  139: { meaning: 'the order is not valid', order: 'doubtful' },
  144: { meaning: 'size or price is not valid', order: 'doubtful' },
  146: { meaning: 'the trigger method is not valid', order: 'doubtful' },
  152: { meaning: 'hidden orders do not fit here', order: 'doubtful' },
  161: { meaning: 'the order is in no state that can be cancelled', order: 'cancel' },
  202: { meaning: 'the order was cancelled: a status says so too', order: 'warning' },
  321: { meaning: 'the request is not valid', order: 'doubtful', data: 'ends' },
  355: { meaning: 'the size does not fit the market rule', order: 'doubtful' },
  382: { meaning: 'the price violates the limit of the presets', order: 'doubtful' },
  383: { meaning: 'the size violates the limit of the presets', order: 'doubtful' },
  387: { meaning: 'the exchange does not take this order type', order: 'doubtful' },
  388: { meaning: 'the size is below the least', order: 'doubtful' },
  391: { meaning: 'the time of the order is not valid', order: 'doubtful' },
  399: { meaning: 'a message about the order', order: 'warning' },
  404: { meaning: 'held while shares to short are looked for', order: 'warning' },
  434: { meaning: 'the size cannot be zero', order: 'doubtful' },
  435: { meaning: 'the account is not valid', order: 'doubtful' },
  436: { meaning: 'an allocation is needed', order: 'doubtful' },
  460: { meaning: 'no permission to trade', order: 'doubtful' },
  461: { meaning: 'the size does not fit the lot', order: 'doubtful' },
  463: { meaning: 'the stop price is needed', order: 'doubtful' },
  512: { meaning: 'the order could not be sent', order: 'doubtful' },
  2102: { meaning: 'the modification waits for one that is on its way', order: 'modify' },
  2109: { meaning: 'outside regular hours is ignored for this order', order: 'warning' },
  2137: { meaning: 'the order crosses an own one', order: 'warning' },
  2148: { meaning: 'a warning about the order', order: 'warning' },
  2161: { meaning: 'the price was capped', order: 'warning' },
  10052: { meaning: 'the time in force is not valid', order: 'doubtful' },
  10147: { meaning: 'the order to cancel is not known: it may be filled', order: 'cancel' },
  10148: { meaning: 'the order cannot be cancelled in its state: it may be filled', order: 'cancel' },
  10149: { meaning: 'the order cannot be cancelled', order: 'cancel' },
  10311: { meaning: 'a direct route is charged for', order: 'warning' },
  10326: { meaning: 'orders of an OCA group cannot change groups', order: 'modify' },
  10327: { meaning: 'the OCA group cannot be changed', order: 'modify' },
  10329: { meaning: 'the order is not attached to its parent', order: 'doubtful' },
  10339: { meaning: 'the time to cancel is not valid', order: 'cancel' },
  10349: { meaning: 'the time in force was set by a preset', order: 'warning' },

  // libraries and versions
  320: { meaning: 'the gateway could not read a request', session: 'warning', order: 'doubtful', data: 'ends' },
  505: { meaning: 'a message that is not known', session: 'warning', order: 'doubtful', data: 'ends' },
};

/** Warnings say so, or stand in this range. */
const isWarning = (code: number, text: string): boolean =>
  (code >= 2100 && code < 3000) || /\bwarning:/i.test(text) || /^order message:/i.test(text);

/** What an error that names an order does to it. */
export function orderEffect(code: number, text: string): OrderEffect {
  return CODES[code]?.order ?? (isWarning(code, text) ? 'warning' : 'doubtful');
}

/** What an error that names a request or subscription does to it. */
export function dataEffect(code: number, text: string): DataEffect {
  if (code === 162) {
    if (/pacing/i.test(text)) return 'pacing';
    if (/returned no data|no data of type/i.test(text)) return 'none';
    return 'ends';
  }
  if (code === 420 && /pacing/i.test(text)) return 'pacing';
  return CODES[code]?.data ?? (isWarning(code, text) ? 'goesOn' : 'ends');
}

/** What a message that names no request says about the session. */
export function sessionEffect(code: number, text: string): SessionEffect {
  return CODES[code]?.session ?? (isWarning(code, text) ? 'information' : 'warning');
}
