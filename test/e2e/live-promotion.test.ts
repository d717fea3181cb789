/**
 * All the way to `live` by the real command line, on a market where an edge exists: trained, walked forward, on paper,
 * through every gate, back again; and money of another account that does not follow.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDataset } from '#src/data/load.js';
import { startGateway } from '#src/gateway/start-gateway.js';
import type { GateReport } from '#src/registry/gates.js';
import type { AliasChange } from '#src/registry/history.js';
import { openbell, root, startOpenbell, type Answer } from './openbell.js';

const OURS = `U1${process.pid}`;
const OTHERS = `U2${process.pid}`;

/** Returns to its middle; twice the shocks of datasets/synthetic-reverting.yaml, so that few steps find the edge. */
const MARKET = `name: edge
title: SYNTHETIC, returns to its middle
source: OpenBell's generator
licence: MIT
synthetic: { seed: 5, from: 2020-01-02, sessions: 24, reverting: { mean_reversion: 0.05, shock: 0.002 } }
interval: 1m
calendar: XNYS
instrument: { symbol: OU, type: STK }
adjustments: { prices: none }
`;
const EXPERIMENT = (folder: string): string => `extends: ${path.join(root, 'experiments', 'synthetic-reverting.yaml')}
name: edge
data: { datasets: ['${path.join(folder, 'edge.yaml')}'], train: { to: 2020-01-22 }, test: { from: 2020-01-22, to: 2020-01-29 } }
agent: { n_steps: 128, learning_rate: 1e-3, net_arch: { pi: [16], vf: [16] } }
training: { total_timesteps: 24576, evaluate_every: 24576 }
walk_forward: { scheme: rolling, train: 3900, test: 5000, purge: 5 }
`;
/** What ships, for a small market: two seeds and two days. */
const GATES = `extends: ${path.join(root, 'experiments', 'synthetic-reverting-gates.yaml')}
live:
  beats_incumbent: null
  walk_forward: { seeds_at_least: 2 }
  walk_forward_hold: { seeds_at_least: 2 }
  stress_noise: { draws: 5 }
  paper_days: { at_least: 2 }
`;
/** For a second policy, only there to be gone back from: five days deflate its Sharpe ratio, since it is a second trial. */
const LENIENT = `extends: gates.yaml
paper: { replay: { updates: 1 } }
live: { replay: { updates: 1 }, deflated_sharpe: null }
`;

let folder: string;
let runsDir: string;
let extra: Record<string, string>;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'openbell-edge-'));
  runsDir = path.join(folder, 'runs');
  mkdirSync(runsDir);
  writeFileSync(path.join(folder, 'edge.yaml'), MARKET);
  writeFileSync(path.join(folder, 'experiment.yaml'), EXPERIMENT(folder));
  writeFileSync(path.join(folder, 'gates.yaml'), GATES);
  writeFileSync(path.join(folder, 'lenient.yaml'), LENIENT);
  extra = {
    OPENBELL_REGISTRY_DIR: path.join(folder, 'registry'),
    OPENBELL_TRADING_DIR: path.join(folder, 'trading'),
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]): Answer => openbell(args, runsDir, extra);
const promote = (gates: string, ...args: string[]): Answer =>
  run('promote', ...args, '--gates', path.join(folder, gates), '--json');
const toLive = (gates: string): Answer => promote(gates, 'paper', '--to', 'live', `--confirm=${OURS}`);

function done(answer: Answer): Answer {
  if (answer.code !== 0) throw new Error(`exit ${answer.code}\n${answer.stdout}\n${answer.stderr}`);
  return answer;
}

interface Promoted {
  readonly report: GateReport;
  readonly change: AliasChange | null;
  readonly sha256: string;
}
const promoted = ({ stdout }: Answer): Promoted => JSON.parse(stdout);
const refusing = ({ report }: Promoted): string[] =>
  report.outcomes.filter(({ verdict, advisory }) => verdict !== 'pass' && !advisory).map(({ gate }) => gate);

function changesOfLive(): AliasChange[] {
  const lines = readFileSync(path.join(folder, 'registry', 'history.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line): AliasChange => JSON.parse(line)).filter(({ alias }) => alias === 'live');
}
const whereLiveStands = (): string => JSON.parse(done(run('registry', 'show', 'live', '--json')).stdout).sha256;

/** On paper, two days of those that the first policy's training and evaluation do not touch. */
const onPaper = (): void => void done(run('paper', '--from', '2020-01-29', '--to', '2020-01-31'));

describe('a promotion to live', () => {
  let first: Promoted;

  it('passes every gate where there is an edge, once it was on paper; the account is kept', () => {
    const experiment = path.join(folder, 'experiment.yaml');
    done(run('train', experiment, '--evaluate'));
    done(run('walk-forward', experiment, '--seeds', '2', '--no-report'));
    done(promote('gates.yaml', 'edge', '--to', 'paper'));
    const early = toLive('gates.yaml');
    expect(early.code).toBe(3);
    expect(refusing(promoted(early))).toEqual([
      'paper_days',
      'paper_agreement',
      'paper_fills',
      'paper_slippage',
      'paper_commissions',
      'paper_ledger',
    ]);
    onPaper();
    first = promoted(done(toLive('gates.yaml')));
    expect(refusing(first)).toEqual([]);
    expect(first.report).toMatchObject({ to: 'live', passed: true, force_reason: null });
    expect(first.report.outcomes.filter(({ kind }) => kind === 'paper')).toHaveLength(6);
    expect(first.change).toMatchObject({ alias: 'live', from: null, to: first.sha256, account: OURS, forced: false });
    expect(changesOfLive()).toMatchObject([{ to: first.sha256, account: OURS, evidence: { passed: true } }]);
    expect(whereLiveStands()).toBe(first.sha256);
    const nothingBefore = run('rollback', 'live', '--reason', 'slippage', `--confirm=${OURS}`);
    expect(nothingBefore.code).toBe(1);
    expect(nothingBefore.stderr).toContain('there is nothing before it to go back to');
  }, 240_000);

  it('moves no money but of the account that it was confirmed for', async () => {
    const bars = [await loadDataset(path.join(folder, 'edge.yaml'))];
    const gateway = await startGateway({ bars, port: 0, controlPort: null, speed: 60, account: OTHERS });
    try {
      const started = startOpenbell(['live', `--confirm=${OTHERS}`, '--simulated'], runsDir, {
        ...extra,
        IB_HOST: '127.0.0.1',
        IB_PORT: String(gateway.port),
      });
      const { code, stderr } = await started.ended;
      expect(code).toBe(1);
      expect(stderr).toMatch(
        new RegExp(`^LIVE_PREFLIGHT ${OTHERS} "promotion": live was confirmed for ${OURS}, not for ${OTHERS}: `, 'm'),
      );
      expect(gateway.control.truth().orders).toEqual([]);
    } finally {
      await gateway.close();
    }
  }, 60_000);

  it('is gone back from, for the same account and no other', () => {
    done(run('train', path.join(folder, 'experiment.yaml'), 'seed=2', '--evaluate'));
    done(promote('lenient.yaml', 'edge', '--to', 'paper'));
    onPaper();
    const second = promoted(done(toLive('lenient.yaml')));
    expect(second.sha256).not.toBe(first.sha256);
    expect(second.change).toMatchObject({ from: first.sha256, to: second.sha256, account: OURS });
    const back = (...confirm: string[]): Answer => run('rollback', 'live', '--reason', 'slippage', ...confirm);
    for (const confirm of [[], [`--confirm=${OTHERS}`]]) {
      expect(back(...confirm).code).not.toBe(0);
      expect(whereLiveStands()).toBe(second.sha256);
    }
    done(back(`--confirm=${OURS}`));
    expect(whereLiveStands()).toBe(first.sha256);
    expect(changesOfLive().at(-1)).toMatchObject({
      action: 'rollback',
      from: second.sha256,
      to: first.sha256,
      account: OURS,
      reason: 'slippage',
    });
  }, 240_000);
});
