/** The command line in processes of its own, which may be killed, and the bits that a run has left. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readRecord, type RunRecord } from '#src/lab/run-directory.js';
import { ROOT } from '../report.js';

const MAIN = path.join(ROOT, 'dist', 'src', 'cli', 'main.js');

export interface Launch {
  readonly args: readonly string[];
  readonly runsDir: string;
  readonly cwd: string;
  /** Default: the Node that runs this. */
  readonly node?: string;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  readonly wallMs: number;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** True once it has ended. */
  hasEnded: () => boolean;
}

export function start({ args, runsDir, cwd, node = process.execPath }: Launch): Running {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(OPENBELL_|NODE_OPTIONS$|VITEST|LOG_LEVEL$|IB_)/.test(name),
  );
  const startedMs = performance.now();
  const child = spawn(node, [MAIN, ...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), OPENBELL_RUNS_DIR: runsDir, LOG_LEVEL: 'warning' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  let over = false;
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      over = true;
      resolve({ code, signal, stderr, wallMs: performance.now() - startedMs });
    });
  });
  return { child, ended, hasEnded: () => over };
}

/** Runs to the end. Throws where it fails. */
export async function complete(launch: Launch): Promise<Ended> {
  const ended = await start(launch).ended;
  if (ended.code === 0) return ended;
  throw new Error(`openbell ${launch.args.join(' ')} ended with ${ended.code ?? ended.signal}: ${ended.stderr.trim()}`);
}

/** Everything that has to come out the same. */
export interface Bits {
  readonly weights: string;
  /** sha256 of the files. */
  readonly metrics: string;
  readonly fingerprints: string;
  /** Of the parameters in best.safetensors; null: there is no best. */
  readonly best: string | null;
}

export function bitsOf(run: string): Bits {
  const { result, status } = readRecord(run);
  if (result === null) throw new Error(`${run} is ${status} and has no result`);
  return {
    weights: result.weights_sha256,
    metrics: hashOf(path.join(run, 'metrics.jsonl')),
    fingerprints: hashOf(path.join(run, 'fingerprints.jsonl')),
    best: result.best === null ? null : hashOf(path.join(run, 'checkpoints', 'best.safetensors')),
  };
}

/** Which of them differ. */
export function differences(expected: Bits, found: Bits): string[] {
  const names = ['weights', 'metrics', 'fingerprints', 'best'] as const;
  return names.filter((name) => expected[name] !== found[name]);
}

const hashOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

/** The only run under `runsDir`; null: no folder of a run is there yet. */
export function onlyRun(runsDir: string): string | null {
  if (!existsSync(runsDir)) return null;
  const runs = readdirSync(runsDir).flatMap((name) =>
    readdirSync(path.join(runsDir, name)).map((run) => path.join(runsDir, name, run)),
  );
  if (runs.length > 1) throw new Error(`expected one run, found ${runs.join(', ')}`);
  return runs[0] ?? null;
}

/** null: it has no run.json yet. */
export function recordOf(run: string): RunRecord | null {
  return existsSync(path.join(run, 'run.json')) ? readRecord(run) : null;
}

/** Whole lines of metrics.jsonl. */
export function metricsLines(run: string): number {
  const file = path.join(run, 'metrics.jsonl');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
}
