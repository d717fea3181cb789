/** The real command line, as built into dist/ by `npm ci` or `npm run build`. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const main = path.join(root, 'dist', 'src', 'cli', 'main.js');

export interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder for runs that goes away with `dispose`. */
export function makeRunsFolder(): { runsDir: string; dispose: () => void } {
  const runsDir = mkdtempSync(path.join(tmpdir(), 'openbell-runs-'));
  return { runsDir, dispose: () => rmSync(runsDir, { recursive: true, force: true }) };
}

function environment(runsDir: string, extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(OPENBELL_|NODE_OPTIONS$|VITEST|LOG_LEVEL$|IB_)/.test(name),
  );
  return { ...Object.fromEntries(inherited), OPENBELL_RUNS_DIR: runsDir, ...extra };
}

export function openbell(
  args: readonly string[],
  runsDir: string,
  extra: Readonly<Record<string, string>> = {},
): Answer {
  if (!existsSync(main)) throw new Error(`${main} is missing: npm run build`);
  const result = spawnSync(process.execPath, [main, ...args], {
    cwd: root,
    encoding: 'utf8',
    env: environment(runsDir, extra),
    timeout: 120_000,
  });
  return { code: result.status, stdout: result.stdout, stderr: result.stderr };
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Answer & { readonly signal: NodeJS.Signals | null }>;
}

export function startOpenbell(
  args: readonly string[],
  runsDir: string,
  extra: Readonly<Record<string, string>> = {},
): Started {
  return startProcess(process.execPath, [main, ...args], runsDir, extra);
}

export function startProcess(
  command: string,
  args: readonly string[],
  runsDir: string,
  extra: Readonly<Record<string, string>> = {},
): Started {
  const child = spawn(command, args, {
    cwd: root,
    env: environment(runsDir, extra),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Answer & { signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

/** The folder of the only run under `runsDir`, or null before it exists. */
export function onlyRun(runsDir: string): string | null {
  // the store's index and the queue's folder stand beside the experiments
  const experiments = readdirSync(runsDir).filter((name) => !name.startsWith('.'));
  const runs = experiments.flatMap((experiment) =>
    readdirSync(path.join(runsDir, experiment)).map((run) => path.join(runsDir, experiment, run)),
  );
  if (runs.length > 1) throw new Error(`expected one run, found ${runs.join(', ')}`);
  return runs[0] ?? null;
}

/** Waits until the run's metrics hold `lines` lines. Throws where the process ends before that. */
export async function untilMetrics(started: Started, runsDir: string, lines: number): Promise<string> {
  for (;;) {
    const run = onlyRun(runsDir);
    const file = run === null ? null : path.join(run, 'metrics.jsonl');
    if (run !== null && file !== null && existsSync(file) && readFileSync(file, 'utf8').split('\n').length > lines)
      return run;
    if (started.child.exitCode !== null) throw new Error(`the process ended first: ${(await started.ended).stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const metricsOf = (run: string): string => readFileSync(path.join(run, 'metrics.jsonl'), 'utf8');

export function recordOf(run: string): {
  status: string;
  result: { weights_sha256: string } | null;
  resumed: unknown[];
} {
  return JSON.parse(readFileSync(path.join(run, 'run.json'), 'utf8'));
}
