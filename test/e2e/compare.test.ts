import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeRunsFolder, openbell } from './openbell.js';

const { runsDir, dispose } = makeRunsFolder();
afterAll(dispose);

const QUICK = ['train', 'experiments/cartpole.yaml', 'training.total_timesteps=512'];

describe('openbell compare', () => {
  it('refuses what was not evaluated, evaluates it when asked, and says what differs and who wins', () => {
    for (const seed of ['1', '2']) {
      expect(openbell([...QUICK, '--seed', seed, 'name=a'], runsDir).code).toBe(0);
      expect(openbell([...QUICK, '--seed', seed, 'name=b', 'agent.gamma=0.5'], runsDir).code).toBe(0);
    }
    const refused = openbell(['compare', 'a', 'b'], runsDir);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/^COMPARE_NOT_EVALUATED test 4: .*--evaluate.*openbell evaluate .*\n$/);

    const page = path.join(runsDir, 'page.html');
    const { code, stdout, stderr } = openbell(['compare', 'a', 'b', '--evaluate', '--out', page], runsDir);
    expect(code).toBe(0);
    expect(stderr.trim().split('\n')).toHaveLength(4);
    expect(stdout).toMatch(/What differs\n +a +b\nagent\.gamma +\S+ +0\.5\n/);
    expect(stdout).toMatch(/Verdict: too few seeds to tell\. /);
    expect(readFileSync(page, 'utf8')).toContain('<h2>What differs</h2>');
    expect(existsSync(path.join(runsDir, 'compare.html'))).toBe(false);
  });

  it('prints JSON, the same each time', () => {
    const once = openbell(['compare', 'a', 'b', '--json'], runsDir);
    expect(once).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(once.stdout)).toMatchObject({
      metric: 'score',
      tasks: ['CartPole-v1'],
      differences: [{ key: 'agent.gamma', values: { b: '0.5' } }],
      contrasts: [{ group: 'a', baseline: 'b', outcome: 'too-few-seeds' }],
    });
    expect(openbell(['compare', 'a', 'b', '--json'], runsDir).stdout).toBe(once.stdout);
  });

  it.each([
    [['compare', 'a'], 2, /^USAGE compare .*nothing to compare with/],
    [['compare', 'aa', 'b'], 2, /^RUN_NOT_FOUND compare "aa": /],
    [['compare', 'a', 'b', '--baseline', 'hold'], 1, /^RUN_STATE .*"hold": its evaluation knows no such baseline/],
    [['compare', 'a', 'b', '--metric', 'scoer'], 2, /^USAGE --metric "scoer": .*did you mean "score"/],
    [['compare', 'a', 'b', '--by', 'seed'], 2, /^USAGE openbell compare: invalid values/],
    [['compare', 'a', 'b', '--seed', 'x'], 2, /^USAGE --seed NaN/],
  ])('%j', (args, code, message) => {
    const answer = openbell(args, runsDir);
    expect(answer).toMatchObject({ code, stdout: '' });
    expect(answer.stderr).toMatch(message);
  });
});
