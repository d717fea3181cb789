import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeRunsFolder, onlyRun, openbell, recordOf, root } from './openbell.js';

const { runsDir, dispose } = makeRunsFolder();
afterAll(dispose);

const QUICK = ['train', 'experiments/cartpole.yaml', 'training.total_timesteps=512'];

describe('help and version', () => {
  it('lists every command that has a module', () => {
    const { code, stdout } = openbell(['--help'], runsDir);
    expect(code).toBe(0);
    for (const command of ['train', 'evaluate', 'data', 'runs', 'config', 'doctor']) {
      expect(stdout).toContain(`\n  ${command} `);
      const own = openbell([command, '--help'], runsDir);
      expect(own).toMatchObject({ code: 0, stderr: '' });
      expect(own.stdout).toContain(`openbell ${command}`);
    }
  });

  it('prints the version of package.json', () => {
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
    expect(openbell(['--version'], runsDir).stdout).toBe(`${version}\n`);
  });
});

describe('what is wrong is said in one line on stderr, with its exit code', () => {
  it.each([
    [['trian'], 2, /^USAGE command "trian": there is no such thing; did you mean "train"\?\n$/],
    [['--halp'], 2, /^USAGE option "--halp": /],
    [['train'], 2, /^USAGE openbell train: name an experiment file/],
    [
      ['train', 'experiments/cartpole.yaml', '--sed', '1'],
      2,
      /^USAGE openbell train: unknown arguments?: sed.*; did you mean --seed\?\n$/,
    ],
    [
      ['train', 'experiments/cartpole.yaml', '--seed', 'x'],
      2,
      /^CONFIG_VALUE command line seed "x": expected an integer/,
    ],
    [
      ['train', 'experiments/cartpole.yaml', '--seed'],
      2,
      /^USAGE openbell train: not enough arguments following: seed/,
    ],
    [
      ['train', 'experiments/cartpole.yaml', '--seed', '1', '--seed=2'],
      2,
      /^USAGE openbell train "--seed": is given twice/,
    ],
    [['train', 'experiments/none.yaml'], 2, /^CONFIG_FILE experiments\/none\.yaml: there is no such file/],
    [
      ['train', 'experiments/cartpole.yaml', 'agent.lrr=1'],
      2,
      /^CONFIG_UNKNOWN_KEY command line "agent\.lrr": did you mean "agent\.learning_rate"\?\n$/,
    ],
    [['train', 'experiments/quickstart.yaml', 'data.datasets=[aapl-dayly]'], 2, /^DATA_MANIFEST .*aapl-dayly/],
    [['train', 'experiments/quickstart.yaml', 'data.train.to=2013-06-01'], 2, /^DATA_WINDOW /],
    [
      ['train', 'experiments/quickstart.yaml', 'data.test=null', '--evaluate'],
      2,
      /^USAGE openbell train --evaluate .*test window/,
    ],
    [['train', '--resume', 'nothing'], 2, /^RUN_NOT_FOUND run "nothing"/],
    [['train', 'experiments/cartpole.yaml', '--resume', 'nothing'], 2, /^USAGE openbell train --resume/],
    [['evaluate', 'nothing'], 2, /^RUN_NOT_FOUND run "nothing"/],
    [['config'], 2, /^USAGE openbell config: say which: show or schema/],
    [['config', 'shaw'], 2, /^USAGE openbell config: /],
    [['runs'], 2, /^USAGE openbell runs: say which: list,/],
  ])('%j', (args, code, stderr) => {
    const answer = openbell(args, runsDir);
    expect(answer.stderr).toMatch(stderr);
    expect(answer.stdout).toBe('');
    expect(answer.code).toBe(code);
  });

  it('refuses wrong environment variables by name', () => {
    const port = openbell(QUICK, runsDir, { IB_PORT: 'many' });
    expect(port).toMatchObject({
      code: 2,
      stderr: 'CONFIG_VALUE environment variable IB_PORT "many": expected an integer from 1 to 65535\n',
    });
    expect(openbell(QUICK, runsDir, { OPENBELL_RUN_DIR: 'x' }).stderr).toMatch(/did you mean OPENBELL_RUNS_DIR\?/);
  });

  it('left no run behind', () => {
    expect(readdirSync(runsDir)).toEqual([]);
  });
});

describe('train', () => {
  it('keeps data on stdout and messages on stderr, without colour', () => {
    const own = makeRunsFolder();
    const { code, stdout, stderr } = openbell([...QUICK, '--json'], own.runsDir, { OPENBELL_SEED: '5' });
    expect(code).toBe(0);
    const printed = JSON.parse(stdout);
    const run = onlyRun(own.runsDir);
    expect(printed).toMatchObject({ run, status: 'completed', timesteps: 512 });
    expect(printed.weights_sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(stderr).toMatch(/^training cartpole \(seed 5, 512 steps\)/);
    expect(stderr).toMatch(
      /512\/512 {2}100% {2}[\d,]+ steps\/s \(act \d+% env \d+% collect \d+% learn \d+%\) {2}ETA 0:00 {2}reward/,
    );
    expect(stderr).not.toContain('\x1b');
    expect(openbell(QUICK, own.runsDir, { LOG_LEVEL: 'WARNING' }).stderr).toBe('');
    own.dispose();
  });

  it('writes the run directory: configuration, identity, logs, checkpoints', () => {
    const own = makeRunsFolder();
    expect(openbell([...QUICK, '--seed', '3', 'training.keep_checkpoints=1'], own.runsDir).code).toBe(0);
    const run = onlyRun(own.runsDir) ?? '';
    expect(path.basename(run)).toMatch(/^\d{8}T\d{6}Z-[0-9a-f]{8}-s3$/);
    expect(readdirSync(path.join(run, 'checkpoints')).sort()).toEqual([
      'best.safetensors',
      'last.safetensors',
      'previous.safetensors',
      'step-000000000512.safetensors',
    ]);
    const record = JSON.parse(readFileSync(path.join(run, 'run.json'), 'utf8'));
    expect(record).toMatchObject({ status: 'completed', seed: 3, engine: 'simd', timesteps: 512, data: [] });
    expect(record.argv).toEqual([...QUICK, '--seed', '3', 'training.keep_checkpoints=1']);
    expect(record.host.node).toBe(process.version);
    expect(Object.keys(record.code.kernels)).toContain('agents/policy/simd/policy.wasm');
    expect(record.code.lockfile_sha256).toMatch(/^[0-9a-f]{64}$/);
    const lines = readFileSync(path.join(run, 'metrics.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ kind }) => kind)).toEqual(['update', 'update', 'evaluation']);
    expect(JSON.stringify(lines)).not.toMatch(/Ms"|"at"/);
    expect(readFileSync(path.join(run, 'timings.jsonl'), 'utf8')).toMatch(/"updateMs":/);
    // the written configuration trains to the same bits
    const again = makeRunsFolder();
    expect(openbell(['train', path.join(run, 'config.yaml')], again.runsDir).code).toBe(0);
    expect(recordOf(onlyRun(again.runsDir) ?? '').result).toEqual(record.result);
    expect(openbell(['runs', 'list'], own.runsDir).stdout).toMatch(/^cartpole\/\S+-s3 +completed +512 steps/);
    own.dispose();
    again.dispose();
  });

  it('trains on the embedded bars and evaluates the last year, from one command', () => {
    const own = makeRunsFolder();
    const { code, stdout } = openbell(
      ['train', 'experiments/quickstart.yaml', '--evaluate', 'training.total_timesteps=4096'],
      own.runsDir,
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/weights sha256 [0-9a-f]{64}\n/);
    expect(stdout).toMatch(/2017-05-12 to 2018-05-11/);
    expect(stdout).toMatch(/Verdict: /);
    const report = /Report: (.*)\n/.exec(stdout)?.[1] ?? '';
    expect(existsSync(path.resolve(root, report))).toBe(true);
    own.dispose();
  });

  it('stops at a number that is not finite, and leaves a dump', () => {
    const own = makeRunsFolder();
    const answer = openbell(
      ['train', 'experiments/cartpole.yaml', 'agent.learning_rate=1e300', 'agent.max_grad_norm=null'],
      own.runsDir,
    );
    expect(answer.code).toBe(1);
    expect(answer.stderr).toMatch(/^TRAIN_NON_FINITE .*update 1 of seed 0.*Dump: (.*non-finite\.safetensors)$/m);
    const run = onlyRun(own.runsDir) ?? '';
    expect(existsSync(path.join(run, 'non-finite.safetensors'))).toBe(true);
    expect(recordOf(run).status).toBe('failed');
    own.dispose();
  });
});

describe('config', () => {
  it('shows the resolved configuration, with the origin of each value', () => {
    const { code, stdout } = openbell(
      ['config', 'show', 'experiments/quickstart.yaml', '--origins', 'agent.gamma=0.9'],
      runsDir,
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}gamma: 0\.9 # command line$/m);
    expect(stdout).toMatch(/^ {2}n_envs: 8 # experiments\/base\.yaml:\d+$/m);
    expect(stdout).toMatch(/^ {2}vf_coef: 0\.5 # preset sb3$/m);
  });

  it('resolves every experiment that comes with OpenBell', () => {
    const files = readdirSync(path.join(root, 'experiments')).filter(
      // the others are no experiments: a base to extend, a sweep, gates and retraining
      (name) => name.endsWith('.yaml') && !/(^|-)(base|sweep|gates|retrain)\.yaml$/.test(name),
    );
    expect(files.length).toBeGreaterThanOrEqual(5);
    for (const file of files) {
      const { code, stdout, stderr } = openbell(['config', 'show', `experiments/${file}`, '--json'], runsDir);
      expect({ file, code, stderr }).toEqual({ file, code: 0, stderr: '' });
      expect(JSON.parse(stdout).config.name).toBe(path.basename(file, '.yaml'));
    }
  });

  it('plans the sweep that comes with OpenBell', () => {
    const { code, stdout } = openbell(['sweep', 'experiments/sweep.yaml', '--plan', '--json'], runsDir);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).trials).toHaveLength(40);
  });

  it('prints the schema that experiments/schema.json holds', () => {
    const { stdout } = openbell(['config', 'schema'], runsDir);
    expect(stdout).toBe(readFileSync(path.join(root, 'experiments', 'schema.json'), 'utf8'));
  });
});

it('doctor finds nothing that fails', () => {
  const own = makeRunsFolder();
  const { code, stdout } = openbell(['doctor', '--json'], own.runsDir);
  expect(code).toBe(0);
  const findings: { name: string; status: string }[] = JSON.parse(stdout);
  expect(findings.map(({ name }) => name)).toContain('WebAssembly SIMD');
  expect(findings.filter(({ status }) => status === 'failure')).toEqual([]);
  writeFileSync(path.join(own.runsDir, 'file'), '');
  const blocked = openbell(['doctor'], path.join(own.runsDir, 'file', 'runs'));
  expect(blocked.code).toBe(1);
  expect(blocked.stdout).toMatch(/^failure +disk/m);
  own.dispose();
});
