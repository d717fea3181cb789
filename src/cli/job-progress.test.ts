import { describe, expect, it } from 'vitest';
import { parseExperiment } from '#src/config/load.js';
import type { JobEvent, JobOutcome } from '#src/lab/queue/job-pool.js';
import { jobProgress } from './job-progress.js';
import type { ProgressOutput } from './progress.js';

const { config } = parseExperiment('name: x\nenv: { id: CartPole-v1 }\n', 'x.yaml');
const job = (seed: number) => ({ config: { ...config, seed }, stopAtTimesteps: null, evaluate: false });
const progress = (seed: number, timesteps: number): JobEvent => ({
  kind: 'tidings',
  job: job(seed),
  tidings: { kind: 'progress', timesteps, totalTimesteps: 1000, stepsPerSecond: 2000, remainingMs: 61_000 },
});
const outcome = (seed: number, given: Partial<JobOutcome>): JobEvent => ({
  kind: 'outcome',
  outcome: {
    job: job(seed),
    status: 'completed',
    directory: 'runs/x/y',
    record: null,
    evaluation: null,
    error: null,
    reused: false,
    ...given,
  },
});

function told(output: Partial<ProgressOutput>, events: readonly JobEvent[], brief = false): string {
  let text = '';
  let nowMs = 0;
  const { begin, onEvent, end } = jobProgress(
    { write: (part) => (text += part), isTerminal: false, columns: 100, color: false, level: 'info', ...output },
    ({ config: { seed } }) => `seed ${seed}`,
    { brief, nowMs: () => (nowMs += 1000) },
  );
  begin('training x', 2);
  events.forEach(onEvent);
  end();
  return text;
}

describe('jobProgress', () => {
  it('writes a line now and then where nobody watches, and how each training ended', () => {
    const events = [100, 300, 310, 600, 1000].map((at) => progress(1, at));
    expect(told({}, [...events, outcome(1, {}), outcome(2, { status: 'failed', error: 'killed' })])).toBe(
      [
        'training x',
        'seed 1: step 300 of 1,000, 2,000 steps/s, ETA 1:01',
        'seed 1: step 600 of 1,000, 2,000 steps/s, ETA 1:01',
        'seed 1: completed  runs/x/y',
        'seed 2: failed: killed  runs/x/y',
        '',
      ].join('\n'),
    );
  });

  it('is brief where there are many: only what ends, and not what was done before', () => {
    const events = [progress(1, 300), outcome(1, { reused: true }), outcome(2, { status: 'paused' })];
    expect(told({}, events, true)).toBe('training x\nseed 2: paused  runs/x/y\n');
  });

  it('keeps a line for each training on a terminal, within its width, and leaves only what ended', () => {
    const text = told({ isTerminal: true, columns: 40 }, [progress(1, 500), progress(10, 250), outcome(1, {})]);
    expect(text).toContain(
      'seed 1   ██████████░░░░░░░░░░  50%  2,0\nseed 10  █████░░░░░░░░░░░░░░░  25%  2,0\n0 of 2 done\n',
    );
    const left = text.split('\x1b[J').at(-1);
    expect(left).toBe('');
    expect(text).toContain('seed 1: completed  runs/x/y\n');
    // every live line is taken back: the cursor goes up as many lines as were written
    const ups = text
      .split('\x1b[')
      .flatMap((part) => /^(\d+)A/.exec(part)?.[1] ?? [])
      .reduce((sum, lines) => sum + Number(lines), 0);
    const downs = (text.match(/\n/g) ?? []).length;
    expect(downs - ups).toBe(2);
  });

  it('says nothing but failures and warnings where LOG_LEVEL says so', () => {
    const events = [progress(1, 500), outcome(1, {}), outcome(2, { status: 'failed', error: 'killed' })];
    expect(told({ level: 'warning' }, events)).toBe('seed 2: failed: killed  runs/x/y\n');
    expect(told({ level: 'error' }, events)).toBe('');
  });
});
