// The transcripts in docs/retrain.md: runs the commands, and writes what they said.
//   npm run build && node scripts/retrain-transcript.mjs
// What carries the time of the day (run names, ids of bundles) is shown by name instead, so that the same code writes the
// same page.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const main = path.join(root, 'dist', 'src', 'cli', 'main.js');
const folder = mkdtempSync(path.join(tmpdir(), 'openbell-transcript-'));

const WALK = `extends: ${path.join(root, 'experiments', 'synthetic-reverting.yaml')}
name: walk
description: The same agent where there is nothing to learn
data: { datasets: [synthetic-intraday], train: { to: 2020-02-18 }, test: { from: 2020-02-18, to: 2020-03-03 } }
`;

function openbell(args, place) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, ...args], {
    cwd: root,
    env: {
      ...process.env,
      LOG_LEVEL: 'warning',
      OPENBELL_RUNS_DIR: path.join(folder, place, 'runs'),
      OPENBELL_REGISTRY_DIR: path.join(folder, place, 'registry'),
    },
    encoding: 'utf8',
  });
  return { text: [stdout.trim(), stderr.trim()].filter((part) => part !== '').join('\n'), status };
}

/** Runs a step that the transcript only rests on. */
function prepare(args, place) {
  const { text, status } = openbell(args, place);
  if (status !== 0) throw new Error(text);
}

const bundles = new Map();
/** Ids of bundles in the order in which they are met: "bundle-1". */
const named = (id) => {
  const known = [...bundles].find(([other]) => other.startsWith(id) || id.startsWith(other));
  if (known !== undefined) return known[1];
  bundles.set(id, `bundle-${bundles.size + 1}`);
  return bundles.get(id);
};

function plain(text, place) {
  return text
    .replaceAll(`${folder}/${place}/`, '')
    .replaceAll(`${root}/`, '')
    .replace(/\d{8}T\d{6}Z-[0-9a-f]{8}/g, 'WHEN-HASH')
    .replace(/\b[0-9a-f]{16}\b|(?<=paper )[0-9a-f]{8}\b/g, named)
    .trimEnd();
}

function shown(args, place, expected) {
  const { text, status } = openbell(args, place);
  if (status !== expected) throw new Error(`exit ${status}, expected ${expected}:\n${text}`);
  const command = args.map((arg) => (/[[\] ]/.test(arg) ? `'${arg}'` : arg)).join(' ');
  return `$ openbell ${plain(command, place)}\n${plain(text, place)}\n$ echo $?\n${status}`;
}

const region = (file, name, text) => {
  const target = path.join(root, file);
  const [begin, end] = [`<!-- ${name}: written by scripts/retrain-transcript.mjs -->`, `<!-- end of ${name} -->`];
  const before = readFileSync(target, 'utf8');
  const from = before.indexOf(begin);
  const to = before.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${file} has no region ${name}`);
  writeFileSync(target, `${before.slice(0, from)}${begin}\n\n\`\`\`\n${text.trimEnd()}\n\`\`\`\n\n${before.slice(to)}`);
  console.error(`wrote ${name} in ${file}`);
};

try {
  writeFileSync(path.join(folder, 'walk.yaml'), WALK);
  const gates = ['--gates', 'experiments/synthetic-reverting-gates.yaml'];
  const config = ['--config', 'experiments/synthetic-reverting-retrain.yaml'];
  const brief = ['training.total_timesteps=8000'];

  prepare(['train', path.join(folder, 'walk.yaml'), ...brief], 'walk');
  prepare(['promote', 'walk', '--to', 'paper', ...gates], 'walk');
  region(
    'docs/retrain.md',
    'refused',
    shown(['retrain', 'paper', '--data', 'synthetic-intraday', ...config], 'walk', 3),
  );

  prepare(['train', 'experiments/synthetic-reverting.yaml', 'name=inc', ...brief], 'inc');
  prepare(['promote', 'inc', '--to', 'paper', ...gates], 'inc');
  const early = shown(['retrain', 'paper', '--data', 'synthetic-reverting[..2020-03-11]', ...config], 'inc', 3);
  region('docs/retrain.md', 'early', early);
  const passed = shown(['retrain', 'paper', '--data', 'synthetic-reverting', ...config], 'inc', 0);
  const { text: history } = openbell(['registry', 'history'], 'inc');
  const lines = plain(history, 'inc').replace(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z/gm, 'WHEN');
  region('docs/retrain.md', 'passed', `${passed}\n$ openbell registry history\n${lines}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
