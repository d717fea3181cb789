/** OpenBell and its peers on tape-env, taking turns: steps a second of every candidate, and the ratio of the best. */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { TRAINING_CASES, trainingCase, type TrainingCase, type TrainingSample } from '../cases.js';
import { Child, openbellChild } from '../child.js';
import { MOST_THREADS } from '../engines.js';
import { percent, ROOT, type Section, whole } from '../report.js';
import { median } from '../sampling.js';
import { SPEED_TARGETS, type Verdict } from '../targets.js';
import { BestProduct, updateShare, updateVerdicts } from '../training.js';
import type { PeerName } from './python.js';
import { makeTape, PEER_SEED, writeTape } from './tape-env.js';

/** An interpreter, and the peers that it has. */
export interface PeerPython {
  readonly python: string;
  readonly peers: readonly PeerName[];
}

interface Options {
  readonly pythons: readonly PeerPython[];
  readonly rounds: number;
  /** Of one stretch. */
  readonly seconds: number;
  readonly quick: boolean;
}

type Side = 'OpenBell' | 'stable-baselines3' | 'sbx';

interface Candidate {
  readonly side: Side;
  readonly threads: number;
  /** What carries the arithmetic: torch or JAX with its version; empty for OpenBell. */
  readonly engine: string;
  /** The peers' environments: one by one in Gymnasium, or all at once in numpy. */
  readonly kind: 'gymnasium' | 'numpy' | 'native';
  readonly start: () => Child;
}

export interface Rate extends Omit<Candidate, 'start'> {
  readonly key: string;
  readonly title: string;
  /** Environment steps a second, one a round. */
  readonly stepsPerSecond: readonly number[];
  readonly samples: readonly PeerSample[];
}

/** The peers answer with steps and seconds only. */
type PeerSample = Pick<TrainingSample, 'steps' | 'seconds'> & Partial<TrainingSample>;

const PEER_SCRIPT = path.join(ROOT, 'bench', 'peers', 'peer.py');
const TRACE_STEPS = 700;

export interface Comparison {
  /** Of each interpreter's packages. */
  readonly versions: readonly Versions[];
  readonly rates: readonly Rate[];
  readonly sections: readonly Section[];
}

type Versions = Readonly<Record<string, string>>;

/** Throws where the two sides' environments differ in a bit. */
export async function comparePeers(options: Options): Promise<Comparison> {
  const folder = mkdtempSync(path.join(tmpdir(), 'openbell-peers-'));
  const tape = path.join(folder, 'tape.bin');
  try {
    writeTape(tape, makeTape());
    const versions: Versions[] = [];
    for (const each of options.pythons) versions.push(await agree(each, tape));
    const rates: Rate[] = [];
    const shares: [title: string, share: number][] = [];
    for (const { key } of TRAINING_CASES) {
      const which = trainingCase(key, options.quick);
      const measured = await measureCase(which, tape, options, versions);
      rates.push(...measured.rates);
      // a run takes minutes: what is known stands there, whatever becomes of the rest
      for (const { side, engine, kind, threads, stepsPerSecond } of measured.rates) {
        const rate = whole(median(stepsPerSecond));
        process.stderr.write(`  ${side} ${engine}, ${kind}, ${threads} thread(s): ${rate} steps/s\n`);
      }
      shares.push([which.title, measured.updateShare]);
    }
    return { versions, rates, sections: [ratioSection(rates), candidateSection(rates), shareSection(shares)] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a machine may have set for its other users, and what would slow a peer's arithmetic down. */
const UNTUNED = {
  OPENBLAS_CORETYPE: undefined,
  OPENBLAS_L2_SIZE: undefined,
  OPENBLAS_NUM_THREADS: undefined,
  MKL_NUM_THREADS: undefined,
  MKL_ENABLE_INSTRUCTIONS: undefined,
  ONEDNN_MAX_CPU_ISA: undefined,
  ATEN_CPU_CAPABILITY: undefined,
  OMP_WAIT_POLICY: undefined,
};

const peerChild = (python: string, peer: PeerName, threads: number): Child =>
  new Child(python, ['-u', PEER_SCRIPT, peer], {
    ...UNTUNED,
    OMP_NUM_THREADS: String(threads),
    // JAX takes every core otherwise
    XLA_FLAGS: threads === 1 ? '--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1' : '',
  });

/** Plays the same actions on both sides; returns the versions of the peers. */
async function agree({ python, peers }: PeerPython, tape: string): Promise<Versions> {
  const openbell = openbellChild();
  const children = peers.map((peer) => peerChild(python, peer, 1));
  try {
    const versions: Record<string, string> = {};
    for (const child of children) Object.assign(versions, await child.ask<Record<string, string>>({ do: 'versions' }));
    for (const nEnvs of [1, 8, 64]) {
      const trace = { do: 'trace', nEnvs, tape, steps: TRACE_STEPS, seed: PEER_SEED };
      const { digest } = await openbell.ask<{ digest: string }>(trace);
      for (const kind of ['gymnasium', 'numpy']) {
        const theirs = await children[0].ask<{ digest: string }>({ ...trace, kind });
        if (theirs.digest !== digest)
          throw new Error(`tape_env.py (${kind}, ${nEnvs} environments) is not tape-env.ts: they differ while playing`);
      }
    }
    return versions;
  } finally {
    for (const child of [openbell, ...children]) child.close();
  }
}

async function measureCase(
  which: TrainingCase,
  tape: string,
  { pythons, rounds, seconds, quick }: Options,
  versions: readonly Versions[],
): Promise<{ rates: Rate[]; updateShare: number }> {
  const cores = Math.min(2, availableParallelism());
  const counts = Array.from({ length: cores }, (_, k) => k + 1);
  // all at once in numpy does strictly less in Python; with few environments it is not always the faster
  const kinds =
    which.nEnvs === 1
      ? (['gymnasium'] as const)
      : which.nEnvs < 16
        ? (['gymnasium', 'numpy'] as const)
        : (['numpy'] as const);
  const candidates: Candidate[] = [
    ...counts
      .filter((threads) => threads <= MOST_THREADS)
      .map((threads) => ({
        side: 'OpenBell' as const,
        threads,
        engine: '',
        kind: 'native' as const,
        start: openbellChild,
      })),
    ...pythons.flatMap(({ python, peers }, k) =>
      peers.flatMap((peer) =>
        counts.flatMap((threads) =>
          kinds.map((kind) => ({
            side: peer === 'sb3' ? ('stable-baselines3' as const) : ('sbx' as const),
            threads,
            engine: peer === 'sb3' ? `torch ${versions[k]['torch']}` : `jax ${versions[k]['jax']}`,
            kind,
            start: () => peerChild(python, peer, threads),
          })),
        ),
      ),
    ),
  ];
  const children = candidates.map(({ start }) => start());
  const kernels = openbellChild();
  try {
    const product = await BestProduct.find(kernels);
    const updates: number[] = [];
    for (const [k, { threads, kind, engine }] of candidates.entries()) {
      process.stderr.write(`${which.title}: ${candidates[k].side} ${engine}, ${kind}, ${threads} thread(s)\n`);
      const common = { do: 'training', threads, seconds, tape };
      const request =
        kind === 'native'
          ? { ...common, world: 'tape', key: which.key, quick }
          : { ...common, kind, nEnvs: which.nEnvs, config: which.config, seed: PEER_SEED };
      updates.push((await children[k].ask<{ updates: number }>(request)).updates);
    }
    const samples: PeerSample[][] = candidates.map(() => []);
    const best: number[] = [];
    for (let round = 0; round < rounds; round++) {
      // beside the first candidate, which is OpenBell on one thread
      best.push(await product.gflops(seconds));
      for (const [k, child] of children.entries()) {
        samples[k].push(await child.ask<PeerSample>({ do: 'train', updates: updates[k] }));
      }
    }
    const rates = candidates.map(({ side, threads, kind, engine }, k) => ({
      key: which.key,
      title: which.title,
      side,
      threads,
      kind,
      engine,
      stepsPerSecond: samples[k].map((sample) => sample.steps / sample.seconds),
      samples: samples[k],
    }));
    return { rates, updateShare: updateShare(samples[0], best) };
  } finally {
    for (const child of [...children, kernels]) child.close();
  }
}

/** The candidate of a side with the greatest median, on so many threads or on any number. */
function bestOf(rates: readonly Rate[], key: string, side: Side, threads: number | 'best'): Rate | null {
  const fits = rates.filter((rate) => rate.key === key && rate.side === side);
  const allowed = threads === 'best' ? fits : fits.filter((rate) => rate.threads === threads);
  const fastest = (a: Rate, b: Rate): Rate => (median(b.stepsPerSecond) > median(a.stepsPerSecond) ? b : a);
  return allowed.length === 0 ? null : allowed.reduce(fastest);
}

/** Median over the rounds of the ratio inside a round: both sides had the same machine then. */
const ratioOf = (ours: Rate, theirs: Rate): number =>
  median(ours.stepsPerSecond.map((steps, round) => steps / theirs.stepsPerSecond[round]));

const ratioText = (ratio: number): string => `${ratio.toFixed(ratio < 10 ? 2 : 1)}x`;

function ratioSection(rates: readonly Rate[]): Section {
  const peers = (['stable-baselines3', 'sbx'] as const).filter((side) => rates.some((rate) => rate.side === side));
  const cell = (rate: Rate | null): string =>
    rate === null ? '' : `${whole(median(rate.stepsPerSecond))} (${rate.threads})`;
  const rows = TRAINING_CASES.map(({ key, title }) => {
    const ours = bestOf(rates, key, 'OpenBell', 'best');
    const against = peers.flatMap((side) => {
      const theirs = bestOf(rates, key, side, 'best');
      return [cell(theirs), ours === null || theirs === null ? '' : ratioText(ratioOf(ours, theirs))];
    });
    return [title, cell(ours), ...against];
  });
  return {
    name: 'peers',
    title: 'Training, environment steps a second (threads)',
    columns: ['training', 'OpenBell', ...peers.flatMap((side) => [side, 'ratio'])],
    rows,
    notes: [
      'Each side with its best number of threads, and the peers with the fastest of their versions and environments (one by one in Gymnasium, all at once in numpy). A ratio is the median over the rounds.',
      honesty(rates, peers),
    ],
    verdicts: SPEED_TARGETS.map(({ key, threads, ratio }) => speedVerdict(rates, key, threads, ratio)),
    samples: rates,
  };
}

/** Where a peer wins, in words. */
function honesty(rates: readonly Rate[], peers: readonly Side[]): string {
  const wins = TRAINING_CASES.flatMap(({ key, title }) =>
    peers.flatMap((side) => {
      const ours = bestOf(rates, key, 'OpenBell', 'best');
      const theirs = bestOf(rates, key, side, 'best');
      return ours !== null && theirs !== null && ratioOf(ours, theirs) < 1 ? [`${side} at ${title}`] : [];
    }),
  );
  return wins.length === 0 ? 'No peer is faster in any of these.' : `A peer is faster: ${wins.join('; ')}.`;
}

function speedVerdict(rates: readonly Rate[], key: string, threads: 1 | 2 | 'best', target: number): Verdict {
  const ours = bestOf(rates, key, 'OpenBell', threads);
  const theirs = bestOf(rates, key, 'stable-baselines3', 'best');
  const title = TRAINING_CASES.find((which) => which.key === key)?.title ?? key;
  const on = threads === 'best' ? 'best threads' : threads === 1 ? 'one thread' : 'two threads';
  const verdict = { what: `against stable-baselines3, ${title}, ${on}`, unit: 'x', target, sense: 'at least' } as const;
  return ours === null || theirs === null
    ? { ...verdict, measured: null, why: `no training on ${on} here` }
    : { ...verdict, measured: ratioOf(ours, theirs) };
}

function candidateSection(rates: readonly Rate[]): Section {
  return {
    name: 'candidates',
    title: 'All that was tried',
    columns: ['training', 'side', 'engine', 'environment', 'threads', 'steps/s', 'slowest', 'fastest'],
    rows: rates.map(({ title, side, engine, kind, threads, stepsPerSecond }) => [
      title,
      side,
      engine,
      kind,
      String(threads),
      whole(median(stepsPerSecond)),
      whole(Math.min(...stepsPerSecond)),
      whole(Math.max(...stepsPerSecond)),
    ]),
    notes: [],
    verdicts: [],
    samples: null,
  };
}

function shareSection(shares: readonly (readonly [title: string, share: number])[]): Section {
  return {
    name: 'update',
    title: 'Update phase on one thread',
    columns: ['training', 'share of the best matrix product'],
    rows: shares.map(([title, share]) => [title, percent(share)]),
    notes: [
      'Floating-point operations that the networks need, without a gradient of the input of the first layer, over the whole time of the epochs: activations, losses, norms and Adam count as nothing but time. The best product of the kernels is measured in the same rounds.',
    ],
    verdicts: updateVerdicts(shares),
    samples: shares,
  };
}
