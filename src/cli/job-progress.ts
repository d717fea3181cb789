/** Progress of several trainings on stderr: a live line each on a terminal, a line now and then elsewhere. */
import type { JobEvent } from '#src/lab/queue/job-pool.js';
import type { TrainingJob } from '#src/lab/queue/training-job.js';
import { duration, type ProgressOutput } from './progress.js';

export interface JobProgress {
  readonly onEvent: (event: JobEvent) => void;
  begin(title: string, count: number): void;
  /** More jobs than were known at the beginning. */
  expect(count: number): void;
  /** Leaves the terminal as it should be. */
  end(): void;
}

interface Row {
  share: number;
  text: string;
  saidShare: number;
}

const LINES_A_JOB = 4;
const DRAW_EVERY_MS = 100;

/** `nameOf`: what a job is called at the head of its line. `brief`: only what ends is told where nobody watches. */
export function jobProgress(
  output: ProgressOutput,
  nameOf: (job: TrainingJob) => string,
  { brief = false, nowMs = Date.now }: { brief?: boolean; nowMs?: () => number } = {},
): JobProgress {
  const rows = new Map<string, Row>();
  const paint = (code: number, text: string): string => (output.color ? `\x1b[${code}m${text}\x1b[0m` : text);
  const quiet = output.level === 'warning' || output.level === 'error';
  let total = 0;
  let done = 0;
  let drawn = 0;
  let drawnMs = 0;

  const clear = (): void => {
    if (drawn > 0) output.write(`\x1b[${drawn}A\r\x1b[J`);
    drawn = 0;
  };
  const draw = (force: boolean): void => {
    if (!output.isTerminal || quiet || (!force && nowMs() - drawnMs < DRAW_EVERY_MS)) return;
    drawnMs = nowMs();
    clear();
    const width = Math.max(0, ...[...rows.keys()].map((name) => name.length));
    const lines = [...rows].map(([name, { text }]) => `${name.padEnd(width)}  ${text}`);
    lines.push(`${done} of ${total} done`);
    for (const text of lines) output.write(`${output.columns > 1 ? text.slice(0, output.columns - 1) : text}\n`);
    drawn = lines.length;
  };
  const line = (text: string): void => {
    clear();
    output.write(`${text}\n`);
    draw(true);
  };
  const say = (text: string): void => {
    if (!quiet) line(text);
  };

  const onEvent = (event: JobEvent): void => {
    const name = nameOf(event.kind === 'outcome' ? event.outcome.job : event.job);
    switch (event.kind) {
      case 'waiting':
        say(`${name}: waiting, ${event.reason}`);
        break;
      case 'retry':
        if (output.level !== 'error')
          line(`${paint(33, 'warning')}: ${name}: ${event.reason}; it goes on from its checkpoint`);
        break;
      case 'outcome': {
        const { status, directory, record, error, reused } = event.outcome;
        rows.delete(name);
        done++;
        const best = record?.result?.best ?? null;
        const score = best === null ? '' : `, best score ${best.score.toPrecision(4)}`;
        const how = { completed: 32, paused: 32, interrupted: 33, failed: 31 } as const;
        const what = reused ? `${status} before` : status;
        if (brief && reused) draw(false);
        else if (status === 'failed' ? output.level !== 'error' : !quiet)
          line(
            `${name}: ${paint(how[status], what)}${status === 'failed' ? `: ${error ?? ''}` : score}${directory === null ? '' : `  ${directory}`}`,
          );
        break;
      }
      case 'tidings': {
        const row = rows.get(name) ?? { share: 0, text: '', saidShare: 0 };
        rows.set(name, row);
        const { tidings } = event;
        if (tidings.kind === 'started') {
          const from = tidings.fromTimesteps === 0 ? '' : ` from step ${count(tidings.fromTimesteps)}`;
          row.text = `started${from}`;
          if (!brief && (!output.isTerminal || tidings.fromTimesteps > 0))
            say(`${name}: training${from} in ${tidings.directory}`);
        } else if (tidings.kind === 'warning') {
          if (output.level !== 'error') line(`${paint(33, 'warning')}: ${name}: ${tidings.message}`);
        } else if (tidings.kind === 'progress') {
          row.share = Math.min(1, tidings.timesteps / tidings.totalTimesteps);
          row.text = `${bar(row.share)} ${String(Math.floor(100 * row.share)).padStart(3)}%  ${count(Math.round(tidings.stepsPerSecond))} steps/s  ETA ${duration(tidings.remainingMs)}`;
          if (!brief && !output.isTerminal && row.share < 1 && Math.floor(row.share * LINES_A_JOB) > row.saidShare) {
            row.saidShare = Math.floor(row.share * LINES_A_JOB);
            say(
              `${name}: step ${count(tidings.timesteps)} of ${count(tidings.totalTimesteps)}, ${count(Math.round(tidings.stepsPerSecond))} steps/s, ETA ${duration(tidings.remainingMs)}`,
            );
          }
        } else if (tidings.kind === 'evaluating') {
          row.text = 'evaluating on the test window';
        }
        draw(false);
        break;
      }
    }
  };
  return {
    onEvent,
    begin: (title, expected) => {
      total = expected;
      say(title);
    },
    expect: (expected) => (total = expected),
    end: clear,
  };
}

const BAR_CELLS = 20;

function bar(share: number): string {
  const full = Math.round(share * BAR_CELLS);
  return '█'.repeat(full) + '░'.repeat(BAR_CELLS - full);
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
