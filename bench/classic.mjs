// Learning on the classic tasks with the published settings, seed by seed: how the deterministic policy scores after
// training, on 100 episodes that it never saw.
//   node bench/classic.mjs [CartPole-v1] [seeds 10] [episodes 100]      (after npm run build)
import { ActingPolicy } from '#agents/policy/acting-policy.js';
import { Normalizer } from '#agents/policy/normalizer.js';
import { createSimdEngine } from '#agents/policy/simd/engine.js';
import { firstEpisodeReturns } from '#agents/episode-returns.js';
import { policySpec } from '#agents/ppo/policy-spec.js';
import { Ppo } from '#agents/ppo/ppo.js';
import { ZOO } from '#agents/ppo/zoo.js';
import { makeClassicVector } from '#env/classic/index.js';
import { RandomStream } from '#env/seeding.js';

const [id = 'CartPole-v1', seeds = '10', episodes = '100'] = process.argv.slice(2);
const { n_envs, config, total_timesteps, published } = ZOO[id];
const scores = [];
for (let seed = 0; seed < Number(seeds); seed++) {
  const env = makeClassicVector(id, n_envs);
  const spec = policySpec(config, env.singleObservationSpace, env.singleActionSpace);
  const engine = createSimdEngine(spec, { init: new RandomStream(seed, 'policy/init') });
  const ppo = new Ppo({ env, engine, config, seed, totalTimesteps: total_timesteps });
  const start = performance.now();
  while (!ppo.done) ppo.update();
  const seconds = (performance.now() - start) / 1000;

  const normalizer = ppo.normalizer === null ? null : Normalizer.frozen(ppo.normalizer.getState());
  const bounds = env.singleActionSpace.kind === 'box' ? env.singleActionSpace : null;
  const actor = new ActingPolicy({ engine, normalizer, bounds });
  const returns = firstEpisodeReturns(actor, makeClassicVector(id, Number(episodes)), 1_000_000 + seed);
  const score = returns.reduce((sum, value) => sum + value, 0) / returns.length;
  scores.push(score);
  console.error(`${id} seed ${seed}: ${score.toFixed(1)} (${Math.round(ppo.timesteps / seconds)} steps/s)`);
  engine.dispose();
}
const mean = scores.reduce((sum, value) => sum + value, 0) / scores.length;
const variance = scores.reduce((sum, value) => sum + (value - mean) ** 2, 0) / scores.length;
console.log(JSON.stringify({ id, total_timesteps, scores, mean, deviation: Math.sqrt(variance), published }));
