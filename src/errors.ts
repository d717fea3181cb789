/**
 * The one catalogue of errors. Every error that a user can meet has a code from `ERROR_CODES`, and says
 * where it stands, the value that was wrong and what to do:
 * `CONFIG_UNKNOWN_KEY experiments/a.yaml:12 "agent.lrr": did you mean "agent.lr"?`
 */

/** Exit codes of the command line: 1 failure, 2 usage or configuration, 3 gate refused, 130 interrupted. */
export type ExitCode = 1 | 2 | 3 | 130;

export const ERROR_CODES = {
  // configuration and usage
  CONFIG_FILE: 2,
  CONFIG_SYNTAX: 2,
  CONFIG_UNKNOWN_KEY: 2,
  CONFIG_VALUE: 2,
  CONFIG_EXTENDS: 2,
  CONFIG_OVERRIDE: 2,
  USAGE: 2,
  // data
  DATA_FILE: 2,
  DATA_FORMAT: 2,
  DATA_COLUMN: 2,
  DATA_VALUE: 2,
  DATA_ORDER: 2,
  DATA_TIME: 2,
  DATA_EMPTY: 2,
  DATA_MANIFEST: 2,
  DATA_HASH: 2,
  DATA_WINDOW: 2,
  // environments
  ENV_CONFIG: 2,
  ENV_CONTRACT: 1,
  ENV_STATE: 1,
  ENV_SERVER: 1,
  SPACE_VALUE: 1,
  // statistics
  STATISTICS_INPUT: 1,
  COMPARE_NOT_EVALUATED: 2,
  // policies and training
  POLICY_SPEC: 2,
  POLICY_MODULE: 2,
  POLICY_STATE: 1,
  TRAIN_NON_FINITE: 1,
  TRAIN_THREAD: 1,
  CHECKPOINT_CORRUPT: 1,
  CHECKPOINT_MISMATCH: 1,
  RUN_NOT_FOUND: 2,
  RUN_STATE: 1,
  // broker
  BROKER_STATE: 1,
  BROKER_ORDER: 1,
  // live trading
  LIVE_LEDGER: 1,
  LIVE_EVENT: 1,
  LIVE_JOURNAL: 1,
  LIVE_LOCK: 1,
  LIVE_PREFLIGHT: 1,
  REGISTRY: 1,
  BUNDLE_CORRUPT: 1,
  BUNDLE_MISMATCH: 1,
  GATE_REFUSED: 3,
  QUEUE_STATE: 1,
  JOB_FAILED: 1,
  SWEEP_CONFLICT: 2,
  FILE_SYSTEM: 1,
  // the simulated gateway
  GATEWAY_FAULT: 2,
  GATEWAY_OPTIONS: 2,
  GATEWAY_WIRE: 1,
  GATEWAY_STATE: 1,
  INTERRUPTED: 130,
} as const satisfies Record<string, ExitCode>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetail {
  /** What is wrong and what to do, in one or two plain sentences. */
  message: string;
  /** The place: file, file:line, tensor name, command-line argument. */
  where?: string;
  /** The value that was wrong, as the user wrote it. */
  value?: unknown;
  cause?: unknown;
}

export class OpenBellError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly value: unknown;

  constructor(code: ErrorCode, detail: ErrorDetail) {
    const place = detail.where === undefined ? '' : ` ${detail.where}`;
    const value = detail.value === undefined ? '' : ` ${show(detail.value)}`;
    super(
      `${code}${place}${value}: ${detail.message}`,
      detail.cause === undefined ? undefined : { cause: detail.cause },
    );
    this.name = 'OpenBellError';
    this.code = code;
    this.where = detail.where;
    this.value = detail.value;
  }

  get exitCode(): ExitCode {
    return ERROR_CODES[this.code];
  }
}

/** Throws an `OpenBellError`; returns never, so that it can stand in an expression. */
export function fail(code: ErrorCode, detail: ErrorDetail): never {
  throw new OpenBellError(code, detail);
}

function show(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
