// The transcripts in docs/live.md: runs the commands, and writes what they said.
//   npm run build && node scripts/live-transcript.mjs
// A synthetic market, a short training, and a live runner that is killed while it holds.
import { spawn, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { environmentIn, fenced, main, root, temporaryFolder, writeRegion } from './transcript.mjs';

const { Registry } = await import(path.join(root, 'dist', 'src', 'registry', 'registry.js'));
const folder = temporaryFolder();
const ACCOUNT = 'DU1234567';
const env = environmentIn(folder);
const EXPERIMENT = `extends: ${path.join(root, 'experiments', 'base.yaml')}
name: transcript
description: For the transcript in docs/live.md
data: { datasets: [synthetic-intraday], train: { to: 2020-02-20 }, test: { from: 2020-03-01 } }
env:
  exits: { initial_stop: 0.01, trailing_stop: 0.01, take_profit: [{ gain: 0.01, fraction: 0.5 }] }
  costs: { spread_bps: 0, slippage_bps: 0 }
  episode: { length: 390 }
training: { total_timesteps: 4096 }
`;

const plain = (text) => text.replaceAll(`${folder}/`, '').replaceAll(folder, '.').trimEnd();
const said = [];
const tell = (command, text) => said.push(`$ openbell ${command}`, plain(text), '');

function openbell(command) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, ...command.split(' ')], {
    cwd: root,
    env,
    encoding: 'utf8',
  });
  return { text: [stderr.trim(), stdout.trim()].filter((part) => part !== '').join('\n'), status };
}

function start(command) {
  const child = spawn(process.execPath, [main, ...command.split(' ')], { cwd: root, env });
  const process_ = { child, text: '', ended: new Promise((resolve) => child.once('close', resolve)) };
  child.stdout.on('data', (more) => (process_.text += more));
  child.stderr.on('data', (more) => (process_.text += more));
  return process_;
}

async function until(one, pattern) {
  for (const deadline = Date.now() + 120_000; !pattern.test(one.text);) {
    if (Date.now() > deadline || one.child.exitCode !== null) throw new Error(`no ${pattern} in:\n${one.text}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What came before the last few lines, and after the first reconciliation, is left out where it is long. */
function middleOut(text) {
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.includes('reconciled: ')) + 1;
  const to = lines.length - 6;
  return to - from < 4 ? text : [...lines.slice(0, from), `... (${to - from} lines)`, ...lines.slice(to)].join('\n');
}

/** A position that has been held for a bar is protected, and stays a moment longer. */
async function untilItHolds(one) {
  for (const deadline = Date.now() + 240_000; Date.now() < deadline;) {
    const held = one.text.match(/holds -?\d+/g)?.at(-1);
    await new Promise((resolve) => setTimeout(resolve, 350));
    const still = one.text.match(/holds -?\d+/g)?.at(-1);
    if (held !== undefined && held === still && held !== 'holds 0') return;
  }
  throw new Error(`it never held for long:\n${one.text}`);
}

const running = [];
try {
  writeFileSync(path.join(folder, 'transcript.yaml'), EXPERIMENT);
  const trained = openbell(`train ${path.join(folder, 'transcript.yaml')}`);
  if (trained.status !== 0) throw new Error(trained.text);
  // so short a training passes no gate: the plumbing is what is shown
  const promoted = openbell('promote latest --to paper --force=plumbing');
  if (promoted.status !== 0) throw new Error(promoted.text);
  const registry = new Registry(env.OPENBELL_REGISTRY_DIR);
  registry.point('live', registry.aliases().paper, {
    action: 'promote',
    reason: 'set by the script of this transcript, past the gates',
    evidence: null,
    account: ACCOUNT,
  });
  const market = start(
    `gateway --data synthetic-intraday --port 0 --speed 60 --start-at 2020-03-09T09:20:00-04:00 --account ${ACCOUNT} --json`,
  );
  running.push(market);
  await until(market, /\n/);
  env.IB_PORT = String(JSON.parse(market.text.split('\n')[0]).port);
  const first = start(`live --confirm=${ACCOUNT} --simulated`);
  running.push(first);
  await until(first, /reconciled: /);
  await untilItHolds(first);
  first.child.kill('SIGKILL');
  await first.ended;
  tell(`live --confirm=${ACCOUNT} --simulated`, `${middleOut(first.text)}Killed                          # kill -9`);
  tell('live status', openbell('live status').text);
  const second = start(`live --confirm=${ACCOUNT} --simulated`);
  running.push(second);
  await until(second, /reconciled: /);
  await until(second, /a new day/);
  second.child.kill('SIGINT');
  await second.ended;
  const story = second.text.replace(/^(ok|warning)\s.*\n/gm, '');
  tell(`live --confirm=${ACCOUNT} --simulated`, `...                             # the pre-flight, as above\n${story}`);
  tell(
    'live replay trading/live/DU1234567',
    openbell(`live replay ${path.join(folder, 'trading', 'live', ACCOUNT)}`).text,
  );
  tell(`live flatten --confirm=${ACCOUNT}`, openbell(`live flatten --confirm=${ACCOUNT}`).text);
  writeRegion('docs/live.md', 'transcript', fenced(said.join('\n')));
} finally {
  for (const { child, ended } of running) {
    child.kill('SIGKILL');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}
