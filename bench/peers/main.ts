/**
 * OpenBell beside stable-baselines3 (and sbx where it is installed): the same environment, the same hyper-parameters,
 * one machine, taking turns. Exits 1 where a target is missed.
 *   npm run bench:peers -- [--quick] [--python PATH | --venv DIR] [--also PATH ...] [--no-sbx] [--rounds N] [--seconds S] [--json] [--doc FILE | --no-doc]
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { env } from '../env.js';
import {
  machineText,
  ROOT,
  sectionText,
  thisMachine,
  verdictText,
  writeIntoPage,
  writePicture,
  writeResults,
} from '../report.js';
import { reached } from '../targets.js';
import { comparePeers } from './compare.js';
import { peersPicture } from './picture.js';
import { findPython, hasPeer, type PeerName } from './python.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    python: { type: 'string' },
    venv: { type: 'string', default: process.env['OPENBELL_PEERS_VENV'] ?? path.join(ROOT, 'bench', 'peers', '.venv') },
    also: { type: 'string', multiple: true, default: [] },
    'no-sbx': { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    json: { type: 'boolean', default: false },
    doc: { type: 'string', default: path.join(ROOT, 'docs', 'performance.md') },
    'no-doc': { type: 'boolean', default: false },
  },
});

const number = (name: string, given: string | undefined, otherwise: number): number => {
  const value = given === undefined ? otherwise : Number(given);
  if (value > 0) return value;
  process.stderr.write(`--${name} ${given}: give a positive number\n`);
  process.exit(2);
};
const { quick } = options;
const rounds = Math.ceil(number('rounds', options.rounds, quick ? 1 : 5));
const seconds = number('seconds', options.seconds, quick ? 0.05 : 1);

const found = findPython(options);
if ('missing' in found) {
  process.stderr.write(`bench:peers skipped: ${found.missing}\n`);
  process.exit(0);
}

// compiling takes sbx long: not in a smoke test
const withSbx = !quick && !options['no-sbx'] && hasPeer(found.python, 'sbx');
const peers: PeerName[] = withSbx ? ['sb3', 'sbx'] : ['sb3'];
const others = options.also.map((python) => {
  if (hasPeer(python, 'sb3')) return { python, peers: ['sb3' as const] };
  process.stderr.write(`--also ${python}: it has no stable-baselines3\n`);
  process.exit(2);
});
const pythons = [{ python: found.python, peers }, ...others];
const compared = await comparePeers({ pythons, rounds, seconds, quick });
const alone = await env(quick ? { rounds: 3, seconds: 0.001, bars: 20_000 } : { rounds: 41, seconds: 0.02, bars: 1e6 });
const verdicts = [...compared.sections, alone].flatMap((section) => section.verdicts);
const machine = thisMachine();
const versions = compared.versions.map((each) =>
  Object.entries(each)
    .map(([name, version]) => `${name} ${version}`)
    .join(', '),
);
const text = [
  ...compared.sections.map(sectionText),
  verdictText(verdicts),
  `Made by \`npm run bench:peers\` on ${machineText(machine)}; ${versions.join('; and ')}. Medians of ${rounds} interleaved stretches of about ${seconds} s each.`,
].join('\n\n');

const results = {
  machine,
  versions: compared.versions,
  quick,
  rounds,
  seconds,
  verdicts,
  sections: [...compared.sections, alone],
};
process.stdout.write(options.json ? `${JSON.stringify(results, null, 2)}\n` : `${text}\n`);
process.stderr.write(`wrote ${writeResults(quick ? 'peers-quick' : 'peers', results)}\n`);
if (!quick) {
  // too short a run proves nothing: it only shows that everything runs
  if (!verdicts.every(reached)) process.exitCode = 1;
  if (!options['no-doc']) {
    const picture = writePicture(options.doc, 'performance-peers.svg', await peersPicture(compared.rates));
    writeIntoPage(options.doc, 'peers', `${text}\n\n![Environment steps a second, OpenBell and its peers](${picture})`);
  }
}
