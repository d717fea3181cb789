/** Settings of the place where OpenBell runs, from environment variables: they change no result. */
import { fail } from '#src/errors.js';
import { nearestName } from './suggest.js';

type Environment = Readonly<Record<string, string | undefined>>;

export const LOG_LEVELS = ['debug', 'info', 'warning', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface RuntimeSettings {
  /** Interactive Brokers' gateway. */
  readonly ib: { readonly host: string; readonly port: number; readonly clientId: number };
  readonly logLevel: LogLevel;
  /** Where runs are written. */
  readonly runsDir: string;
  /** Where bundles and aliases are kept: never under the runs, which are disposable. */
  readonly registryDir: string;
  /** Where journals and logs of paper and live trading are kept. */
  readonly tradingDir: string;
}

/** 4002: IB Gateway's port for paper accounts. */
export const DEFAULT_RUNTIME: RuntimeSettings = {
  ib: { host: '127.0.0.1', port: 4002, clientId: 1 },
  logLevel: 'info',
  runsDir: 'runs',
  registryDir: 'registry',
  tradingDir: 'trading',
};

/**
 * Reads IB_HOST, IB_PORT, IB_CLIENT_ID, LOG_LEVEL, OPENBELL_RUNS_DIR, OPENBELL_REGISTRY_DIR and OPENBELL_TRADING_DIR.
 * Throws CONFIG_VALUE naming the variable.
 */
export function readRuntimeSettings(environment: Environment): RuntimeSettings {
  const { ib, logLevel, runsDir, registryDir, tradingDir } = DEFAULT_RUNTIME;
  return {
    ib: {
      host: nonEmpty(environment, 'IB_HOST') ?? ib.host,
      port: integer(environment, 'IB_PORT', 1, 65_535) ?? ib.port,
      clientId: integer(environment, 'IB_CLIENT_ID', 0, 2_147_483_647) ?? ib.clientId,
    },
    logLevel: level(environment) ?? logLevel,
    runsDir: nonEmpty(environment, 'OPENBELL_RUNS_DIR') ?? runsDir,
    registryDir: nonEmpty(environment, 'OPENBELL_REGISTRY_DIR') ?? registryDir,
    tradingDir: nonEmpty(environment, 'OPENBELL_TRADING_DIR') ?? tradingDir,
  };
}

/** Set, and not to nothing: an empty variable counts as not set. */
function nonEmpty(environment: Environment, name: string): string | undefined {
  const text = environment[name]?.trim();
  return text === '' ? undefined : text;
}

function integer(environment: Environment, name: string, least: number, most: number): number | undefined {
  const text = nonEmpty(environment, name);
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < least || number > most) {
    fail('CONFIG_VALUE', {
      where: `environment variable ${name}`,
      value: text,
      message: `expected an integer from ${least} to ${most}`,
    });
  }
  return number;
}

function level(environment: Environment): LogLevel | undefined {
  const text = nonEmpty(environment, 'LOG_LEVEL')?.toLowerCase();
  if (text === undefined) return undefined;
  // CRITICAL and WARN are accepted too: other tools set LOG_LEVEL in those words
  const known = text === 'critical' ? 'error' : text === 'warn' ? 'warning' : text;
  const found = LOG_LEVELS.find((candidate) => candidate === known);
  if (found === undefined) {
    fail('CONFIG_VALUE', {
      where: 'environment variable LOG_LEVEL',
      value: text,
      message: `expected one of ${LOG_LEVELS.join(', ')}`,
    });
  }
  return found;
}

/** Variables of OpenBell's own that set no key of an experiment; the second one is of bench/peers. */
const RUNTIME_VARIABLES = ['OPENBELL_RUNS_DIR', 'OPENBELL_REGISTRY_DIR', 'OPENBELL_TRADING_DIR', 'OPENBELL_PEERS_VENV'];

export interface EnvironmentOverride {
  readonly variable: string;
  readonly keys: readonly string[];
  readonly value: string;
}

/**
 * OPENBELL_SEED=3 sets `seed`, OPENBELL_AGENT__LEARNING_RATE=1e-4 sets `agent.learning_rate`: two underscores
 * part the levels, and case does not matter. Other OPENBELL_ variables are refused: a typo must not pass
 * unnoticed. In alphabetical order.
 */
export function readEnvironmentOverrides(environment: Environment): EnvironmentOverride[] {
  const overrides: EnvironmentOverride[] = [];
  for (const variable of Object.keys(environment).sort()) {
    const value = environment[variable];
    if (!variable.startsWith('OPENBELL_') || value === undefined || RUNTIME_VARIABLES.includes(variable)) continue;
    const keys = variable.slice('OPENBELL_'.length).toLowerCase().split('__');
    if (keys.length === 1 && !['seed', 'name', 'description'].includes(keys[0])) {
      const near = nearestName(variable, [...RUNTIME_VARIABLES, 'OPENBELL_SEED', 'OPENBELL_NAME']);
      const hint = near === null ? '' : `did you mean ${near}? `;
      fail('CONFIG_UNKNOWN_KEY', {
        where: 'environment variable',
        value: variable,
        message: `${hint}A key of the experiment is written OPENBELL_AGENT__LEARNING_RATE`,
      });
    }
    overrides.push({ variable, keys, value });
  }
  return overrides;
}
