/** Every gate on real runs: one that has found an edge which is there, and one that never learned. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBundle, encodeBundle, type Bundle, type BundleContents } from '#src/registry/bundle.js';
import type { GateOutcome, GateReport } from '#src/registry/gates.js';
import { bundleOfRun } from '../bundle-run.js';
import { evaluateRun } from '../evaluate.js';
import { train } from '../train.js';
import { writeRows } from '../walk-forward/walk-forward.fixture.js';
import { loadGates, type GatesDefinition } from './definition.js';
import { cycleRows, gatedExperiment } from './gates.fixture.js';
import { forced, judgeRun, type JudgeRunOptions } from './judge.js';

let place = '';
let runsDir = '';
let learned = '';
let idle = '';
let report: GateReport;
const gates = loadGates();

beforeAll(async () => {
  place = mkdtempSync(path.join(tmpdir(), 'openbell-judge-'));
  runsDir = path.join(place, 'runs');
  writeRows(place, cycleRows(1300));
  learned = (await train({ config: gatedExperiment(place), runsDir })).directory;
  await evaluateRun({ directory: learned, report: false, randomPaths: 20 });
  // so dear that it learns to stay away
  const dear = gatedExperiment(place, '').env;
  if (dear.id !== 'market') throw new Error('no market');
  const config = { ...gatedExperiment(place), env: { ...dear, costs: { ...dear.costs, percent_bps: 3000 } } };
  idle = (await train({ config, runsDir })).directory;
  ({ report } = await judge());
}, 60_000);
afterAll(() => rmSync(place, { recursive: true, force: true }));

const judge = (more: Partial<JudgeRunOptions> = {}): ReturnType<typeof judgeRun> =>
  judgeRun({ definition: gates, to: 'live', directory: learned, runsDir, incumbent: null, ...more });

function outcomeIn({ outcomes }: GateReport, gate: string): GateOutcome {
  const found = outcomes.find((own) => own.gate === gate);
  if (found === undefined) throw new Error(`no gate ${gate} among ${outcomes.map((own) => own.gate).join(', ')}`);
  return found;
}

/** A copy of the learned run, to be tampered with. */
function copied(name: string): string {
  const target = path.join(place, name, 'gated', path.basename(learned));
  cpSync(learned, target, { recursive: true });
  return target;
}

const quick: GatesDefinition = { ...gates, paper: { ...gates.paper, replay: { updates: 1 } } };
const judgeQuickly = (directory: string, more: Partial<JudgeRunOptions> = {}): ReturnType<typeof judgeRun> =>
  judge({ directory, definition: quick, to: 'paper', ...more });

describe('a run that found the edge', () => {
  it.each(['run', 'data', 'replay', 'audit', 'evaluation', 'bundle'])('passes the integrity gate %s', (gate) => {
    expect(outcomeIn(report, gate)).toMatchObject({ kind: 'integrity', verdict: 'pass', advisory: false });
  });

  it.each([
    'trades',
    'collapse',
    'max_drawdown',
    'turnover',
    'beats_flat',
    'beats_hold',
    'beats_incumbent',
    'stress_costs',
    'stress_noise',
    'stress_delay',
    'deflated_sharpe',
    'pbo',
  ])('passes the statistical gate %s', (gate) => {
    expect(outcomeIn(report, gate)).toMatchObject({ kind: 'statistics', verdict: 'pass' });
  });

  it('lacks what it does not have, and says which command yields it', () => {
    expect(report.passed).toBe(false);
    const walk = outcomeIn(report, 'walk_forward');
    expect(walk).toMatchObject({ verdict: 'missing', measured: null });
    expect(walk.why).toMatch(
      /`openbell walk-forward .*config\.yaml walk_forward='\{ scheme: rolling, .*\}' --seeds 5`/,
    );
    for (const gate of [
      'paper_days',
      'paper_agreement',
      'paper_fills',
      'paper_slippage',
      'paper_commissions',
      'paper_ledger',
    ])
      expect(outcomeIn(report, gate)).toMatchObject({ kind: 'paper', verdict: 'missing' });
  });

  it('is a report of plain JSON', () => {
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it('is judged the same to the bit when it is judged again', async () => {
    const again = await judge();
    expect({ ...again.report, judged_at: '' }).toEqual({ ...report, judged_at: '' });
  });

  it('fails every gate whose threshold lies beyond it', async () => {
    const definition: GatesDefinition = {
      ...gates,
      challenger: {
        ...gates.challenger,
        replay: { updates: 1 },
        trades: { at_least: 1000 },
        collapse: { share_at_most: 0.2, hold_share_at_most: 0.2 },
        max_drawdown: { at_most: 0 },
        turnover: { at_most: 1 },
        stress_costs: { factor: 500, return_at_least: 0 },
        stress_noise: { fill_price_bps: 2000, observation: 0, cost: 0, price_bps: 0, draws: 5, return_at_least: 1000 },
        stress_delay: { return_at_least: 1000 },
      },
    };
    const { report: strict } = await judge({ definition, to: 'challenger' });
    const failed = strict.outcomes.filter(({ verdict, advisory }) => verdict === 'fail' && !advisory);
    expect(failed.map(({ gate }) => gate)).toEqual([
      'trades',
      'collapse',
      'max_drawdown',
      'turnover',
      'stress_costs',
      'stress_noise',
      'stress_delay',
    ]);
    // statistics can be passed over, and it is written down
    const over = forced(strict, 'to see it trade');
    expect(over).toMatchObject({ passed: true, force_reason: 'to see it trade' });
    expect(over.outcomes.filter((own) => own.forced)).toHaveLength(failed.length);
    expect(outcomeIn(over, 'trades').verdict).toBe('fail');
  });
});

describe('a run that stays away', () => {
  it('fails for want of trades, for one action alone, and beats nothing', async () => {
    const { report: refused } = await judge({
      directory: idle,
      definition: { ...gates, live: { ...gates.live, replay: { updates: 1 } } },
    });
    expect(outcomeIn(refused, 'trades')).toMatchObject({ verdict: 'fail', measured: '0' });
    expect(outcomeIn(refused, 'collapse').verdict).toBe('fail');
    expect(outcomeIn(refused, 'beats_flat')).toMatchObject({ verdict: 'fail', measured: '50.0%' });
    expect(outcomeIn(refused, 'deflated_sharpe')).toMatchObject({ verdict: 'missing' });
  });
});

describe('trials', () => {
  it('counts earlier attempts on the same bars against the Sharpe ratio', async () => {
    const { report: after } = await judgeQuickly(learned, { earlierAttempts: { policies: 9, experiments: 2 } });
    const { evidence, why } = outcomeIn(after, 'deflated_sharpe');
    expect(evidence).toMatchObject({ trials: 10, deflated: { trials: 10, assumed: true } });
    expect(why).toContain('the best of 10 trials');
    // something was chosen from, and nothing of it was walked forward
    expect(outcomeIn(after, 'pbo')).toMatchObject({ verdict: 'missing', advisory: true });
  });
});

describe('the incumbent', () => {
  const bundleOf = async (directory: string): Promise<Bundle> =>
    decodeBundle(encodeBundle(await bundleOfRun({ directory })), 'incumbent');

  /** One that has hardly learned, from bars until then. */
  const trainedTo = async (to: string | null): Promise<Bundle> => {
    const config = gatedExperiment(place);
    if (config.data === null) throw new Error('no data');
    const data = { ...config.data, train: { from: null, to }, validation: null, test: null };
    const training = { ...config.training, total_timesteps: 512 };
    const run = await train({
      config: { ...config, name: 'hardly', data, training },
      runsDir: path.join(place, 'hardly'),
    });
    return bundleOf(run.directory);
  };

  it('is beaten on bars that neither has seen', async () => {
    const { report: found } = await judgeQuickly(learned, {
      to: 'challenger',
      definition: { ...gates, challenger: { ...gates.challenger, replay: { updates: 1 } } },
      incumbent: { name: 'paper', bundle: await trainedTo('2017-01-01') },
    });
    expect(outcomeIn(found, 'beats_incumbent')).toMatchObject({
      verdict: 'pass',
      advisory: false,
      measured: 'over 99.9%',
      evidence: { seenByIncumbent: 0 },
    });
  });

  it('is not beaten by one that is worse, though trading be so dear in that one’s market that both lose', async () => {
    const { report: found } = await judgeQuickly(idle, {
      incumbent: { name: 'paper', bundle: await bundleOf(learned) },
    });
    const outcome = outcomeIn(found, 'beats_incumbent');
    expect(outcome).toMatchObject({ verdict: 'fail', measured: 'under 0.1%' });
    expect(outcome.why).toContain('at the costs that it was trained with');
  });

  it('is itself no rival', async () => {
    const { report: found } = await judgeQuickly(learned, {
      incumbent: { name: 'paper', bundle: await bundleOf(learned) },
    });
    expect(outcomeIn(found, 'beats_incumbent')).toMatchObject({ verdict: 'pass', measured: 'not applicable' });
  });

  it('is judged only on the bars that it was not trained on, and not at all where it knows all of them', async () => {
    const some = await judgeQuickly(learned, { incumbent: { name: 'paper', bundle: await trainedTo('2019-01-01') } });
    const { evidence, why } = outcomeIn(some.report, 'beats_incumbent');
    expect(evidence).toMatchObject({ bars: 388, seenByIncumbent: 131 });
    expect(why).toContain('131 of 388 bars do not count');
    const all = await judgeQuickly(learned, { incumbent: { name: 'paper', bundle: await trainedTo(null) } });
    expect(outcomeIn(all.report, 'beats_incumbent')).toMatchObject({ verdict: 'missing', measured: null });
  });
});

describe('a bundle that lies there already', () => {
  const bundleWith = async (change: (contents: BundleContents) => BundleContents): Promise<Bundle> =>
    decodeBundle(encodeBundle(change(await bundleOfRun({ directory: learned }))), 'stored');
  const bundleGate = async (stored: Bundle): Promise<GateOutcome> =>
    outcomeIn((await judgeQuickly(learned, { findBundle: () => stored })).report, 'bundle');

  it('passes where it is what the run makes, whenever that was', async () => {
    const stored = await bundleWith(({ manifest, ...rest }) => ({
      ...rest,
      manifest: { ...manifest, created_at: '2020-01-01T00:00:00.000Z' },
    }));
    expect(await bundleGate(stored)).toMatchObject({ verdict: 'pass' });
  });

  it.each<[string, (manifest: BundleContents['manifest']) => object]>([
    ['instruments[0].symbol', ({ instruments }) => ({ instruments: [{ ...instruments[0], symbol: 'OTHER' }] })],
    ['market.initial_equity', ({ market }) => ({ market: { ...market, initial_equity: 12345 } })],
    [
      'provenance.config_yaml',
      ({ provenance }) => ({ provenance: { ...provenance, config_yaml: `${provenance.config_yaml}\n` } }),
    ],
    [
      'evaluation.agent.sharpe',
      ({ evaluation }) => ({
        evaluation: evaluation === null ? null : { ...evaluation, agent: { ...evaluation.agent, sharpe: 9 } },
      }),
    ],
  ])('is refused with another %s', async (key, change) => {
    const stored = await bundleWith(({ manifest, ...rest }) => ({
      ...rest,
      manifest: { ...manifest, ...change(manifest) },
    }));
    const outcome = await bundleGate(stored);
    expect(outcome).toMatchObject({ verdict: 'fail', measured: 'different' });
    expect(outcome.why).toContain(`manifest.${key}`);
  });
});

describe('what was tampered with', () => {
  const refusedBy = async (directory: string): Promise<string[]> => {
    const { report: found } = await judgeQuickly(directory);
    expect(found.passed).toBe(false);
    expect(forced(found, 'never mind').passed).toBe(false);
    return found.outcomes
      .filter(({ kind, verdict }) => kind === 'integrity' && verdict !== 'pass')
      .map(({ gate }) => gate);
  };
  const edit = (run: string, name: string, change: (text: string) => string): void => {
    const before = readFileSync(path.join(run, name), 'utf8');
    const after = change(before);
    expect(after).not.toBe(before);
    writeFileSync(path.join(run, name), after);
  };

  it('refuses a checkpoint with one flipped bit', async () => {
    const run = copied('flipped');
    const file = path.join(run, 'checkpoints', 'best.safetensors');
    const bytes = readFileSync(file);
    bytes[bytes.length - 1000] ^= 1;
    rmSync(file);
    writeFileSync(file, bytes);
    expect(await refusedBy(run)).toEqual(['run']);
  });

  it('refuses another checkpoint in the place of the best', async () => {
    const run = copied('swapped');
    const best = path.join(run, 'checkpoints', 'best.safetensors');
    const other = path.join(idle, 'checkpoints', 'best.safetensors');
    expect(existsSync(other)).toBe(true);
    rmSync(best);
    cpSync(other, best);
    expect(await refusedBy(run)).toEqual(['run']);
  });

  it('refuses a better Sharpe ratio than it has', async () => {
    const run = copied('boasted');
    edit(run, 'evaluation/test/metrics.json', (text) => text.replace(/"sharpe": ([\d.]+)/, '"sharpe": 9$1'));
    expect(await refusedBy(run)).toEqual(['evaluation']);
  });

  it('refuses a fill that was never made', async () => {
    const run = copied('invented');
    edit(run, 'evaluation/test/fills.csv', (text) => text.replace(/\n[^\n]+\n$/, '\n'));
    expect(await refusedBy(run)).toEqual(['evaluation']);
  });

  it('refuses a training that did not go as recorded', async () => {
    const run = copied('rewritten');
    edit(run, 'fingerprints.jsonl', (text) =>
      text.replace(/"(\w{15})(\w)"/, (_, head: string, last: string) => `"${head}${last === '0' ? '1' : '0'}"`),
    );
    expect(await refusedBy(run)).toEqual(['replay']);
  });

  it('refuses another configuration than was trained', async () => {
    const run = copied('reconfigured');
    edit(run, 'config.yaml', (text) => text.replace(/percent_bps: 1\b/, 'percent_bps: 0'));
    expect(await refusedBy(run)).toEqual(['run']);
  });
});
