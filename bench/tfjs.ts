/** What networks of one's own cost: the tfjs engine's backends beside the simd engine, on the same training. */
import { TRAINING_CASES, type TrainingSample } from './cases.js';
import { interleaveChildren, openbellChild } from './child.js';
import { EXAMPLE, type TfjsChoice } from './engines.js';
import { type Section, whole } from './report.js';
import { median } from './sampling.js';

const CANDIDATES: readonly { readonly name: string; readonly networks: string; readonly tfjs: TfjsChoice | null }[] = [
  { name: 'simd', networks: 'net_arch', tfjs: null },
  { name: 'tfjs, wasm', networks: 'net_arch', tfjs: { backend: 'wasm', experiment: null } },
  { name: 'tfjs, cpu', networks: 'net_arch', tfjs: { backend: 'cpu', experiment: null } },
  { name: 'tfjs, wasm', networks: 'layer-norm.ts', tfjs: { backend: 'wasm', experiment: EXAMPLE } },
  { name: 'tfjs, cpu', networks: 'layer-norm.ts', tfjs: { backend: 'cpu', experiment: EXAMPLE } },
];

/** Whole updates on MarketEnv, in turns. `rounds`: stretches of one update each. */
export async function tfjs({ rounds, quick }: { rounds: number; quick: boolean }): Promise<Section> {
  const which = TRAINING_CASES.find(({ key }) => key === 'envs8');
  if (which === undefined) throw new RangeError('there is no case envs8');
  const children = CANDIDATES.map(() => openbellChild());
  try {
    for (const [k, { tfjs: choice }] of CANDIDATES.entries())
      await children[k].ask({
        do: 'training',
        world: 'market',
        key: which.key,
        threads: 1,
        seconds: 0.001,
        quick,
        tfjs: choice,
      });
    const samples = await interleaveChildren<TrainingSample>(children, () => ({ do: 'train', updates: 1 }), rounds);
    const minibatches = (own: TrainingSample): number => own.updateRows / which.config.batch_size;
    const perMinibatch = (k: number): number =>
      median(samples[k].map((own) => (own.updateSeconds / minibatches(own)) * 1000));
    // a ratio is taken inside each round
    const slower = (k: number): number =>
      median(samples[k].map((own, round) => own.seconds / samples[0][round].seconds));
    return {
      name: 'tfjs',
      title: 'The tfjs engine beside the simd engine',
      columns: ['engine', 'networks', 'steps/s', 'ms a minibatch', 'times slower'],
      rows: CANDIDATES.map(({ name, networks }, k) => [
        name,
        networks,
        whole(median(samples[k].map(({ steps, seconds }) => steps / seconds))),
        perMinibatch(k).toPrecision(3),
        k === 0 ? '1' : whole(slower(k)),
      ]),
      notes: [`MarketEnv, ${which.title}, else the defaults; one thread; ${rounds} updates each, in turns.`],
      verdicts: [],
      samples: CANDIDATES.map((candidate, k) => ({ ...candidate, tfjs: candidate.tfjs?.backend, samples: samples[k] })),
    };
  } finally {
    for (const child of children) child.close();
  }
}
