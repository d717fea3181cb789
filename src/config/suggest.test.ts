import { expect, it } from 'vitest';
import { editDistance, nearestKey, nearestName } from './suggest.js';

it('counts insertions, deletions, replacements and swaps as one edit each', () => {
  expect(editDistance('seed', 'seed')).toBe(0);
  expect(editDistance('sed', 'seed')).toBe(1);
  expect(editDistance('seeds', 'seed')).toBe(1);
  expect(editDistance('seex', 'seed')).toBe(1);
  expect(editDistance('sede', 'seed')).toBe(1);
  expect(editDistance('', 'abc')).toBe(3);
});

it.each([
  ['trian', ['train', 'evaluate', 'data'], 'train'],
  ['evalute', ['train', 'evaluate', 'data'], 'evaluate'],
  ['banana', ['train', 'evaluate', 'data'], null],
])('takes %s for the nearest of the candidates', (name, candidates, expected) => {
  expect(nearestName(name, candidates)).toBe(expected);
});

const KNOWN = ['name', 'seed', 'agent', 'agent.learning_rate', 'agent.gamma', 'agent.n_steps', 'training.n_envs'];
it.each([
  ['agent.lrr', 'agent.learning_rate'],
  ['agent.lr', 'agent.learning_rate'],
  ['agent.gama', 'agent.gamma'],
  ['learning_rate', 'agent.learning_rate'],
  ['agent.n_envs', 'training.n_envs'],
  ['agnet.gamma', 'agent.gamma'],
  ['sed', 'seed'],
  ['colour', null],
])('for %s suggests %s', (key, expected) => {
  expect(nearestKey(key, KNOWN)).toBe(expected);
});
