import { describe, expect, it } from 'vitest';
import { drawTrials } from './space.js';
import { sweepSchema, type SweepDefinition } from './definition.js';

function define(given: object): SweepDefinition {
  return { ...sweepSchema.parse({ experiment: 'x.yaml', ...given }), name: 'x' };
}

describe('drawTrials', () => {
  const space = {
    'agent.learning_rate': { min: 1e-5, max: 1e-1, scale: 'log' },
    'agent.gamma': { min: 0.9, max: 1 },
    'agent.n_epochs': { min: 1, max: 4, integer: true },
    'agent.batch_size': { values: [32, 64] },
  };

  it('fills a space evenly: one trial in 64 a stratum, factors for log, whole numbers in equal shares', () => {
    const trials = drawTrials(define({ space, trials: 64, seed: 3 }));
    const count = (test: (values: Readonly<Record<string, unknown>>) => boolean): number => trials.filter(test).length;
    for (const decade of [1e-5, 1e-4, 1e-3, 1e-2])
      expect(
        count(
          (own) => Number(own['agent.learning_rate']) >= decade && Number(own['agent.learning_rate']) < 10 * decade,
        ),
      ).toBe(16);
    for (let k = 0; k < 8; k++) {
      const low = 0.9 + k / 80;
      expect(count((own) => Number(own['agent.gamma']) >= low && Number(own['agent.gamma']) < low + 1 / 80)).toBe(8);
    }
    for (const epochs of [1, 2, 3, 4]) expect(count((own) => own['agent.n_epochs'] === epochs)).toBe(16);
    expect(count((own) => own['agent.batch_size'] === 64)).toBe(32);
  });

  it('draws the same trials from the same seed, others from another, and fewer as the first ones', () => {
    const of = (trials: number, seed: number) => drawTrials(define({ space, trials, seed }));
    expect(of(10, 1)).toEqual(of(20, 1).slice(0, 10));
    expect(of(10, 1)).not.toEqual(of(10, 2));
  });

  it('makes every combination of a grid, the last key fastest', () => {
    const grid = {
      'agent.gamma': { values: [0.9, 0.99] },
      'agent.learning_rate': { min: 1e-5, max: 1e-3, scale: 'log', points: 3 },
    };
    expect(drawTrials(define({ method: 'grid', space: grid }))).toEqual(
      [0.9, 0.99].flatMap((gamma) =>
        [1e-5, 1e-4, 1e-3].map((rate) => ({ 'agent.gamma': gamma, 'agent.learning_rate': rate })),
      ),
    );
  });

  it('draws whole numbers of a log range within its ends', () => {
    const drawn = drawTrials(
      define({ space: { 'agent.n_steps': { min: 1, max: 1024, scale: 'log', integer: true } }, trials: 256 }),
    );
    const values = drawn.map((own) => Number(own['agent.n_steps']));
    expect(values.every((value) => Number.isInteger(value) && value >= 1 && value <= 1024)).toBe(true);
    expect(values.filter((value) => value < 32).length).toBeGreaterThan(110);
    expect(Math.min(...values)).toBe(1);
  });
});
