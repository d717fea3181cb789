import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_MARKET_CONFIG } from '#env/market/config.js';
import { PPO_PRESETS } from '#agents/ppo/presets.js';
import { OpenBellError } from '#src/errors.js';
import { loadExperiment, parseExperiment, type LoadOptions } from './load.js';
import { placeKey } from './yaml-source.js';

const folder = mkdtempSync(path.join(tmpdir(), 'openbell-config-'));
const write = (name: string, text: string): string => {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
};
let market = '';
beforeAll(() => {
  market = write('market.yaml', 'data:\n  datasets: [aapl-daily]\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

function errorOf(work: () => unknown): OpenBellError {
  try {
    work();
  } catch (error) {
    if (error instanceof OpenBellError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('defaults', () => {
  it("are those of the market's and the agent's own constants", () => {
    const { config } = loadExperiment(market);
    const { id, ...env } = config.env as { id: string };
    expect(id).toBe('market');
    expect(env).toEqual(DEFAULT_MARKET_CONFIG);
    const { preset, ...agent } = config.agent;
    expect(preset).toBe('sb3');
    expect(agent).toEqual({ policy: null, ...PPO_PRESETS.sb3.config });
    expect(config.name).toBe('market');
    expect(config.training.n_envs).toBe(1);
  });

  it('follow the preset, under what the file says', () => {
    const { config } = loadExperiment(
      write('p.yaml', 'env: { id: CartPole-v1 }\nagent: { preset: cleanrl, gamma: 0.9 }\n'),
    );
    expect(config.agent).toEqual({
      preset: 'cleanrl',
      policy: null,
      ...PPO_PRESETS.cleanrl.config,
      gamma: 0.9,
    });
    expect(config.training.n_envs).toBe(4);
    expect(config.data).toBeNull();
    expect(config.observation).toBeNull();
  });

  it('complete a section that is switched on in part', () => {
    const { config } = loadExperiment(
      write('n.yaml', 'env: { id: CartPole-v1 }\nagent: { normalize: { reward: false } }\n'),
    );
    expect(config.agent.normalize).toEqual({
      observation: true,
      reward: false,
      clip_obs: 10,
      clip_reward: 10,
      epsilon: 1e-8,
    });
  });

  it('leave a written-out schedule alone', () => {
    const text =
      'env: { id: CartPole-v1 }\nagent: { preset: cleanrl, learning_rate: { schedule: linear, initial: 0.1 } }\n';
    expect(loadExperiment(write('s.yaml', text)).config.agent.learning_rate).toEqual({
      schedule: 'linear',
      initial: 0.1,
    });
  });
});

describe('layers', () => {
  it('merge maps key by key, replace lists, and remember where each value came from', () => {
    write('base.yaml', 'env:\n  id: CartPole-v1\nagent:\n  gamma: 0.9\n  net_arch:\n    pi: [8, 8]\n');
    const child = write('deep/child.yaml', 'extends: ../base.yaml\nagent:\n  net_arch:\n    pi: [4]\n');
    const { config, origins, files } = loadExperiment(child, {
      overrides: ['agent.learning_rate=1e-4'],
      environment: { OPENBELL_SEED: '3', OPENBELL_AGENT__N_STEPS: '64', OPENBELL_RUNS_DIR: '/elsewhere', HOME: '/' },
    });
    expect(config.name).toBe('child');
    expect(config.agent).toMatchObject({
      gamma: 0.9,
      net_arch: { pi: [4], vf: [64, 64] },
      learning_rate: 1e-4,
      n_steps: 64,
    });
    expect(config.seed).toBe(3);
    expect(files).toHaveLength(2);
    const origin = (...keys: string[]) => origins.get(placeKey(keys));
    expect(origin('agent', 'gamma')).toMatch(/base\.yaml:4$/);
    expect(origin('agent', 'net_arch', 'pi')).toMatch(/child\.yaml:4$/);
    expect(origin('agent', 'learning_rate')).toBe('command line');
    expect(origin('agent', 'n_steps')).toBe('OPENBELL_AGENT__N_STEPS');
    expect(origin('agent', 'vf_coef')).toBe('preset sb3');
    expect(origin('training', 'engine')).toBe('default');
  });

  it('let the command line win over the environment, and the environment over the file', () => {
    const file = write('seed.yaml', 'seed: 1\nenv: { id: CartPole-v1 }\n');
    const environment = { OPENBELL_SEED: '2' };
    expect(loadExperiment(file).config.seed).toBe(1);
    expect(loadExperiment(file, { environment }).config.seed).toBe(2);
    expect(loadExperiment(file, { environment, overrides: ['seed=3'] }).config.seed).toBe(3);
  });

  it('keep dates as they are written', () => {
    const { config } = parseExperiment(
      'data: { datasets: [a], train: { to: 2016-11-01 }, test: { from: 2017-05-01 } }',
      'x.yaml',
    );
    expect(config.data?.train).toEqual({ from: null, to: '2016-11-01' });
    expect(config.data?.test).toEqual({ from: '2017-05-01', to: null });
  });
});

const CART = 'env:\n  id: CartPole-v1\n';
const MARKET = 'data:\n  datasets: [a]\n';
const cases: [what: string, text: string, expected: RegExp, options?: LoadOptions][] = [
  [
    'a misspelt key',
    `${CART}agent:\n  lrr: 1e-4\n`,
    /^CONFIG_UNKNOWN_KEY x\.yaml:4 "agent\.lrr": did you mean "agent\.learning_rate"\?$/,
  ],
  [
    'a key at the wrong level',
    `${CART}learning_rate: 1e-4\n`,
    /x\.yaml:3 "learning_rate": did you mean "agent\.learning_rate"\?$/,
  ],
  ['a key that nothing resembles', `${CART}colour: red\n`, /x\.yaml:3 "colour": there is no such key/],
  ['a misspelt section', `${CART}agnet:\n  gamma: 0.9\n`, /x\.yaml:3 "agnet": did you mean "agent"\?$/],
  ['a prototype', `${CART}__proto__:\n  gamma: 0.9\n`, /CONFIG_UNKNOWN_KEY x\.yaml:3 "__proto__"/],
  [
    'a market setting of a classic environment',
    `${CART}  costs: {}\n`,
    /x\.yaml:3 "env\.costs": this environment has no such setting/,
  ],
  [
    'a text for a number',
    `${CART}agent:\n  n_steps: many\n`,
    /^CONFIG_VALUE x\.yaml:4 agent\.n_steps "many": expected an integer at least 1 and at most 1048576 \(Steps a rollout/,
  ],
  [
    'a number with underscores',
    `${CART}training:\n  total_timesteps: 100_000\n`,
    /x\.yaml:4 training\.total_timesteps "100_000": .*without underscores/,
  ],
  ['a fraction of a step', `${CART}agent:\n  n_steps: 1.5\n`, /x\.yaml:4 agent\.n_steps 1\.5: expected an integer/],
  [
    'a number out of range',
    `${CART}agent:\n  gamma: 1.5\n`,
    /x\.yaml:4 agent\.gamma 1\.5: expected a number at least 0 and at most 1/,
  ],
  ['not a number', `${CART}agent:\n  gamma: .nan\n`, /x\.yaml:4 agent\.gamma/],
  [
    'a wrong choice',
    `${CART}agent:\n  activation_fn: gelu\n`,
    /x\.yaml:4 agent\.activation_fn "gelu": expected tanh or relu/,
  ],
  ['a wrong list item', `${CART}agent:\n  net_arch:\n    pi: [64, 0]\n`, /x\.yaml:5 agent\.net_arch\.pi\.1 0:/],
  ['an unknown environment', 'env:\n  id: Cartpole\n', /^CONFIG_VALUE x\.yaml:2 env\.id "Cartpole": .*CartPole-v1/],
  [
    'a schedule that lacks its start',
    `${CART}agent:\n  learning_rate: { schedule: linear }\n`,
    /x\.yaml:4 agent\.learning_rate\.initial: is missing/,
  ],
  [
    'a misspelt key of a schedule',
    `${CART}agent:\n  clip_range: { schedule: linear, initial: 0.2, finl: 0 }\n`,
    /UNKNOWN_KEY x\.yaml:4 "agent\.clip_range\.finl": did you mean "agent\.clip_range\.final"/,
  ],
  ['a negative learning rate', `${CART}agent:\n  learning_rate: -1\n`, /x\.yaml:4 agent\.learning_rate -1: expected/],
  ['no data for the market', 'name: a\n', /CONFIG_VALUE .*data\.datasets: is missing/],
  [
    'data for a classic environment',
    `${CART}data:\n  datasets: [a]\n`,
    /x\.yaml:3 data \["a"\]: CartPole-v1 has no bars/,
  ],
  [
    'a date that does not exist',
    `${MARKET}  train: { to: 2016-13-01 }\n`,
    /x\.yaml:3 data\.train\.to "2016-13-01": expected a date/,
  ],
  ['a time without an offset', `${MARKET}  train: { to: "2016-12-01T10:00" }\n`, /x\.yaml:3 data\.train\.to .*offset/],
  [
    'a window that ends before it begins',
    `${MARKET}  train: { from: 2017-01-01, to: 2016-01-01 }\n`,
    /x\.yaml:3 data\.train .*ends where it begins/,
  ],
  [
    'a test window that was learned from',
    `${MARKET}  train: { to: 2017-01-01 }\n  test: { from: 2016-06-01 }\n`,
    /x\.yaml:4 data\.test .*overlaps data\.train/,
  ],
  [
    'a batch that cannot be normalised',
    `${CART}agent:\n  batch_size: 1\n`,
    /^CONFIG_VALUE x\.yaml:4 agent\.batch_size 1: the standard deviation/,
  ],
  [
    'exits that close more than there is',
    `${MARKET}env:\n  exits:\n    take_profit: [{ gain: 0.1, fraction: 0.8 }, { gain: 0.2, fraction: 0.8 }]\n`,
    /^CONFIG_VALUE x\.yaml:5 env\.exits\.take_profit 1\.6: the fractions sum to more than 1/,
  ],
  ['broken YAML', 'env: {id: [\n', /^CONFIG_SYNTAX x\.yaml:\d+: /],
  ['a key given twice', 'seed: 1\nseed: 2\n', /^CONFIG_SYNTAX x\.yaml:2: /],
  [
    'an alias of nothing',
    `${CART}agent:\n  gamma: *half\n`,
    /^CONFIG_SYNTAX x\.yaml:4: \*half names no anchor above it/,
  ],
  [
    'an alias inside what it names',
    `${CART}agent: &all\n  gamma: *all\n`,
    /^CONFIG_SYNTAX x\.yaml:4: \*all stands inside what it names/,
  ],
  [
    'aliases that multiply without bound',
    `a: &a [1,1,1,1,1,1,1,1,1]\n${['b', 'c', 'd', 'e']
      .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcd'[i]}`).join(',')}]\n`)
      .join('')}`,
    /^CONFIG_SYNTAX x\.yaml: its aliases cannot be resolved/,
  ],
  [
    'a tag that YAML does not know',
    `${CART}agent:\n  gamma: !half 0.5\n`,
    /^CONFIG_SYNTAX x\.yaml:4: unresolved tag: !half/,
  ],
  ['a list as a key', `${CART}? [a, b]\n: 1\n`, /^CONFIG_SYNTAX x\.yaml:3: a key must be a plain name/],
  [
    'a date that does not exist',
    `${MARKET}  train: { to: 2016-02-30 }\n`,
    /^CONFIG_VALUE x\.yaml:3 data\.train\.to "2016-02-30": expected a date that exists/,
  ],
  [
    'a rollout that fits no memory',
    `${CART}agent:\n  n_steps: 1000000\n`,
    /^CONFIG_VALUE x\.yaml:4 agent\.n_steps 1000000: x training\.n_envs 65536 = 65536000000 rows a rollout/,
    { overrides: ['training.n_envs=65536'] },
  ],
  [
    'a network that fits no memory',
    `${CART}agent:\n  net_arch: { pi: [20000, 20000] }\n`,
    /^CONFIG_VALUE x\.yaml:4 agent\.net_arch\.pi \[20000,20000\]: 400000000 weights between its layers/,
  ],
  [
    'an override with an alias of nothing',
    CART,
    /^CONFIG_OVERRIDE command line "\*half": \*half names no anchor/,
    { overrides: ['agent.gamma=*half'] },
  ],
  [
    'an override that extends',
    CART,
    /^CONFIG_UNKNOWN_KEY command line "extends": only a file extends a file/,
    { overrides: ['extends=base.yaml'] },
  ],
  ['an empty file', '# nothing\n', /^CONFIG_SYNTAX x\.yaml:1: the file is empty/],
  ['a list', '- a\n', /^CONFIG_SYNTAX x\.yaml:1: the file is not a map/],
  [
    'an override without a value',
    CART,
    /^CONFIG_OVERRIDE command line "agent\.gamma": write key=value/,
    { overrides: ['agent.gamma'] },
  ],
  [
    'an override of an unknown key',
    CART,
    /^CONFIG_UNKNOWN_KEY command line "agent\.gama": did you mean "agent\.gamma"/,
    { overrides: ['agent.gama=1'] },
  ],
  ['an override through a number', CART, /command line "?agent\.gamma/, { overrides: ['agent.gamma.x=1'] }],
  [
    'an override with a wrong value',
    CART,
    /^CONFIG_VALUE command line agent\.gamma "high"/,
    { overrides: ['agent.gamma=high'] },
  ],
  [
    'an override that is no YAML',
    CART,
    /^CONFIG_OVERRIDE command line "\[64"/,
    { overrides: ['agent.net_arch.pi=[64'] },
  ],
  [
    'an unknown variable',
    CART,
    /UNKNOWN_KEY environment variable "OPENBELL_RUN_DIR": did you mean OPENBELL_RUNS_DIR\?/,
    { environment: { OPENBELL_RUN_DIR: 'x' } },
  ],
  [
    'a variable of an unknown key',
    CART,
    /UNKNOWN_KEY OPENBELL_AGENT__GAMA "agent\.gama"/,
    { environment: { OPENBELL_AGENT__GAMA: '1' } },
  ],
];

describe('a wrong configuration is refused with place, value and remedy', () => {
  it.each(cases)('%s', (_, text, expected, options) => {
    const error = errorOf(() => parseExperiment(text, 'x.yaml', options));
    expect(error.message).toMatch(expected);
    expect(error.exitCode).toBe(2);
  });

  it('names every wrong key, not only the first', () => {
    const { message } = errorOf(() => parseExperiment(`${CART}agent:\n  gamma: 2\n  lrr: 1\n`, 'x.yaml'));
    expect(message.split('\n')).toHaveLength(2);
    expect(message).toMatch(/^CONFIG_UNKNOWN_KEY x\.yaml:5 .*\nCONFIG_VALUE x\.yaml:4 agent\.gamma 2: /);
  });

  it('names the file that a wrong base value stands in', () => {
    write('bad-base.yaml', 'env: { id: CartPole-v1 }\nagent:\n  gamma: 2\n');
    const child = write('of-bad.yaml', 'extends: bad-base.yaml\n');
    expect(errorOf(() => loadExperiment(child)).message).toMatch(/bad-base\.yaml:3 agent\.gamma 2/);
  });

  it('names a missing file, a missing base and a circle', () => {
    expect(errorOf(() => loadExperiment(path.join(folder, 'none.yaml'))).message).toMatch(
      /^CONFIG_FILE .*none\.yaml: there is no such file/,
    );
    expect(errorOf(() => loadExperiment(folder)).message).toMatch(/^CONFIG_FILE .*this is a folder/);
    const orphan = write('orphan.yaml', 'seed: 1\nextends: none.yaml\n');
    expect(errorOf(() => loadExperiment(orphan)).message).toMatch(/^CONFIG_EXTENDS .*orphan\.yaml:2 "none\.yaml"/);
    write('a.yaml', 'extends: b.yaml\n');
    write('b.yaml', 'extends: a.yaml\n');
    expect(errorOf(() => loadExperiment(path.join(folder, 'a.yaml'))).message).toMatch(
      /^CONFIG_EXTENDS .*circle: .*a\.yaml -> .*b\.yaml -> .*a\.yaml/,
    );
  });

  it('names a file of another encoding', () => {
    const file = path.join(folder, 'latin.yaml');
    writeFileSync(file, Buffer.from('description: caf\xe9\n', 'latin1'));
    expect(errorOf(() => loadExperiment(file)).message).toMatch(/^CONFIG_SYNTAX .*latin\.yaml: this is not UTF-8/);
  });
});
