/** A connection to the broker for questions: opened, asked, closed. The runner has one of its own. */
import { IbBroker } from '#src/broker/ib-broker.js';
import type { BrokerEvent } from '#src/broker/contract.js';
import { fail } from '#src/errors.js';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  readonly clientId: number;
}

export interface BrokerLine {
  readonly broker: IbBroker;
  /** All that the gateway manages. */
  readonly accounts: readonly string[];
  readonly serverVersion: number;
  /** What comes from now on. */
  listen(listener: (event: BrokerEvent) => void): void;
}

const CONNECT_WITHIN_MS = 20_000;

/** `account` null: the gateway's only one. Throws LIVE_PREFLIGHT where no connection comes about, with the gateway's reason. */
export async function openLine(
  address: BrokerAddress,
  account: string | null,
  withinMs = CONNECT_WITHIN_MS,
): Promise<BrokerLine> {
  const broker = new IbBroker({ ...address, account });
  const notices: string[] = [];
  let listener: (event: BrokerEvent) => void = () => undefined;
  let timer: NodeJS.Timeout | null = null;
  const connected = await new Promise<Extract<BrokerEvent, { type: 'connected' }> | null>((resolve) => {
    timer = setTimeout(() => resolve(null), withinMs);
    broker.open((event) => {
      if (event.type === 'connected') resolve(event);
      else if (event.type === 'notice' && event.level !== 'info') {
        notices.push(event.text);
        // waiting longer changes nothing about these
        if (/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|does not manage|manages \d+ accounts/.test(event.text)) resolve(null);
      }
      listener(event);
    });
  });
  if (timer !== null) clearTimeout(timer);
  if (connected === null) {
    await broker.close();
    const reason = notices[0] ?? `no whole handshake within ${withinMs / 1000} s`;
    fail('LIVE_PREFLIGHT', {
      where: `${address.host}:${address.port}, client ${address.clientId}`,
      message: `${reason}; start TWS or IB Gateway with its API open there, or set IB_HOST, IB_PORT and IB_CLIENT_ID`,
    });
  }
  return {
    broker,
    accounts: connected.accounts,
    serverVersion: connected.serverVersion,
    listen: (next) => {
      listener = next;
    },
  };
}
