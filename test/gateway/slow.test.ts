/** Real time waits for nobody: who does not read is dropped. */
import { expect, it } from 'vitest';
import { CountingClient } from '../../bench/gateway-client.js';
import { gatewayOf, market, RawClient } from '../support/gateway.js';

it('drops a reader that does not read, and serves the others', async () => {
  const gateway = await gatewayOf({ bars: market(['SYN'], 12), speed: 300_000 });
  gateway.control.pause();
  const slow = await CountingClient.start(gateway.port, 3);
  for (let reqId = 1; reqId <= 10; reqId++) slow.subscribe(reqId, 'SYN', 'trades');
  const other = await RawClient.start(gateway.port, 4);
  await slow.barrier();
  slow.socket.pause();
  gateway.control.resume();
  const clients = (): readonly number[] => gateway.control.status().clients.map(({ clientId }) => clientId);
  for (let tries = 0; tries < 400 && clients().includes(3); tries++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  expect(clients()).toEqual([4]);
  await other.barrier();
  slow.close();
  other.close();
  await gateway.close();
});
