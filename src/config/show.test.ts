import { expect, it } from 'vitest';
import { parseExperiment } from './load.js';
import { configHash, configYaml } from './show.js';

const market = parseExperiment(
  'data: { datasets: [a], train: { to: 2017-01-01 } }\nagent: { normalize: {} }\n',
  'x.yaml',
);

it('writes YAML that loads to the same configuration and hash', () => {
  const again = parseExperiment(configYaml(market), 'y.yaml');
  expect(again.config).toEqual(market.config);
  expect(configHash(again.config)).toBe(configHash(market.config));
});

it('says with --origins where each value came from, and still loads', () => {
  const loaded = parseExperiment('env: { id: CartPole-v1 }\nagent: { gamma: 0.9 }\n', 'x.yaml', {
    overrides: ['seed=4'],
  });
  const text = configYaml(loaded, { origins: true });
  expect(text).toMatch(/^seed: 4 # command line$/m);
  expect(text).toMatch(/^ {2}gamma: 0\.9 # x\.yaml:2$/m);
  expect(text).toMatch(/^ {2}n_steps: 2048 # preset sb3$/m);
  expect(text).toMatch(/^ {2}engine: simd # default$/m);
  expect(parseExperiment(text, 'y.yaml').config).toEqual(loaded.config);
});

it('hashes what decides the result, not the seed, the name or the order of keys', () => {
  const hash = (text: string): string => configHash(parseExperiment(text, 'x.yaml').config);
  const base = hash('env: { id: CartPole-v1 }\nagent: { gamma: 0.9, n_steps: 8 }\n');
  expect(hash('seed: 5\nname: other\nagent: { n_steps: 8, gamma: 0.9 }\nenv: { id: CartPole-v1 }\n')).toBe(base);
  expect(hash('env: { id: CartPole-v1 }\nagent: { gamma: 0.91, n_steps: 8 }\n')).not.toBe(base);
  expect(hash('env: { id: CartPole-v1 }\nagent: { gamma: 0.9, n_steps: 8 }\ntraining: { threads: 2 }\n')).toBe(base);
});
