// The transcript in docs/promotion.md of a promotion to `live`: runs the commands, and writes what they said.
//   npm run build && node scripts/promotion-transcript.mjs
// Some minutes. What carries the time of the day (run names, ids of bundles) is shown by name instead, so that the same
// code writes the same page.
import { spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { environmentIn, fenced, main, root, temporaryFolder, writeRegion } from './transcript.mjs';

const folder = temporaryFolder();
const experiment = 'experiments/synthetic-reverting.yaml';
const gates = ['--gates', 'experiments/synthetic-reverting-gates.yaml'];
const ACCOUNT = 'U1234567';
const OTHER = 'U7654321';
const env = environmentIn(folder, { LOG_LEVEL: 'warning' });

function openbell(args, expected, extra = {}) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, ...args], {
    cwd: root,
    env: { ...env, ...extra },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== expected)
    throw new Error(`openbell ${args.join(' ')}: exit ${status}, expected ${expected}\n${stdout}\n${stderr}`);
  return { stdout: stdout.trim(), stderr: stderr.trim() };
}

const plain = (text) =>
  text
    .replaceAll(`${folder}/`, '')
    .replaceAll(`${root}/`, '')
    .replace(/\d{8}T\d{6}Z-[0-9a-f]{8,16}\b/g, 'WHEN-HASH')
    .replace(/\b[0-9a-f]{16}\b/g, 'BUNDLE')
    .replace(/\b20(?:2[1-9]|[3-9]\d)-[\d-]+T[\d:.]+Z/g, 'WHEN')
    .replace(/127\.0\.0\.1:\d+/g, 'HOST:PORT')
    .replace(/walk-forward-[0-9a-f]{8}/g, 'walk-forward-HASH')
    // timers of the wall are events too
    .replace(/[\d,]+ events, hash chain/g, 'N events, hash chain')
    .trimEnd();

const parts = [];
const show = (args, text, status) => parts.push(`$ openbell ${args.join(' ')}\n${plain(text)}\n$ echo $?\n${status}`);
/** From the first line that begins so on. */
const since = (text, beginning) => {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => line.startsWith(beginning));
  if (at < 0) throw new Error(`no line begins with ${beginning}:\n${text}`);
  return lines.slice(at).join('\n');
};

/** A simulated gateway for an account; resolves with its port once it listens. */
async function gatewayFor(account) {
  const args = ['gateway', '--data', 'synthetic-reverting', '--port', '0', '--account', account, '--json'];
  const child = spawn(process.execPath, [main, ...args, '--start-at', '2020-04-16T13:26:00Z'], { cwd: root, env });
  const said = await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', resolve);
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}`)));
  });
  return { port: JSON.parse(said).port, close: () => child.kill() };
}

async function checkedAt(account) {
  const gateway = await gatewayFor(account);
  try {
    const where = { IB_HOST: '127.0.0.1', IB_PORT: String(gateway.port), IB_CLIENT_ID: '1' };
    if (account === ACCOUNT) {
      const check = ['live', 'check', `--confirm=${account}`, '--simulated'];
      show(check, openbell(check, 0, where).stdout.split('\n').slice(0, 4).join('\n') + '\n...', 0);
    } else {
      const args = ['live', `--confirm=${account}`, '--simulated'];
      const refusal = since(openbell(args, 1, where).stderr, 'LIVE_PREFLIGHT');
      show(args, refusal, 1);
    }
  } finally {
    gateway.close();
  }
}

try {
  const train = ['train', experiment, '--evaluate'];
  show(train, `...\n${since(openbell(train, 0).stdout, 'Verdict')}`, 0);
  const walk = ['walk-forward', experiment, '--seeds', '5', '--no-report'];
  show(walk, since(openbell(walk, 0).stdout, 'seed '), 0);
  const toPaper = ['promote', 'synthetic-reverting', '--to', 'paper', ...gates];
  show(toPaper, `...\n${since(openbell(toPaper, 0).stdout, 'PASSED')}`, 0);
  const early = ['promote', 'paper', '--to', 'live', `--confirm=${ACCOUNT}`, ...gates];
  show(early, `...\n${since(openbell(early, 3).stdout, 'Paper trading')}`, 3);
  const paper = ['paper', '--from', '2020-03-16', '--to', '2020-04-16'];
  show(paper, `...\n${since(openbell(paper, 0).stdout, 'synthetic-reverting ')}`, 0);
  show(early, openbell(early, 0).stdout, 0);
  const history = ['registry', 'history'];
  show(history, openbell(history, 0).stdout, 0);
  const back = ['rollback', 'live', '--reason', '"slippage"', `--confirm=${ACCOUNT}`];
  show(back, openbell(back, 1).stderr, 1);
  await checkedAt(OTHER);
  await checkedAt(ACCOUNT);
  writeRegion('docs/promotion.md', 'pass', fenced(parts.join('\n\n')));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
