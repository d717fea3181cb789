import { describe, expect, it } from 'vitest';
import { sweepSchema, type SweepDefinition } from './definition.js';
import { keyImportance } from './importance.js';
import { drawTrials, type TrialParameters } from './space.js';
import { makeRow, type TrialRow } from './trial-table.js';

const definition: SweepDefinition = {
  ...sweepSchema.parse({
    experiment: 'x.yaml',
    trials: 64,
    space: {
      'agent.learning_rate': { min: 1e-5, max: 1e-1, scale: 'log' },
      'agent.gamma': { min: 0.9, max: 1 },
      'agent.batch_size': { values: [32, 64, 128] },
    },
  }),
  name: 'x',
};

function rowsOf(scoreOf: (parameters: TrialParameters, trial: number) => number | null): TrialRow[] {
  return drawTrials(definition).map((parameters, trial) => {
    const score = scoreOf(parameters, trial);
    return makeRow(trial, parameters, [{ rung: 0, timesteps: 10, score, seeds: [] }], { isOpen: false, lastRung: 0 });
  });
}

const byKey = (rows: readonly TrialRow[]) => new Map(keyImportance(rows, definition).map((own) => [own.key, own]));

describe('keyImportance', () => {
  it('finds the one key that decides, where its best value lies in the middle of a log range', () => {
    const found = byKey(rowsOf(({ 'agent.learning_rate': rate }) => -Math.abs(Math.log10(Number(rate)) + 3)));
    expect(found.get('agent.learning_rate')?.share).toBeGreaterThan(0.9);
    for (const key of ['agent.gamma', 'agent.batch_size']) {
      const { share, chance } = found.get(key) ?? { share: 1, chance: 0 };
      expect(share).toBeLessThan(chance);
    }
  });

  it('gives a choice and a number their shares of an additive score', () => {
    const found = byKey(
      rowsOf(({ 'agent.batch_size': size, 'agent.gamma': gamma }) => (size === 64 ? 1 : 0) + 10 * Number(gamma)),
    );
    const [choice, number] = ['agent.batch_size', 'agent.gamma'].map((key) => found.get(key)?.share ?? 0);
    expect(choice).toBeGreaterThan(0.4);
    expect(number).toBeGreaterThan(0.15);
    expect(choice + number).toBeGreaterThan(0.9);
  });

  it('tells nothing from chance where nothing matters, about nineteen times in twenty', () => {
    let beyond = 0;
    for (let k = 1; k <= 40; k++) {
      const found = byKey(rowsOf((_, trial) => (Math.imul(trial + 1, 2654435761 * k) >>> 0) / 2 ** 32));
      beyond += [...found.values()].filter(({ share, chance }) => share > chance).length;
    }
    expect(beyond / 120).toBeLessThan(0.12);
  });

  it('counts failed trials as the worst, and keeps silent about too few', () => {
    const rows = rowsOf(({ 'agent.learning_rate': rate }) => (Number(rate) > 1e-3 ? null : 1));
    expect(keyImportance(rows, definition)[0].key).toBe('agent.learning_rate');
    expect(keyImportance(rows.slice(0, 7), definition)).toEqual([]);
    expect(
      keyImportance(
        rowsOf(() => 1),
        definition,
      ),
    ).toEqual([]);
  });
});
