/**
 * Whether the same run comes out the same to the bit, however it is run: repeated, on two threads, on other versions of
 * Node, killed and resumed, moved to another folder. Exits 1 on any difference.
 *   npm run bits -- [--subject cart-pole|market] [--kills 20] [--nodes 20,22,24] [--seed 1] [--quick] [--json] [--doc FILE]
 * Other versions of Node come from the registry's package `node` into the user's cache. --quick: short runs, this Node
 * alone, three kills.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { machineText, table, thisMachine, writeIntoPage, writeResults } from '../report.js';
import { prepareWorkplace, type Subject } from './subjects.js';
import { Trials, type Trial } from './trials.js';

const { values: options } = parseArgs({
  options: {
    kills: { type: 'string' },
    nodes: { type: 'string' },
    seed: { type: 'string', default: '1' },
    subject: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    doc: { type: 'string' },
  },
});
const { quick, json, doc } = options;

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  process.stderr.write(`--${name} ${text}: give a whole number, ${least} or more\n`);
  process.exit(2);
}

const kills = whole('kills', options.kills ?? (quick ? '3' : '20'), 1);
const seed = whole('seed', options.seed, 0);
const nodes = (options.nodes ?? (quick ? '' : '20,22,24')).split(',').filter((major) => major !== '');
for (const major of nodes) whole('nodes', major, 20);

function chosen(subjects: readonly Subject[]): readonly Subject[] {
  const { subject: wanted } = options;
  const found = subjects.filter(({ name }) => wanted === undefined || name === wanted);
  if (found.length > 0) return found;
  const names = subjects.map(({ name }) => name).join(', ');
  process.stderr.write(`--subject ${wanted}: choose among ${names}\n`);
  process.exit(2);
}

const place = mkdtempSync(path.join(tmpdir(), 'openbell-bits-'));
const trials: Trial[] = [];
const sections: string[] = [];
try {
  for (const subject of chosen(prepareWorkplace(place, quick))) {
    const own = await new Trials(subject, place, {
      kills,
      nodes,
      seed,
      onTrial: ({ kind, detail, differs }) => {
        const verdict = differs.length === 0 ? 'same' : `DIFFERENT: ${differs.join(', ')}`;
        process.stderr.write(`${subject.name}: ${kind}${detail === '' ? '' : ` (${detail})`}: ${verdict}\n`);
      },
    }).all();
    trials.push(...own);
    sections.push(`### ${subject.title}\n\n${tableOf(own)}`);
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}

/** One row for each kind of trial. */
function tableOf(own: readonly Trial[]): string {
  const kinds = [...new Set(own.map(({ kind }) => kind))];
  const rows = kinds.map((kind) => {
    const alike = own.filter((trial) => trial.kind === kind);
    const bad = alike.filter(({ differs }) => differs.length > 0);
    const verdict =
      bad.length === 0
        ? 'yes'
        : `NO, in ${bad.length}: ${[...new Set(bad.flatMap(({ differs }) => differs))].join(', ')}`;
    return [kind, String(alike.length), verdict];
  });
  return table(['the run', 'times', 'holds'], rows);
}

const machine = thisMachine();
const command = ['npm run bits --', `--kills ${kills}`, ...(nodes.length > 0 ? [`--nodes ${nodes.join(',')}`] : [])];
const text = [...sections, `Made by \`${command.join(' ')} --seed ${seed}\` on ${machineText(machine)}.`].join('\n\n');
process.stdout.write(json ? `${JSON.stringify({ machine, quick, trials }, null, 2)}\n` : `${text}\n`);
process.stderr.write(`wrote ${writeResults(quick ? 'bits-quick' : 'bits', { machine, quick, seed, trials })}\n`);
if (doc !== undefined && !quick) writeIntoPage(doc, 'bits', text);
if (trials.some(({ differs }) => differs.length > 0)) process.exitCode = 1;
