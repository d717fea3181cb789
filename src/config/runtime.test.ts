import { expect, it } from 'vitest';
import { DEFAULT_RUNTIME, readEnvironmentOverrides, readRuntimeSettings } from './runtime.js';

it('reads the gateway, the log level and the runs folder; what is unset or empty stays at its default', () => {
  expect(readRuntimeSettings({})).toEqual(DEFAULT_RUNTIME);
  expect(readRuntimeSettings({ IB_HOST: '', LOG_LEVEL: ' ' })).toEqual(DEFAULT_RUNTIME);
  expect(
    readRuntimeSettings({
      IB_HOST: '10.0.0.1',
      IB_PORT: '7497',
      IB_CLIENT_ID: '0',
      LOG_LEVEL: 'WARNING',
      OPENBELL_RUNS_DIR: '/r',
      OPENBELL_REGISTRY_DIR: '/g',
    }),
  ).toEqual({
    ib: { host: '10.0.0.1', port: 7497, clientId: 0 },
    logLevel: 'warning',
    runsDir: '/r',
    registryDir: '/g',
    tradingDir: 'trading',
  });
});

it.each([
  [{ IB_PORT: '0' }, /IB_PORT "0": expected an integer from 1 to 65535/],
  [{ IB_PORT: '4002.5' }, /IB_PORT "4002\.5"/],
  [{ IB_CLIENT_ID: '-1' }, /IB_CLIENT_ID "-1"/],
  [{ LOG_LEVEL: 'loud' }, /LOG_LEVEL "loud": expected one of debug, info, warning, error/],
])('refuses %j', (environment, message) => {
  expect(() => readRuntimeSettings(environment)).toThrow(message);
});

it('takes keys of the experiment in alphabetical order, and nothing of other programs', () => {
  expect(
    readEnvironmentOverrides({
      OPENBELL_TRAINING__N_ENVS: '4',
      OPENBELL_SEED: '2',
      OPENBELL_RUNS_DIR: 'x',
      OPENBELL_PEERS_VENV: 'y',
      PATH: '/',
    }),
  ).toEqual([
    { variable: 'OPENBELL_SEED', keys: ['seed'], value: '2' },
    { variable: 'OPENBELL_TRAINING__N_ENVS', keys: ['training', 'n_envs'], value: '4' },
  ]);
});
