// Steps a second of the classic tasks, vectorised, one thread: node bench/env-classic.mjs (after npm run build)
import { CLASSIC_IDS, makeClassicVector } from '#env/classic/index.js';

const STEPS = 1_000_000;

for (const id of CLASSIC_IDS) {
  for (const numEnvs of [8, 64]) {
    const env = makeClassicVector(id, numEnvs);
    const actions = env.singleActionSpace.kind === 'discrete' ? new Int32Array(numEnvs) : new Float32Array(numEnvs);
    env.reset({ seed: 1 });
    let seconds = Infinity;
    for (let repeat = 0; repeat < 3; repeat++) {
      const start = performance.now();
      for (let t = 0; t < STEPS / numEnvs; t++) {
        for (let i = 0; i < numEnvs; i++) actions[i] = (t + i) & 1;
        env.step(actions);
      }
      seconds = Math.min(seconds, (performance.now() - start) / 1000);
    }
    console.log(`${id}, ${numEnvs} environments: ${(STEPS / seconds / 1e6).toFixed(1)} million steps/s`);
  }
}
