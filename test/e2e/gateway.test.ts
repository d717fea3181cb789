/** `openbell gateway` as a process: says where it listens, serves, and ends cleanly. */
import { once } from 'node:events';
import { afterAll, describe, expect, it } from 'vitest';
import { RawClient } from '../support/gateway.js';
import { makeRunsFolder, openbell, startOpenbell } from './openbell.js';

const { runsDir, dispose } = makeRunsFolder();
afterAll(dispose);

/** The line of JSON that says where it listens. */
async function listening(child: ReturnType<typeof startOpenbell>['child']): Promise<{ port: number; url: string }> {
  let text = '';
  while (!text.includes('\n')) {
    if (child.stdout === null) throw new Error('no output');
    const [chunk] = await once(child.stdout, 'data');
    text += String(chunk);
  }
  const said: unknown = JSON.parse(text);
  const port = Reflect.get(Object(said), 'port');
  const url = Reflect.get(Object(said), 'controlUrl');
  if (typeof port !== 'number' || typeof url !== 'string') throw new Error(text);
  return { port, url };
}

describe('openbell gateway', () => {
  it('serves a client, and ends at Ctrl-C with 130, the client informed by the end of its line', async () => {
    const { child, ended } = startOpenbell(
      ['gateway', '--data', 'synthetic-intraday', '--port', '0', '--json'],
      runsDir,
    );
    const { port, url } = await listening(child);
    const client = await RawClient.start(port, 1);
    await client.barrier();
    const status: unknown = await (await fetch(`${url}/status`)).json();
    expect(status).toMatchObject({ speed: 60, clients: [{ clientId: 1, version: 176 }] });
    child.kill('SIGINT');
    await client.until(() => client.closed, 'the end of the line');
    expect(await ended).toMatchObject({ code: 130, signal: null });
  });

  it.each([
    [['--port', '7496'], 'GATEWAY_OPTIONS', 'real money'],
    [['--speed', 'fast'], 'USAGE', 'max'],
    [['--faults', 'package.json'], 'GATEWAY_FAULT', 'there is no key'],
    [['--start-at', '2040-01-02T10:00:00Z'], 'GATEWAY_OPTIONS', 'nothing to replay'],
  ])('refuses %j', (args, code, text) => {
    const answer = openbell(['gateway', '--data', 'synthetic-intraday', ...args], runsDir);
    expect(answer.code).toBe(2);
    expect(answer.stderr).toContain(code);
    expect(answer.stderr).toContain(text);
  });
});
