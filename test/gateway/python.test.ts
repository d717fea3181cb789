/**
 * Python clients, unmodified: ib_async, ib_insync and the official ibapi. Skipped where no interpreter has them
 * (OPENBELL_IB_PYTHON names one; otherwise python3 and python are tried).
 */
import { execFile, spawnSync } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gateway } from '#src/gateway/start-gateway.js';
import { gatewayOf } from '../support/gateway.js';

const here = import.meta.dirname;
const candidates = [process.env['OPENBELL_IB_PYTHON'], 'python3', 'python'].filter((name) => name !== undefined);

/** An interpreter that has this module. */
function pythonWith(module: string): string | undefined {
  return candidates.find((python) => spawnSync(python, ['-c', `import ${module}`]).status === 0);
}

async function run(python: string, script: string, ...args: readonly string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(python, [path.join(here, script), ...args], { timeout: 55_000 });
  return JSON.parse(stdout);
}

describe.each([
  ['ib_async', 178],
  ['ib_insync', 176],
])('%s', (module, version) => {
  const python = pythonWith(module);
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await gatewayOf({ speed: 120 });
  });
  afterAll(() => gateway.close());

  it.skipIf(python === undefined)(
    `connects, trades and reconnects (where ${module} is installed)`,
    async () => {
      expect(await run(python ?? '', 'interop.py', module, String(gateway.port))).toMatchObject({
        version,
        accounts: ['DU1234567'],
        qualified: 1,
        minTick: 0.01,
        rule: expect.any(Number),
        summary: ['BuyingPower', 'NetLiquidation'],
        values: true,
        spread: true,
        snapshot: true,
        head: '2024-01-02',
        schedule: 1,
        time: 2024,
        ticks: true,
        whatIf: true,
        market: ['Filled', 100, 1],
        position: 100,
        bracket: ['Filled', 'Submitted', 'PreSubmitted'],
        limit: ['Cancelled', true],
        unknown: [],
        again: [150],
        errors: [200, 202],
      });
      expect(gateway.control.truth().positions).toMatchObject([{ position: 150 }]);
    },
    60_000,
  );
});

describe('ibapi', () => {
  const python = pythonWith('ibapi.client');
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await gatewayOf({ speed: 120 });
  });
  afterAll(() => gateway.close());

  it.skipIf(python === undefined)(
    'connects, trades and learns what it did (where ibapi is installed)',
    async () => {
      expect(await run(python ?? '', 'official.py', String(gateway.port))).toMatchObject({
        accounts: 'DU1234567',
        minTick: 0.01,
        historicalData: true,
        tick1: true,
        tick2: true,
        realtimeBar: true,
        NetLiquidation: true,
        BuyingPower: true,
        openOrder: 'MKT',
        execution: ['BOT', 100],
        commission: 1,
        position: 100,
        completedOrder: 'Filled',
        errors: [202],
      });
    },
    60_000,
  );
});
