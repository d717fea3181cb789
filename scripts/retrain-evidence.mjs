// The figures in docs/retrain.md that its choices rest on: trains, and writes what came of it.
//   npm run build && node scripts/retrain-evidence.mjs [limits|moments|statistics]
// A synthetic market with an edge, an incumbent that is hardly trained, and fine-tunings of it that differ in one thing.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, temporaryFolder, writeRegion } from './transcript.mjs';

const load = (file) => import(pathToFileURL(path.join(root, 'dist', file)).href);
const { train } = await load('src/lab/train.js');
const { bundleOfRun } = await load('src/lab/bundle-run.js');
const { KlFromIncumbent, recentSituations } = await load('src/lab/fine-tune.js');
const { makeWorld } = await load('src/lab/world.js');
const { Normalizer } = await load('agents/policy/normalizer.js');
const { loadBundlePolicy } = await load('src/registry/bundle.js');
const { decodeBundle, encodeBundle } = await load('src/registry/bundle.js');
const { loadExperiment } = await load('src/config/load.js');
const { loadGates } = await load('src/lab/gates/definition.js');
const { planRetraining } = await load('src/promotion/retrain/plan.js');
const { holdToIncumbent } = await load('src/promotion/retrain/outcomes.js');
const { loadRetrainSettings } = await load('src/promotion/retrain/settings.js');

const SEEDS = 5;
const MARKET_FEATURES = 12;
const asked = (part) => (process.argv[2] ?? part) === part;
const LIMITS = [0.02, 0.05, 0.2];
const folder = temporaryFolder();
const runsDir = path.join(folder, 'runs');

function keep(contents, name) {
  const bytes = encodeBundle(contents);
  const file = path.join(folder, `${name}.safetensors`);
  writeFileSync(file, bytes);
  return { bundle: decodeBundle(bytes, file), file };
}

async function incumbentOf(overrides, name) {
  const { config } = loadExperiment(path.join(root, 'experiments', 'synthetic-reverting.yaml'), { overrides });
  const { directory } = await train({ config: { ...config, name }, runsDir });
  return bundleOfRun({ directory, nowMs: () => 0 });
}

/** Fine-tunings with as many seeds, and what came of them. */
async function tuned({ bundle, file }, settings, name) {
  const all = { ...loadRetrainSettings(), timesteps: 30_000, learning_rate_factor: 1, seeds: SEEDS, ...settings };
  const plan = await planRetraining({
    incumbent: bundle,
    bundleFile: file,
    datasets: ['synthetic-reverting'],
    settings: all,
  });
  const directories = [];
  const updates = [];
  for (const seed of plan.seeds) {
    const { directory } = await train({ config: { ...plan.config, name, seed }, runsDir });
    directories.push(directory);
    updates.push(
      readFileSync(path.join(directory, 'metrics.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
  }
  const { figures } = await holdToIncumbent({
    alias: 'paper',
    incumbent: bundle,
    directories,
    gates: loadGates().retrain,
    klLimit: all.kl_limit,
    seed: 1,
    bundleOf: () => null,
    judgedBefore: [],
  });
  return { seeds: figures.seeds, updates };
}

/** How far the incumbent's policy gets if nothing is learned but what its normaliser sees of the new bars. */
async function klOfStatistics(bundle, config, scale) {
  const { trainingMarket, actionSpace, env } = await makeWorld(config);
  env.close();
  const { rows, observations, masks } = recentSituations(bundle, trainingMarket, {
    count: 30_000,
    seed: 1,
    actionSpace,
  });
  const { engine, normalizer } = loadBundlePolicy(bundle);
  const learning = new Normalizer(normalizer.config, normalizer.observationSize, normalizer.numEnvs, normalizer.gamma);
  learning.setState(normalizer.getState());
  const size = normalizer.observationSize;
  // the account's own features keep their scale
  const seen = observations.map((value, i) => (i % size < MARKET_FEATURES ? scale * value : value));
  learning.updateObservations(seen, rows);
  const last = 2048;
  const situations = {
    rows: last,
    observations: seen.slice((rows - last) * size),
    masks: masks.slice((rows - last) * (masks.length / rows)),
  };
  const kl = new KlFromIncumbent(bundle, situations).of(engine, learning);
  engine.dispose();
  return { kl, rows };
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const percent = (share) => `${share >= 0 ? '+' : '-'}${Math.abs(100 * share).toFixed(1)}%`;
const table = (rows) => rows.map((row) => `| ${row.join(' | ')} |`).join('\n');

try {
  const contents = await incumbentOf(['training.total_timesteps=8000'], 'hardly-trained');
  const incumbent = keep(contents, 'hardly-trained');

  const rows = [
    [
      'KL limit',
      'at the limit',
      'against the incumbent, held out: mean',
      'least',
      'most',
      'KL reached',
      'updates kept',
    ],
    ['---', '---', '---', '---', '---', '---', '---'],
  ];
  for (const limit of asked('limits') ? LIMITS : []) {
    for (const halvings of [0, 4]) {
      const { seeds, updates } = await tuned(incumbent, { kl_limit: limit, halvings }, `limit-${limit}-${halvings}`);
      const excess = seeds.map((seed) => seed.excess);
      const kept = updates.map((lines) => lines.filter(({ undone }) => !undone).length);
      rows.push([
        String(limit),
        halvings === 0 ? 'ends' : 'halves the learning rate, 4 times',
        percent(mean(excess)),
        percent(Math.min(...excess)),
        percent(Math.max(...excess)),
        mean(seeds.map((seed) => seed.klToIncumbent)).toFixed(4),
        mean(kept).toFixed(1),
      ]);
      console.error(rows.at(-1).join('  '));
    }
  }
  if (asked('limits')) writeRegion('docs/retrain.md', 'limits', table(rows));

  const { engine } = contents;
  const zeros = new Float32Array(engine.firstMoments.length);
  const fresh = keep(
    {
      ...contents,
      engine: { ...engine, firstMoments: zeros, secondMoments: zeros, step: 0, betaProducts: Float64Array.of(1, 1) },
    },
    'fresh',
  );
  const moments = [
    ["Adam's moments", 'KL after the first update: mean', 'most', 'against the incumbent, held out: mean'],
    ['---', '---', '---', '---'],
  ];
  for (const [name, own] of [
    ["the bundle's", incumbent],
    ['begun anew', fresh],
  ].filter(() => asked('moments'))) {
    const { seeds, updates } = await tuned(own, {}, name === 'begun anew' ? 'fresh' : 'kept');
    const first = updates.map(([line]) => line.klProposed);
    moments.push([
      name,
      mean(first).toFixed(5),
      Math.max(...first).toFixed(5),
      percent(mean(seeds.map((seed) => seed.excess))),
    ]);
    console.error(moments.at(-1).join('  '));
  }
  if (asked('moments')) writeRegion('docs/retrain.md', 'moments', table(moments));

  const drift = [
    ['incumbent', 'observations that its statistics go on with', 'KL, no weight changed'],
    ['---', '---', '---'],
  ];
  for (const steps of asked('statistics') ? [8000, 60_000] : []) {
    const own = steps === 8000 ? contents : await incumbentOf([`training.total_timesteps=${steps}`], 'trained');
    const { bundle, file } = keep(own, `drift-${steps}`);
    const settings = { ...loadRetrainSettings(), timesteps: 30_000 };
    const plan = await planRetraining({
      incumbent: bundle,
      bundleFile: file,
      datasets: ['synthetic-reverting'],
      settings,
    });
    for (const scale of [1, 2, 4]) {
      const { kl, rows: seen } = await klOfStatistics(bundle, plan.config, scale);
      drift.push([
        `trained for ${steps.toLocaleString('en')} steps`,
        `${seen.toLocaleString('en')}, ${scale === 1 ? 'as before' : `market features ${scale} times as large`}`,
        kl.toFixed(5),
      ]);
      console.error(drift.at(-1).join('  '));
    }
  }
  if (asked('statistics')) writeRegion('docs/retrain.md', 'statistics', table(drift));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
