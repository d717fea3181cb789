/** From a run to an alias by the real command line: the table, exit 3, what force may and may not, and what live asks. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GateOutcome, GateReport } from '#src/registry/gates.js';
import { cycleRows, gatedYaml } from '#src/lab/gates/gates.fixture.js';
import { writeRows } from '#src/lab/walk-forward/walk-forward.fixture.js';
import { openbell, type Answer } from './openbell.js';

let folder = '';
let runsDir = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'openbell-promote-'));
  runsDir = path.join(folder, 'runs');
  mkdirSync(runsDir);
  writeRows(folder, cycleRows(1300));
  const experiment = path.join(folder, 'gated.yaml');
  writeFileSync(experiment, gatedYaml(folder));
  const trained = [
    run('train', experiment),
    // a quick one, that hardly learns
    run(
      'train',
      experiment,
      'name=hasty',
      'training.total_timesteps=512',
      'training.evaluate_every=512',
      'walk_forward={ scheme: rolling, train: 600, validation: 100, test: 250 }',
    ),
  ];
  for (const { code, stderr } of trained) if (code !== 0) throw new Error(stderr);
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]): Answer =>
  openbell(args, runsDir, {
    OPENBELL_REGISTRY_DIR: path.join(folder, 'registry'),
    OPENBELL_TRADING_DIR: path.join(folder, 'trading'),
  });

function gatesFile(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

const linesOf = (name: string): unknown[] => {
  const file = path.join(folder, 'registry', name);
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
};
const aliases = (): unknown =>
  existsSync(path.join(folder, 'registry', 'aliases.json'))
    ? JSON.parse(readFileSync(path.join(folder, 'registry', 'aliases.json'), 'utf8')).aliases
    : {};
const outcomeIn = (stdout: string, gate: string): GateOutcome => {
  const { report }: { report: GateReport } = JSON.parse(stdout);
  const found = report.outcomes.find((own) => own.gate === gate);
  if (found === undefined) throw new Error(`no gate ${gate}`);
  return found;
};

describe('openbell promote', () => {
  const strict = (): string =>
    gatesFile(
      'strict.yaml',
      'paper:\n  replay: { updates: 1 }\n  trades: { at_least: 1000 }\n  max_drawdown: { at_most: 0.01 }\n',
    );

  it('refuses with exit 3, says why, and moves nothing', () => {
    const { code, stdout, stderr } = run('promote', 'gated', '--to', 'paper', '--gates', strict());
    expect(code).toBe(3);
    expect(stdout).toMatch(/^ {2}Trades in the test window +\d+ +at least 1,000 +FAIL$/m);
    expect(stdout).toMatch(/^- Maximum drawdown: .*under a peak/m);
    expect(stdout).toMatch(
      /^REFUSED for paper: 2 of 10 gates do not pass\. What is statistical can be passed over with --force/m,
    );
    expect(stderr).toMatch(/^GATE_REFUSED gated\/\S+ "paper": trades fails, max_drawdown fails; nothing was moved$/m);
    expect(aliases()).toEqual({});
    expect(linesOf('attempts.jsonl')).toMatchObject([
      { to: 'paper', moved: false, not_passed: ['trades', 'max_drawdown'] },
    ]);
  });

  it('tries a file that cannot be meant not at all', () => {
    const { code, stderr } = run(
      'promote',
      'gated',
      '--to',
      'paper',
      '--gates',
      gatesFile('typo.yaml', 'paper:\n  trads: null\n'),
    );
    expect(code).toBe(2);
    expect(stderr).toContain('typo.yaml:2 "paper.trads": did you mean "paper.trades"?');
  });

  it('takes a run to no live alias that has no bundle yet', () => {
    const { code, stderr } = run('promote', 'gated', '--to', 'live', '--confirm', 'U1234567');
    expect(code).toBe(3);
    expect(stderr).toMatch(/^GATE_REFUSED gated\/\S+ "live": .*openbell promote RUN --to paper first$/m);
  });

  it('judges and moves nothing on a dry run', () => {
    const before = linesOf('attempts.jsonl');
    const { code, stdout } = run('promote', 'gated', '--to', 'paper', '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^PASSED for paper\.$/m);
    expect(stdout).toMatch(/^Dry run: nothing was moved\.$/m);
    expect(aliases()).toEqual({});
    expect(linesOf('attempts.jsonl')).toEqual(before);
  });

  it('passes statistics over for a reason, which stays for ever; the bundle is one', () => {
    const first = run(
      'promote',
      'gated',
      '--to',
      'paper',
      '--gates',
      strict(),
      '--force',
      'plumbing only',
      '--reason',
      'try',
      '--json',
    );
    expect(first).toMatchObject({ code: 0 });
    const { report, change, sha256 } = JSON.parse(first.stdout);
    expect(report).toMatchObject({ passed: true, force_reason: 'plumbing only' });
    expect(change).toMatchObject({ alias: 'paper', to: sha256, forced: true, reason: 'try', account: null });
    expect(linesOf('history.jsonl')).toMatchObject([{ forced: true, evidence: { force_reason: 'plumbing only' } }]);
    // promoted again, by gates that it passes: the same bundle, and nothing to force
    const again = run('promote', 'gated', '--to', 'challenger', '--force', 'just in case', '--json');
    expect(again).toMatchObject({ code: 0 });
    expect(JSON.parse(again.stdout)).toMatchObject({
      sha256,
      report: { force_reason: null },
      change: { forced: false },
    });
  });

  it('forces no integrity', () => {
    const { stdout } = run('evaluate', 'hasty', '--json');
    const file = path.join(JSON.parse(stdout).run, 'evaluation', 'test', 'metrics.json');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/"totalReturn": -?/, '"totalReturn": 1'));
    const refused = run('promote', 'hasty', '--to', 'challenger', '--force', 'never mind');
    expect(refused.code).toBe(3);
    expect(refused.stdout).toMatch(/^ {2}Recorded evaluation repeats +different +to the bit +FAIL$/m);
    expect(refused.stdout).toMatch(/Nothing passes this over\.$/m);
    writeFileSync(file, text);
  });

  it('asks for live in full, for an account, and forces nothing there', () => {
    expect(run('promote', 'paper', '--to', 'live')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('USAGE --confirm'),
    });
    expect(run('promote', 'paper', '--to', 'live', '--confirm', 'U1234567', '--force', 'now')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('nothing is passed over for live'),
    });
    expect(run('promote', 'gated', '--to', 'paper', '--force', ' ')).toMatchObject({ code: 2 });
    const refused = run('promote', 'paper', '--to', 'live', '--confirm', 'U1234567');
    expect(refused.code).toBe(3);
    expect(refused.stdout).toMatch(/^ {2}Market days on paper +not measured +at least 20 +MISSING$/m);
    expect(refused.stdout).toMatch(/^- Market days on paper and 5 more: /m);
    expect(aliases()).not.toHaveProperty('live');
  });

  it('is satisfied by the walk-forward that it names, and compares what else was walked', () => {
    const gates = gatesFile(
      'walked.yaml',
      'paper:\n  replay: { updates: 1 }\n  trades: null\n  collapse: null\n  walk_forward: { seeds_at_least: 2, sharpe_at_least: -99, sharpe_low_at_least: -99 }\n  pbo: { at_most: 1, chunks: 4 }\n',
    );
    const ask = (): Answer => run('promote', 'hasty', '--to', 'paper', '--gates', gates, '--dry-run', '--json');
    const before = ask();
    expect(before.code).toBe(3);
    const command = /`openbell (walk-forward) (\S+) (--seeds) (\d)`/.exec(outcomeIn(before.stdout, 'walk_forward').why);
    if (command === null) throw new Error('no command');
    const walk = [...command.slice(1), '--no-report'];
    expect(run(...walk)).toMatchObject({ code: 0 });
    const after = ask();
    expect(outcomeIn(after.stdout, 'walk_forward')).toMatchObject({ verdict: 'pass', evidence: { seeds: [1, 2] } });
    // the other experiment was tried on these bars before, and was not walked forward
    expect(after.code).toBe(3);
    expect(outcomeIn(after.stdout, 'pbo')).toMatchObject({ verdict: 'missing' });
    expect(run(...walk, 'name=hastier', 'agent.gamma=0.5')).toMatchObject({ code: 0 });
    const both = ask();
    expect(both.code).toBe(0);
    expect(outcomeIn(both.stdout, 'pbo').why).toContain('the best of 2 configurations');
    expect(outcomeIn(both.stdout, 'pbo').measured).toMatch(/%$/);
  }, 240_000);
});
