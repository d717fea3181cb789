// The whole story in one command, on data that comes with OpenBell: train, compare, promote to paper, trade on paper,
// and ask for live, where the gates say what is missing.
//   npm run story [-- --steps 100000] [--seeds 3] [--doc docs/story.md]
// Everything is written under story/<time>/, nothing else is touched. Exits 0 where each step did what it should: an
// agent without an edge is refused for live, and that is a good end.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { environmentIn, machine, main, root, writeRegion } from './transcript.mjs';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '100000' },
    seeds: { type: 'string', default: '3' },
    doc: { type: 'string' },
  },
});
const folder = path.join('story', new Date().toISOString().replace(/[-:]|\.\d+/g, ''));
const env = environmentIn(folder);
mkdirSync(path.join(root, folder), { recursive: true });
const transcript = [];
const began = performance.now();

function tell(text) {
  process.stdout.write(`\n${text}\n`);
  transcript.push('', text);
}

/** Runs a command of OpenBell, shows what it says, and ends the story where its exit code is not among `expected`. */
async function openbell(command, expected = [0]) {
  process.stdout.write(`\n$ openbell ${command}\n`);
  const child = spawn(process.execPath, [main, ...command.split(' ')], { cwd: root, env });
  let text = '';
  let errors = '';
  child.stdout.on('data', (more) => {
    text += more;
    process.stdout.write(more);
  });
  child.stderr.on('data', (more) => {
    errors += more;
    process.stderr.write(more);
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  const refusal = status === 3 ? `${errors.trimEnd().split('\n').at(-1)}\n` : '';
  const exit = status === 0 ? '' : `${refusal}(exit ${status})\n`;
  transcript.push('', '```', `$ openbell ${command}`, shortened(`${text}${exit}`).trimEnd(), '```');
  if (!expected.includes(status)) {
    process.stderr.write(`\nthe story ends here: exit ${status} where ${expected.join(' or ')} was due\n`);
    process.exit(1);
  }
  return { text, status };
}

const MOST_LINES = 60;

function shortened(text) {
  const lines = text.split('\n');
  if (lines.length <= MOST_LINES) return text;
  const half = MOST_LINES / 2;
  return [...lines.slice(0, half), `... (${lines.length - MOST_LINES} more lines)`, ...lines.slice(-half)].join('\n');
}

/** The seed whose policy did best on the validation window: the test window is not asked. */
function bestOnValidation() {
  const { stdout } = spawnSync(process.execPath, [main, 'runs', 'list', 'story', '--json'], {
    cwd: root,
    env,
    encoding: 'utf8',
  });
  const runs = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .filter(({ experiment, status }) => experiment === 'story' && status === 'completed');
  return runs.sort((a, b) => b.score - a.score)[0].id;
}

tell(`1. Train the same experiment with ${values.seeds} seeds, each judged on the year that it never saw.`);
await openbell(
  `train experiments/story.yaml --seeds ${values.seeds} --evaluate training.total_timesteps=${values.steps}`,
);

tell('2. Compare: do they beat buying and holding?');
await openbell('compare story --baseline hold');

tell('3. One test year is one draw of the market: walk forward, window after window, with five seeds.');
await openbell(`walk-forward experiments/story.yaml --seeds 5 training.total_timesteps=${values.steps}`);

const run = bestOnValidation();
tell(
  `4. Promote the seed that did best on the validation window to paper. The gates ask for honesty, not yet for an edge.`,
);
await openbell(`promote ${run} --to paper`);

tell('5. Trade it on paper: the live runner, its journal and its orders, over a socket, at a simulated gateway.');
await openbell('paper');

tell('6. Ask for live. Here the gates ask for evidence, and nothing passes them over.');
const { status } = await openbell('promote paper --to live --confirm=U1234567', [0, 3]);

tell('7. What is written down of it.');
await openbell('registry list');
await openbell('registry history');

const seconds = Math.round((performance.now() - began) / 1000);
const end =
  status === 3
    ? 'The agent trades on paper and was refused for live: no evidence of an edge, no money.'
    : 'Every gate of live has passed: the alias live points to the bundle.';
tell(`${end} ${seconds} s; all of it is in ${folder}/.`);

if (values.doc !== undefined) {
  const text = [...transcript, '', `Machine: ${machine()}.`].join('\n').trim();
  writeRegion(values.doc, 'story', text.replaceAll(`${root}/`, ''));
}
