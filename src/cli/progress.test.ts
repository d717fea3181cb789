import { describe, expect, it } from 'vitest';
import { parseExperiment } from '#src/config/load.js';
import type { TrainEvent } from '#src/lab/training-run.js';
import { duration, progressListener, type ProgressOutput } from './progress.js';

const { config } = parseExperiment(
  'name: x\nseed: 1\nenv: { id: CartPole-v1 }\ntraining: { total_timesteps: 1000 }\n',
  'x.yaml',
);

function update(timesteps: number): TrainEvent {
  const report = {
    update: 1,
    timesteps,
    episodeReturnMean: 12.345,
    episodeLengthMean: 10,
    episodes: 1,
    policyLoss: 0,
    valueLoss: 0,
    entropy: 0.5,
    approxKl: 0.01,
    clipFraction: 0,
    gradNorm: 1,
    explainedVariance: 0.25,
    learningRate: 1,
    clipRange: 1,
    actionShares: [],
    gradientSteps: 1,
    stoppedEarly: false,
  };
  const phases = { actMs: 1, envMs: 1, collectMs: 2, updateMs: 6 };
  return { kind: 'update', report, phases, totalTimesteps: 1000, stepsPerSecond: 12_345, remainingMs: 61_000 };
}

function told(output: Partial<ProgressOutput>, events: readonly TrainEvent[]): string {
  let text = '';
  let nowMs = 0;
  const listen = progressListener(
    { write: (part) => (text += part), isTerminal: false, columns: 200, color: false, level: 'info', ...output },
    () => (nowMs += 1000),
  );
  for (const event of events) listen(event);
  return text;
}

const everyTen = Array.from({ length: 100 }, (_, i) => update((i + 1) * 10));

describe('progress', () => {
  it('is about twenty lines a run where nobody watches, the last step among them', () => {
    const lines = told({}, everyTen).trimEnd().split('\n');
    expect(lines).toHaveLength(20);
    expect(lines.at(-1)).toBe(
      '1,000/1,000  100%  12,345 steps/s (act 10% env 10% collect 20% learn 60%)  ETA 1:01  reward 12.35  KL 0.0100  entropy 0.500  EV 0.25',
    );
  });

  it('is one live line on a terminal, cut to its width and cleared by what follows', () => {
    const text = told({ isTerminal: true, columns: 30 }, [
      update(10),
      update(20),
      { kind: 'evaluation', timesteps: 20, name: 'score', score: 1.5, isBest: true },
    ]);
    expect(text).toBe(
      '10/1,000    1%  12,345 steps/\r\x1b[2K20/1,000    2%  12,345 steps/\r\x1b[2Kstep 20: score 1.500 best\n',
    );
  });

  it('colours only where told to, and keeps quiet at level warning, but for warnings', () => {
    const started: TrainEvent = { kind: 'started', directory: 'runs/x', config, fromTimesteps: 0, layout: [] };
    expect(told({ color: true }, [started])).toContain('\x1b[1mx\x1b[0m');
    expect(told({}, [started])).toBe('training x (seed 1, 1,000 steps) in runs/x\n');
    expect(told({ level: 'warning' }, [started, ...everyTen, { kind: 'warning', message: 'm' }])).toBe('warning: m\n');
  });
});

it.each([
  [0, '0:00'],
  [61_000, '1:01'],
  [3_600_000 * 3 + 245_000, '3:04:05'],
])('%i ms are written %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});
