/** What runs on the critic's thread: says that it is ready, is given an engine's memory, and works in it to its end. */
import { parentPort } from 'node:worker_threads';
import { reportCriticFailure, serveCritic, type CriticThreadSetup } from '#agents/policy/simd/critic-thread.js';

if (parentPort === null) throw new Error('critic-worker runs on a thread of its own: see critic-thread.ts');
parentPort.once('message', (setup: CriticThreadSetup) => {
  process.once('exit', (code) => reportCriticFailure(setup, `it ended with code ${code}`));
  serveCritic(setup);
});
parentPort.postMessage('ready');
