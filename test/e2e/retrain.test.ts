/** `openbell retrain` on a market with an edge: refused where there is nothing to gain, passed where there is. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openbell, root, startOpenbell, type Answer } from './openbell.js';

const FEW = 'synthetic-reverting[..2020-03-11]';
const ENOUGH = 'synthetic-reverting[..2020-04-01]';

let folder: string;
let gates: string;
let runsDir: string;
let extra: Record<string, string>;
const run = (...args: string[]): Answer => openbell(args, runsDir, extra);
const retrain = (...args: string[]): Answer =>
  run('retrain', 'paper', ...args, '--config', path.join(folder, 'retrain.yaml'));

/** `more` overrides the quick settings. */
function settings(more = 'seeds: 2'): void {
  const text = `extends: ${path.join(root, 'experiments', 'synthetic-reverting-retrain.yaml')}\ntimesteps: 14336\ngates: ${gates}\n${more}`;
  writeFileSync(path.join(folder, 'retrain.yaml'), text);
}

interface History {
  readonly alias: string;
  readonly to: string;
  readonly action: string;
  readonly evidence: { readonly passed: boolean };
}

function historyOf(): History[] {
  const lines = readFileSync(path.join(folder, 'registry', 'history.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line): History => JSON.parse(line));
}

const aliases = (): Record<string, string> => Object.fromEntries(historyOf().map(({ alias, to }) => [alias, to]));

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'openbell-retrain-'));
  runsDir = path.join(folder, 'runs');
  mkdirSync(runsDir);
  extra = { OPENBELL_REGISTRY_DIR: path.join(folder, 'registry') };
  gates = path.join(folder, 'gates.yaml');
  // what live would ask besides is measured elsewhere, and takes its time
  const shipped = path.join(root, 'experiments', 'synthetic-reverting-gates.yaml');
  const off = ['walk_forward', 'deflated_sharpe', 'pbo', 'stress_costs', 'stress_noise', 'stress_delay'];
  writeFileSync(gates, `extends: ${shipped}\nlive: { ${off.map((gate) => `${gate}: null`).join(', ')} }\n`);
  const experiment = path.join(root, 'experiments', 'synthetic-reverting.yaml');
  for (const args of [
    ['train', experiment, 'training.total_timesteps=8000'],
    ['promote', 'latest', '--to', 'paper', '--gates', gates],
  ]) {
    const { code, stderr } = run(...args);
    if (code !== 0) throw new Error(stderr);
  }
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('openbell retrain', () => {
  it('says what it would do, and does none of it', () => {
    settings();
    const { code, stdout } = retrain('--data', ENOUGH, '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toMatch(/learns from +\d+ new days, 2020-03-02T14:30Z to 2020-03-25T13:30Z/);
    expect(stdout).toMatch(/judged on +5 new days, 2020-03-25T13:30Z to 2020-03-31T20:00Z \(1,950 bars\)/);
    expect(readdirSync(runsDir).filter((name) => name.includes('retrain'))).toEqual([]);
  });

  it('is refused in plain words where too few days are new: nothing is trained', () => {
    settings();
    const { code, stdout, stderr } = retrain('--data', FEW);
    expect(code).toBe(3);
    expect(stdout).toBe('');
    expect(stderr).toMatch(
      /^GATE_REFUSED openbell retrain 7: there are 7 new days since 2020-03-02, .* 3 more are needed/,
    );
    expect(readdirSync(runsDir).filter((name) => name.includes('retrain'))).toEqual([]);
  });

  it('is refused where the challenger is no better, with a table that says why', () => {
    // so near to its incumbent that it can be no better
    settings('seeds: 1\nkl_limit: 1e-6\nhalvings: 0');
    const before = aliases();
    const { code, stdout, stderr } = retrain('--data', ENOUGH);
    expect(code).toBe(3);
    expect(stderr).toMatch(/GATE_REFUSED openbell retrain paper "challenger": .*retrain.beats_incumbent fails/);
    expect(stdout).toMatch(/Near its incumbent .* KL at most 0.000001 +pass/);
    expect(stdout).toMatch(/Better than it came from .* at least 95% +FAIL/);
    expect(stdout).toContain('Nothing was moved.');
    expect(aliases()).toEqual(before);
    expect(readdirSync(path.join(folder, 'registry', 'bundles'))).toHaveLength(1);
  }, 300_000);

  it('refuses to move live, and bars of another market', () => {
    settings('may_move: [live]');
    expect(retrain('--data', ENOUGH)).toMatchObject({ code: 2 });
    settings();
    expect(retrain('--data', 'synthetic-intraday').stderr).toMatch(
      /^USAGE --data .*holds SYN; the incumbent trades OU/,
    );
    expect(retrain()).toMatchObject({ code: 2 });
  });

  it('passes where there is an edge to learn, after an interruption too, and moves what it may', async () => {
    settings();
    const args = ['retrain', 'paper', '--data', ENOUGH, '--config', path.join(folder, 'retrain.yaml')];
    const incumbent = aliases()['paper'];
    const first = startOpenbell(args, runsDir, extra);
    await new Promise<void>((resolve, reject) => {
      let text = '';
      first.child.stderr?.on('data', (more: string) => {
        text += more;
        if (/seed 1: training in/.test(text)) resolve();
      });
      first.child.once('close', () => reject(new Error(text)));
    });
    first.child.kill('SIGINT');
    const interrupted = await first.ended;
    expect(interrupted.code).toBe(130);
    expect(interrupted.stderr).toMatch(/INTERRUPTED openbell retrain: nothing was judged and nothing moved/);

    const { code, stdout, stderr } = openbell([...args, '--json'], runsDir, extra);
    expect(stderr).not.toContain('GATE_REFUSED');
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ alias: 'paper', passed: true, incumbent: { sha256: incumbent } });
    expect(result.figures.seeds).toHaveLength(2);
    // the refused one was a chance to pass by luck too
    const [report] = result.reports;
    expect(report.outcomes).toContainEqual(
      expect.objectContaining({
        gate: 'retrain.beats_incumbent',
        threshold: 'at least 97.50%, at attempt 2',
        verdict: 'pass',
      }),
    );
    for (const { klToIncumbent: kl } of result.figures.seeds) expect(kl).toBeLessThanOrEqual(0.05);
    expect(result.figures.seeds[0].excess).toBeGreaterThan(0);
    expect(JSON.parse(readFileSync(path.join(result.run, 'retrain.json'), 'utf8'))).toEqual(result);

    expect(aliases()).toEqual({ paper: result.challenger, challenger: result.challenger });
    const moved = historyOf().filter(({ action }) => action === 'retrain');
    expect(moved.map(({ alias }) => alias)).toEqual(['challenger', 'paper']);
    expect(moved.every(({ evidence }) => evidence.passed)).toBe(true);
    const shown = JSON.parse(run('registry', 'show', 'paper', '--json').stdout);
    expect(shown).toMatchObject({ parent: incumbent, seeds: [1, 2] });
    expect(shown.instruments).toHaveLength(1);
    expect(run('replay', result.run).stdout).toContain('SAME to the bit');
    expect(existsSync(path.join(folder, 'registry', 'retraining', 'paper', 'claim-1.lock'))).toBe(false);
    // what it was judged on is all that is new now
    expect(retrain('--data', ENOUGH).stderr).toMatch(/^GATE_REFUSED openbell retrain 5: there are 5 new days/);
  }, 300_000);

  it('refuses an incumbent that has been altered', () => {
    const bundles = path.join(folder, 'registry', 'bundles');
    for (const name of readdirSync(bundles)) {
      const bytes = readFileSync(path.join(bundles, name));
      bytes[bytes.length - 1] ^= 1;
      writeFileSync(path.join(bundles, name), bytes);
    }
    expect(retrain('--data', ENOUGH)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^BUNDLE_CORRUPT/) });
  });
});
