/** OpenBell's side of a measurement, in a process of its own: requests and answers are lines of JSON. */
import { createInterface } from 'node:readline';
import { makeClassicVector } from '#env/classic/index.js';
import type { VectorEnv } from '#env/vector-env.js';
import { RunningTraining, trainingCase, type CaseKey } from './cases.js';
import type { TfjsChoice } from './engines.js';
import { productRates } from './kernels.js';
import { PEER_SEED, readTape, TapeEnv, traceOf } from './peers/tape-env.js';
import type { Stretch } from './sampling.js';
import { dailyBars, marketOn } from './worlds.js';
import { stepping, worldAt } from './env-worlds.js';

export type Request =
  /** Prepare an environment alone: stretches of `seconds`. Answers {}. */
  | { readonly do: 'env'; readonly index: number; readonly seconds: number }
  /** Seconds a vector step in the next stretch. */
  | { readonly do: 'step' }
  /** Prepare a training; answers how many updates take about `seconds`. `tape`: the file of the peers' environment. */
  | {
      readonly do: 'training';
      readonly world: 'market' | 'cartpole' | 'tape';
      readonly key: CaseKey;
      readonly quick: boolean;
      readonly threads: number;
      readonly seconds: number;
      readonly tape?: string;
      /** That engine instead of simd. */
      readonly tfjs?: TfjsChoice | null;
    }
  /** A TrainingSample of so many updates. */
  | { readonly do: 'train'; readonly updates: number }
  /** Digest of everything that the peers' environment says in some hundred steps. */
  | { readonly do: 'trace'; readonly nEnvs: number; readonly steps: number; readonly tape: string }
  /** GFLOP/s of each matrix product, or of the named ones, a second of processor time. */
  | {
      readonly do: 'products';
      readonly rounds: number;
      readonly seconds: number;
      readonly names: readonly string[] | null;
    };

let step: Stretch<number> | null = null;
let running: RunningTraining | null = null;

function worldOf(world: 'market' | 'cartpole' | 'tape', nEnvs: number, tape: string | undefined): VectorEnv {
  if (world === 'market') return marketOn(dailyBars(), nEnvs);
  if (world === 'cartpole') return makeClassicVector('CartPole-v1', nEnvs);
  if (tape === undefined) throw new TypeError('the peers’ environment needs its tape');
  return new TapeEnv(readTape(tape), nEnvs);
}

async function answer(request: Request): Promise<unknown> {
  switch (request.do) {
    case 'env': {
      const world = worldAt(request.index);
      step = stepping(world.make(), world.orders, request.seconds);
      return {};
    }
    case 'step':
      if (step === null) throw new TypeError('prepare an environment first');
      return step();
    case 'training': {
      const which = trainingCase(request.key, request.quick);
      running?.dispose();
      const env = worldOf(request.world, which.nEnvs, request.tape);
      running = await RunningTraining.start(which, env, request.threads, request.tfjs);
      return { updates: running.updatesIn(request.seconds) };
    }
    case 'train':
      if (running === null) throw new TypeError('prepare a training first');
      return running.run(request.updates);
    case 'trace':
      return { digest: traceOf(new TapeEnv(readTape(request.tape), request.nEnvs), request.steps, PEER_SEED) };
    case 'products':
      return productRates(request, request.names);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const request: Request = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await answer(request))}\n`);
}
