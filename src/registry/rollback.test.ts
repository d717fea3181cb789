import { expect, it } from 'vitest';
import { checkReason, type AliasAction, type AliasChange } from './history.js';
import { promotionsInForce } from './rollback.js';

const change = (action: AliasAction, to: string, alias: AliasChange['alias'] = 'live'): AliasChange => ({
  at: '2024-01-01T00:00:00.000Z',
  alias,
  from: null,
  to,
  action,
  reason: '',
  account: null,
  forced: false,
  evidence: null,
  previous: null,
});
/** "A" promotes A, "<A" rolls back to A. */
const inForce = (story: string): string =>
  promotionsInForce(
    story
      .split(' ')
      .map((word) => (word.startsWith('<') ? change('rollback', word.slice(1)) : change('promote', word))),
    'live',
  )
    .map(({ to }) => to)
    .join('');

it('walks back through the promotions, not to and fro', () => {
  expect(inForce('A B C')).toBe('ABC');
  expect(inForce('A B C <B')).toBe('AB');
  expect(inForce('A B C <B <A')).toBe('A');
});

it('goes on from where it went back to', () => {
  expect(inForce('A B C <B D')).toBe('ABD');
  expect(inForce('A B C <B D <B <A')).toBe('A');
  expect(inForce('A B C <A D')).toBe('AD');
});

it('goes back to the same bundle where it was promoted twice with another between', () => {
  expect(inForce('A B A')).toBe('ABA');
  expect(inForce('A B A <B')).toBe('AB');
  expect(inForce('A B A <B <A')).toBe('A');
  expect(inForce('A B A <A')).toBe('A');
});

it('counts a bundle that is promoted again at once as one step', () => {
  expect(inForce('A B B')).toBe('AB');
  expect(inForce('A B B <A')).toBe('A');
});

it('knows one alias from another', () => {
  const changes = [change('promote', 'A'), change('promote', 'B', 'paper'), change('retrain', 'C')];
  expect(promotionsInForce(changes, 'live').map(({ to }) => to)).toEqual(['A', 'C']);
});

it('keeps a reason of at most 2,000 characters, and refuses a longer one by name and number', () => {
  expect(() => checkReason('x'.repeat(2000), '--reason')).not.toThrow();
  expect(() => checkReason('x'.repeat(2001), '--reason')).toThrow(/--reason .*2001 characters.*at most 2000/);
});
