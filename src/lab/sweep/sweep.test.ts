import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { configHash } from '#src/config/show.js';
import { claimFolder, writeSummary } from './record.js';
import { loadSweep } from './sweep.js';

const folder = mkdtempSync(path.join(tmpdir(), 'openbell-sweep-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(
  path.join(folder, 'cart.yaml'),
  'env: { id: CartPole-v1 }\nseed: 4\ntraining: { total_timesteps: 30000, evaluate_every: 5000 }\n',
);
writeFileSync(path.join(folder, 'market.yaml'), 'data: { datasets: [aapl-daily], train: { to: 2016-01-01 } }\n');

const GOOD = `
experiment: cart.yaml
space:
  agent.gamma: { min: 0.9, max: 0.99 }
  agent.n_epochs: { values: [5, 10] }
trials: 6
seeds: 2
early_stopping: { first: 5000 }
`;

async function load(text: string, name = 'x.yaml') {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return loadSweep(file);
}

describe('loadSweep', () => {
  it('makes every trial a checked configuration of its own, before anything is trained', async () => {
    const sweep = await load(GOOD);
    expect(sweep.seeds).toEqual([4, 5]);
    expect(sweep.terms).toEqual({ trials: 6, rungs: [5000, 15000, 30000], factor: 3, workers: 8 });
    expect(sweep.id).toMatch(/^x-[0-9a-f]{8}$/);
    for (const { number, parameters, config } of sweep.trials) {
      expect(config).toMatchObject({ name: 'x', sweep: { id: sweep.id, trial: number, trials: 6 } });
      expect(config.agent).toMatchObject({ gamma: parameters['agent.gamma'], n_epochs: parameters['agent.n_epochs'] });
    }
    expect(new Set(sweep.trials.map(({ config }) => configHash(config))).size).toBe(6);
  });

  it.each<[string, string, string]>([
    [
      'an unknown key of the file',
      GOOD.replace('trials:', 'trails:'),
      '^CONFIG_UNKNOWN_KEY .*x\\.yaml:6 "trails": did you mean "trials"\\?$',
    ],
    [
      'an unknown key of the experiment',
      GOOD.replace('agent.gamma', 'agent.gama'),
      '^CONFIG_UNKNOWN_KEY .*x\\.yaml:4 "agent.gama": did you mean "agent.gamma"\\?$',
    ],
    [
      'an unknown key of a parameter',
      GOOD.replace('max: 0.99', 'maximum: 0.99'),
      '^CONFIG_(UNKNOWN_KEY|VALUE) .*x\\.yaml:4 .*max',
    ],
    [
      'an empty space',
      GOOD.replace(/space:[^]*trials/, 'space: {}\ntrials'),
      '^CONFIG_VALUE .*space .*: is empty: name what varies',
    ],
    ['no space', GOOD.replace(/space:[^]*trials/, 'trials'), '^CONFIG_VALUE .*space.*is missing'],
    ['no values', GOOD.replace('[5, 10]', '[]'), '^CONFIG_VALUE .*x\\.yaml:5 .*values'],
    ['a value twice', GOOD.replace('[5, 10]', '[5, 5]'), '^CONFIG_VALUE .*holds 5 twice'],
    ['ends the wrong way round', GOOD.replace('min: 0.9,', 'min: 1,'), '^CONFIG_VALUE .*min must lie below max'],
    [
      'a log of zero',
      GOOD.replace('min: 0.9,', 'min: 0, scale: log,'),
      '^CONFIG_VALUE .*scale log needs a min above 0',
    ],
    [
      'a value that the experiment refuses',
      GOOD.replace('max: 0.99', 'max: 1.9'),
      '^CONFIG_VALUE .*x\\.yaml:4 agent.gamma 1\\.\\d+: trial \\d \\(agent.gamma=.*\\): expected a number at least 0 and at most 1',
    ],
    [
      'values that do not fit together',
      `${GOOD.replace('agent.n_epochs: { values: [5, 10] }', 'agent.n_steps: { values: [64, 1048576] }')}overrides: { training.n_envs: 64 }\n`,
      '^CONFIG_VALUE .*x\\.yaml:5 agent.n_steps 1048576: trial \\d .*rows a rollout',
    ],
    [
      'a seed as a key',
      GOOD.replace('agent.gamma', 'seed'),
      '^CONFIG_VALUE .*x\\.yaml:4 "seed": cannot stand here: .*say `seeds`',
    ],
    [
      'windows as a key',
      GOOD.replace('agent.gamma', 'data.test.from'),
      '^CONFIG_VALUE .*cannot stand here: trials that are scored on other bars',
    ],
    [
      'costs as a key',
      GOOD.replace('agent.gamma', 'env.costs.spread_bps'),
      '^CONFIG_VALUE .*the cheapest market would win',
    ],
    [
      'a rung before the first score',
      GOOD.replace('first: 5000', 'first: 4000'),
      '^CONFIG_VALUE .*x\\.yaml:8 early_stopping.first 4000: lies before the first score',
    ],
    [
      'a rung after the end',
      GOOD.replace('first: 5000', 'first: 30000'),
      '^CONFIG_VALUE .*lies at the end of the training',
    ],
    ['seeds that are none', GOOD.replace('seeds: 2', 'seeds: 3-1'), '^CONFIG_VALUE .*seeds "3-1": runs backwards'],
    ['no trials', GOOD.replace('trials: 6', ''), '^CONFIG_VALUE .*trials.*is missing: method random needs'],
    ['a grid with trials', `${GOOD}method: grid\n`, '^CONFIG_VALUE .*a grid has as many trials as combinations'],
    [
      'no experiment',
      GOOD.replace('cart.yaml', 'care.yaml'),
      '^CONFIG_FILE .*x\\.yaml:2 "care.yaml": there is no such experiment file',
    ],
    [
      'an experiment without a validation window',
      GOOD.replace('cart.yaml', 'market.yaml').replace('first: 5000', 'first: 50000'),
      '^CONFIG_VALUE .*sets no validation window apart',
    ],
    ['the name of the experiment', `${GOOD}name: cart\n`, '^CONFIG_VALUE .*is the name of its experiment'],
    [
      'a key that varies and is fixed',
      `${GOOD}overrides: { agent.gamma: 0.5 }\n`,
      '^CONFIG_VALUE .*stands in overrides too',
    ],
  ])('refuses %s', async (_, text, message) => {
    await expect(load(text)).rejects.toThrow(new RegExp(message, 's'));
  });

  it('refuses to go on with a sweep of the same name and another definition, and says what differs', async () => {
    const runsDir = path.join(folder, 'runs');
    mkdirSync(runsDir);
    const sweep = await load(GOOD);
    const at = claimFolder(sweep, runsDir);
    writeSummary(at, sweep, { status: 'running', rows: [], best: null, importance: [] });
    expect(claimFolder(await load(`# only a comment\n${GOOD}description: other words\n`), runsDir)).toBe(at);
    const wider = await load(GOOD.replace('max: 0.99', 'max: 0.999'));
    expect(() => claimFolder(wider, runsDir)).toThrow(
      /^SWEEP_CONFLICT .*"x": .*\(different: space\): give this one another name/,
    );
    const moved = await load(`${GOOD}overrides: { agent.clip_range: 0.1 }\n`);
    expect(() => claimFolder(moved, runsDir)).toThrow(/^SWEEP_CONFLICT .*\(different: overrides\)/);
    writeFileSync(path.join(at, 'sweep.json'), '{"format": "openb');
    expect(() => claimFolder(sweep, runsDir)).toThrow(/^RUN_STATE .*is not JSON: delete it, and it is made again/);
  });
});
