// The transcripts in docs/paper.md: runs the commands, and writes what they said.
//   npm run build && node scripts/paper-transcript.mjs
// A synthetic market, a short training, a paper session, and what it recorded as a data set.
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { environmentIn, fenced, main, root, temporaryFolder, writeRegion } from './transcript.mjs';

const folder = temporaryFolder();
const FIRST_LINES = 8;
const env = environmentIn(folder);
const EXPERIMENT = `extends: ${path.join(root, 'experiments', 'base.yaml')}
name: transcript
description: For the transcript in docs/paper.md
data:
  datasets: [synthetic-intraday]
  train: { to: 2020-02-20 }
  validation: { from: 2020-02-20, to: 2020-03-01 }
  test: { from: 2020-03-01 }
env:
  exits: { initial_stop: 0.01, trailing_stop: 0.01, take_profit: [{ gain: 0.01, fraction: 0.5 }] }
  costs: { spread_bps: 1, slippage_bps: 0.5 }
  episode: { length: 390 }
training: { total_timesteps: 4096, evaluate_every: 2048 }
`;
const FORCE = 'the transcript shows the command, and no edge';

const plain = (text) => text.replaceAll(`${folder}/`, '').replaceAll(folder, '.').trimEnd();

function openbell(args) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, ...args], { cwd: root, env, encoding: 'utf8' });
  const text = plain([stderr.trim(), stdout.trim()].filter((part) => part !== '').join('\n'));
  if (status !== 0) throw new Error(`openbell ${args.join(' ')}\n${text}`);
  return text;
}

try {
  writeFileSync(path.join(folder, 'transcript.yaml'), EXPERIMENT);
  openbell(['train', path.join(folder, 'transcript.yaml')]);
  openbell(['promote', 'latest', '--to', 'paper', '--force', FORCE]);
  const command = ['paper', '--from', '2020-03-09', '--to', '2020-03-12'];
  const lines = openbell(command).split('\n');
  const end = lines.findIndex((line) => line.startsWith('transcript '));
  const shown = [...lines.slice(0, FIRST_LINES), `... (${end - FIRST_LINES} more lines)`, '', ...lines.slice(end)];
  writeRegion('docs/paper.md', 'transcript', fenced(`$ openbell ${command.join(' ')}\n${shown.join('\n')}`));
  const session = /trading\/paper\/\S+/.exec(lines.at(-1))[0];
  const out = path.join(folder, 'datasets');
  const recorded = ['data', 'import', path.join(folder, session), '--from', 'recorded', '--name', 'syn-recorded'];
  const said = [
    `$ openbell ${plain(recorded.join(' '))}`,
    openbell([...recorded, '--out', out]),
    '$ openbell data check datasets/syn-recorded.yaml',
    openbell(['data', 'check', path.join(out, 'syn-recorded.yaml')]),
  ];
  writeRegion('docs/paper.md', 'recorded', fenced(said.join('\n')));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
