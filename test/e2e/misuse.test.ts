import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeRunsFolder, onlyRun, openbell, root } from './openbell.js';

const { runsDir, dispose } = makeRunsFolder();
afterAll(dispose);

const GOOD = 'time,open,high,low,close,volume\n2024-01-02,10,11,9,10.5,100\n2024-01-03,10,11,9,10.5,100\n';

describe('misuse', () => {
  it('finds a file whose name begins with a dash by ./, and says so', () => {
    const file = path.join(runsDir, '-bars.csv');
    writeFileSync(file, GOOD);
    expect(openbell(['data', 'describe', file], runsDir).code).toBe(0);
    const { code, stderr } = openbell(['data', 'describe', '-bars.csv'], runsDir);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^USAGE openbell data: an argument is missing; .*\.\/-name/);
  });

  it.each([
    [['--columns', 'close=open,close=high'], /^USAGE --columns "close=high": close is given twice/],
    [['--thousands', 'x'], /^USAGE openbell data: invalid values: .*thousands/],
  ])('refuses %j of data describe', (options, answer) => {
    const file = path.join(runsDir, 'bars.csv');
    writeFileSync(file, GOOD);
    const { code, stderr, stdout } = openbell(['data', 'describe', file, ...options], runsDir);
    expect(stderr).toMatch(answer);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('says in one line what the system refuses, here a folder for runs that is a file', () => {
    const file = path.join(runsDir, 'a-file');
    writeFileSync(file, '');
    const { code, stderr } = openbell(
      ['train', 'experiments/cartpole.yaml', 'training.total_timesteps=256'],
      path.join(file, 'runs'),
    );
    expect(stderr).toMatch(/^FILE_SYSTEM .*a-file.* "ENOTDIR": a part of this path is a file.*\n$/);
    expect(code).toBe(1);
    expect(openbell(['runs', 'list'], file).stderr).toMatch(/^FILE_SYSTEM .*a-file "ENOTDIR"/);
  });

  it.runIf(existsSync('/proc/self'))('ends where the file system makes no folders', () => {
    const { code, stderr } = openbell(
      ['train', 'experiments/cartpole.yaml', 'training.total_timesteps=256'],
      '/proc/no/runs',
    );
    expect(stderr).toMatch(/^FILE_SYSTEM \/proc\/no "E\w+": /);
    expect(code).toBe(1);
  });

  it('ends quietly where nobody reads on', () => {
    const main = path.join(root, 'dist', 'src', 'cli', 'main.js');
    // the reader has gone before the first byte is written
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', `"${process.execPath}" "${main}" data list | true; echo "code \${PIPESTATUS[0]}"`],
      { cwd: root, encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    expect(stdout).toBe('code 0\n');
  });
});

describe('a damaged run', () => {
  it('hides no other, and is listed with what is wrong with it', () => {
    const runs = path.join(runsDir, 'damaged');
    const trained = openbell(
      ['train', 'experiments/cartpole.yaml', 'training.total_timesteps=256', 'training.evaluate_every=null'],
      runs,
    );
    expect(trained.code).toBe(0);
    const run = onlyRun(runs) ?? '';
    const id = path.basename(run);
    for (const [name, text] of [
      ['cut-off', readFileSync(path.join(run, 'run.json'), 'utf8').slice(0, 300)],
      ['emptied', '{"format":"openbell-run 1","resumed":[],"host":{}}'],
    ] as const) {
      const folder = path.join(path.dirname(run), name);
      mkdirSync(folder);
      writeFileSync(path.join(folder, 'run.json'), text);
      expect(openbell(['train', '--resume', folder], runs)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^RUN_STATE .*run\.json: (is not JSON|was not written by this version)/),
      });
    }
    const listed = openbell(['runs', 'list'], runs);
    expect(listed).toMatchObject({ code: 0 });
    expect(listed.stdout.trim().split('\n')).toEqual([
      expect.stringMatching(/cut-off +damaged +run\.json cannot be read/),
      expect.stringMatching(/emptied +damaged +run\.json: name is missing/),
      expect.stringContaining(id),
    ]);
    expect(existsSync(path.join(run, 'checkpoints', 'last.safetensors'))).toBe(true);
    expect(openbell(['evaluate', 'latest'], runs).code).toBe(0);
  });
});
