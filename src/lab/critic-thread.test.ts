/** One thread and two: the same bits. The second thread is a real one, of the built code (npm run build). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import type { PolicyEngine, PolicySpec, UpdateHyperparameters } from '#agents/policy/contract.js';
import { PLAIN_HYPERPARAMETERS, emptyLosses, randomBatch } from '#agents/policy/random-batch.js';
import type { CriticThreadHost, CriticThreadSetup } from '#agents/policy/simd/critic-thread.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { startCriticThread } from './critic-thread.js';

const DISCRETE: PolicySpec = {
  observationSize: 14,
  action: { kind: 'discrete', n: 3 },
  netArch: { pi: [64, 64], vf: [64, 64] },
  activation: 'tanh',
  orthoInit: true,
  logStdInit: 0,
};
const BOX: PolicySpec = { ...DISCRETE, action: { kind: 'box', size: 2 }, netArch: { pi: [21, 9], vf: [33] } };
const LARGE_CRITIC: PolicySpec = { ...DISCRETE, netArch: { pi: [8], vf: [256, 256] }, activation: 'relu' };
const HYPER: UpdateHyperparameters = { ...PLAIN_HYPERPARAMETERS, learningRate: 1e-3, entCoef: 0.01 };

const engines: PolicyEngine[] = [];
const hosts: CriticThreadHost[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.dispose();
  for (const host of hosts.splice(0)) host.stop();
});

function create(spec: PolicySpec, criticThread: CriticThreadHost | null, seed = 1): PolicyEngine {
  const engine = createSimdEngine(spec, { init: new RandomStream(seed, 'init'), criticThread });
  engines.push(engine);
  return engine;
}

/** Its clock stands still, so that the engine never finds the thread too slow. */
async function startThread(entry?: string): Promise<CriticThreadHost> {
  const host = { ...(await startCriticThread(entry)), nowMs: () => 0 };
  hosts.push(host);
  return host;
}

/** The same thread, and how many commands it has carried out rather than the engine. */
function counting(host: CriticThreadHost): { host: CriticThreadHost; carriedOut: () => number } {
  let at: CriticThreadSetup | null = null;
  const serve = (setup: CriticThreadSetup): void => {
    at = setup;
    host.serve(setup);
  };
  const carriedOut = (): number =>
    at === null ? 0 : Atomics.load(new Int32Array(at.memory.buffer), at.mailbox.carriedOut >>> 2);
  return { host: { ...host, serve }, carriedOut };
}

const breath = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Losses of every minibatch, over rollouts of growing and shrinking size with acting in between, and the state. */
async function learn(engine: PolicyEngine, hyper: UpdateHyperparameters, sizes = [150, 700, 64]): Promise<unknown> {
  const masked = engine.spec.action.kind === 'discrete';
  const seen: unknown[] = [];
  for (const size of sizes) {
    const batch = randomBatch(engine, new RandomStream(size, 'batch'), size, masked, 0.1);
    engine.setBatch(batch);
    const order = new RandomStream(size, 'order');
    const indices = new Int32Array(size);
    for (let epoch = 0; epoch < 20; epoch++) {
      order.permutation(indices);
      for (let start = 0; start < size; start += 70) {
        const losses = emptyLosses();
        engine.update(losses, indices.slice(start, start + 70), hyper);
        seen.push(losses);
      }
    }
    seen.push(batch, engine.findNonFinite());
    await breath(1);
  }
  return { seen, state: engine.getState() };
}

describe('two threads give the bits of one', () => {
  it.each([
    ['discrete with masks', DISCRETE, HYPER],
    ['box', BOX, { ...HYPER, clipRangeVf: 0.2, maxGradNorm: null }],
    ['pessimistic clipping of values', DISCRETE, { ...HYPER, clipRangeVf: 0.1, valueClipping: 'pessimistic' }],
    ['a critic far larger than the actor', LARGE_CRITIC, HYPER],
    ['a limit of the divergence that stops some steps', DISCRETE, { ...HYPER, learningRate: 3e-3, klLimit: 0.012 }],
  ] as const)('%s', async (_, spec, hyper) => {
    const one = await learn(create(spec, null), hyper);
    const two = await learn(create(spec, await startThread()), hyper);
    expect(two).toEqual(one);
  });

  it('the limit above stops some steps and not others', async () => {
    const engine = create(DISCRETE, await startThread());
    const text = JSON.stringify(await learn(engine, { ...HYPER, learningRate: 3e-3, klLimit: 0.012 }));
    expect(text).toContain('"stepped":true');
    expect(text).toContain('"stepped":false');
  });

  it('where a number is not finite', async () => {
    const results: unknown[] = [];
    for (const host of [null, await startThread()]) {
      const engine = create(DISCRETE, host);
      const batch = randomBatch(engine, new RandomStream(1, 'batch'), 128, true, 0.1);
      const indices = Int32Array.from({ length: 64 }, (_, i) => i);
      const losses = emptyLosses();
      for (const [name, at] of [
        ['returns', 5],
        ['advantages', 9],
      ] as const) {
        const poisoned = { ...batch, [name]: batch[name].slice() };
        poisoned[name][at] = Number.NaN;
        engine.setBatch(poisoned);
        engine.update(losses, indices, HYPER);
        expect(losses.stepped).toBe(false);
        results.push({ ...losses }, engine.findNonFinite());
      }
      engine.setBatch(batch);
      engine.update(losses, indices, HYPER);
      expect(losses.stepped).toBe(true);
      results.push({ ...losses }, engine.getState());
    }
    expect(results.slice(results.length / 2)).toEqual(results.slice(0, results.length / 2));
  });

  it('taken up from one another', async () => {
    const straight = create(DISCRETE, null);
    await learn(straight, HYPER, [150]);
    const whole = await learn(straight, HYPER, [300]);
    for (const [first, second] of [
      [null, await startThread()],
      [await startThread(), null],
    ]) {
      const before = create(DISCRETE, first);
      await learn(before, HYPER, [150]);
      const after = create(DISCRETE, second, 99);
      after.setState(before.getState());
      expect(await learn(after, HYPER, [300])).toEqual(whole);
    }
  });

  it('where the thread is never faster, so that the engine works alone in between', async () => {
    const { host, carriedOut } = counting(await startThread());
    // a clock by which every look comes twice as late as the one before
    let looks = 0;
    const nowMs = (): number => 2 ** looks++;
    const one = await learn(create(DISCRETE, null), HYPER);
    const two = await learn(create(DISCRETE, { ...host, nowMs }), HYPER);
    expect(two).toEqual(one);
    // 280 minibatches, and two looks at each: all but these were alone
    // 4 alone, one together, 16, one, 32, one, 64, one, 128, one, and 31 of 256
    expect(looks).toBe(2 * 280);
    expect(carriedOut()).toBeLessThanOrEqual(2 * 5);
  });

  it('whoever carries the commands out, the engine or the thread', async () => {
    const { host, carriedOut } = counting(await startThread());
    const two = create(DISCRETE, host);
    const one = create(DISCRETE, null);
    const batch = randomBatch(one, new RandomStream(1, 'batch'), 2000, true, 0.1);
    two.setBatch(batch);
    one.setBatch(batch);
    const indices = Int32Array.from({ length: 2000 }, (_, i) => i);
    let updates = 0;
    // the first commands come before the thread is up
    while (updates < 10 || carriedOut() < 20) {
      const [a, b] = [emptyLosses(), emptyLosses()];
      one.update(a, indices, HYPER);
      two.update(b, indices, HYPER);
      expect(b).toEqual(a);
      updates += 1;
    }
    expect(two.getState()).toEqual(one.getState());
  });
});

describe('a thread that ends fails the training', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'openbell-critic-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('when it is stopped between two updates', async () => {
    const host = await startThread();
    const engine = create(DISCRETE, host);
    engine.setBatch(randomBatch(engine, new RandomStream(1, 'batch'), 64, true, 0));
    engine.update(emptyLosses(), Int32Array.of(1, 2, 3), HYPER);
    host.stop();
    while (host.failure() === null) await breath(5);
    expect(() => engine.update(emptyLosses(), Int32Array.of(1, 2, 3), HYPER)).toThrow(
      /TRAIN_THREAD the critic's thread: it ended with code 1/,
    );
  });

  it('when it begins a command and leaves the process', async () => {
    const entry = path.join(folder, 'leaves.mjs');
    const built = path.resolve('dist/agents/policy/simd/critic-thread.js');
    writeFileSync(
      entry,
      `import { parentPort } from 'node:worker_threads';
       import { reportCriticFailure } from ${JSON.stringify(built)};
       parentPort.once('message', (setup) => {
         process.once('exit', (code) => reportCriticFailure(setup, 'it ended with code ' + code));
         const i32 = new Int32Array(setup.memory.buffer);
         // begins what is given first, and ends
         Atomics.store(i32, setup.mailbox.begun >>> 2, 1);
         Atomics.wait(i32, setup.mailbox.given >>> 2, 0);
         process.exit(7);
       });
       parentPort.postMessage('ready');`,
    );
    const engine = create(DISCRETE, await startThread(entry));
    engine.setBatch(randomBatch(engine, new RandomStream(1, 'batch'), 64, true, 0));
    await breath(200);
    expect(() => {
      for (let i = 0; i < 10; i++) engine.update(emptyLosses(), Int32Array.of(1, 2, 3), HYPER);
    }).toThrow(/TRAIN_THREAD the critic's thread: it ended with code 7/);
    expect(() => engine.getState()).toThrow(/TRAIN_THREAD/);
  });

  it('when its code is of another build, is broken or is missing', async () => {
    const entry = path.join(folder, 'broken.mjs');
    writeFileSync(entry, 'import "./nowhere.mjs";');
    await expect(startCriticThread(entry)).rejects.toThrow(/TRAIN_THREAD the critic's thread: it failed.*nowhere/);
    await expect(startCriticThread(path.join(folder, 'missing.js'))).rejects.toThrow(/TRAIN_THREAD .*is missing/);

    const host = await startThread();
    const engine = create(DISCRETE, { ...host, serve: (setup) => host.serve({ ...setup, kernels: 'others' }) });
    while (host.failure() === null) await breath(5);
    expect(() => engine.update(emptyLosses(), Int32Array.of(0), HYPER)).toThrow(/TRAIN_THREAD|POLICY_STATE/);
    expect(() => engine.getState()).toThrow(/TRAIN_THREAD .*another build/);
  });
});
