// The transcripts in docs/retrain.md: runs the commands, and writes what they said.
//   npm run build && node scripts/retrain-transcript.mjs
// What carries the time of the day (run names, ids of bundles) is shown by name instead, so that the same code writes the
// same page.
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { environmentIn, fenced, main, root, temporaryFolder, writeRegion } from './transcript.mjs';

const folder = temporaryFolder();

const WALK = `extends: ${path.join(root, 'experiments', 'synthetic-reverting.yaml')}
name: walk
description: The same agent where there is nothing to learn
data: { datasets: [synthetic-intraday], train: { to: 2020-02-18 }, test: { from: 2020-02-18, to: 2020-03-03 } }
`;

function openbell(args, place) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, ...args], {
    cwd: root,
    env: environmentIn(path.join(folder, place), { LOG_LEVEL: 'warning' }),
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

try {
  writeFileSync(path.join(folder, 'walk.yaml'), WALK);
  const gates = ['--gates', 'experiments/synthetic-reverting-gates.yaml'];
  const config = ['--config', 'experiments/synthetic-reverting-retrain.yaml'];
  const brief = ['training.total_timesteps=8000'];

  prepare(['train', path.join(folder, 'walk.yaml'), ...brief], 'walk');
  prepare(['promote', 'walk', '--to', 'paper', ...gates], 'walk');
  const refused = shown(['retrain', 'paper', '--data', 'synthetic-intraday', ...config], 'walk', 3);
  writeRegion('docs/retrain.md', 'refused', fenced(refused));

  prepare(['train', 'experiments/synthetic-reverting.yaml', 'name=inc', ...brief], 'inc');
  prepare(['promote', 'inc', '--to', 'paper', ...gates], 'inc');
  const early = shown(['retrain', 'paper', '--data', 'synthetic-reverting[..2020-03-11]', ...config], 'inc', 3);
  writeRegion('docs/retrain.md', 'early', fenced(early));
  const passed = shown(['retrain', 'paper', '--data', 'synthetic-reverting', ...config], 'inc', 0);
  const { text: history } = openbell(['registry', 'history'], 'inc');
  const lines = plain(history, 'inc').replace(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z/gm, 'WHEN');
  writeRegion('docs/retrain.md', 'passed', fenced(`${passed}\n$ openbell registry history\n${lines}`));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
