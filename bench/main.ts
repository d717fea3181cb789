/**
 * How fast OpenBell is: kernels, environments, rollout, update, whole training. Exits 1 where a target is missed.
 *   npm run bench -- [kernels|env|rollout|update|training|tfjs ...] [--quick] [--json] [--doc FILE]
 */
import { parseArgs } from 'node:util';
import { env } from './env.js';
import { kernels } from './kernels.js';
import { machineText, sectionText, thisMachine, verdictText, writeIntoPage, writeResults } from './report.js';
import { reached } from './targets.js';
import { tfjs } from './tfjs.js';
import { training } from './training.js';

const PARTS = ['kernels', 'env', 'rollout', 'update', 'training', 'tfjs'];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    doc: { type: 'string' },
  },
});
const unknown = positionals.filter((part) => !PARTS.includes(part));
if (unknown.length > 0) {
  process.stderr.write(`unknown part ${unknown.join(', ')}: choose among ${PARTS.join(', ')}\n`);
  process.exit(2);
}
const chosen = positionals.length === 0 ? PARTS : positionals;
const wants = (...parts: string[]): boolean => parts.some((part) => chosen.includes(part));

const { quick, json, doc } = options;
const short = { rounds: 3, seconds: 0.001 };
const sections = [
  ...(wants('kernels') ? [kernels(quick ? short : { rounds: 41, seconds: 0.002 })] : []),
  ...(wants('env')
    ? [await env(quick ? { ...short, bars: 20_000 } : { rounds: 41, seconds: 0.02, bars: 1_000_000 })]
    : []),
  ...(wants('rollout', 'update', 'training')
    ? await training(quick ? { rounds: 2, seconds: 0.01, quick } : { rounds: 15, seconds: 0.2, quick })
    : []),
  ...(wants('tfjs') ? [await tfjs(quick ? { rounds: 1, quick } : { rounds: 5, quick })] : []),
].filter(({ name }) => chosen.includes(name));

const machine = thisMachine();
const verdicts = sections.flatMap((section) => section.verdicts);
const text = [
  ...sections.map(sectionText),
  ...(verdicts.length > 0 ? [verdictText(verdicts)] : []),
  `Made by \`npm run bench\` on ${machineText(machine)}. Medians of interleaved stretches.`,
].join('\n\n');
const results = { machine, quick, verdicts, sections };
process.stdout.write(json ? `${JSON.stringify(results, null, 2)}\n` : `${text}\n`);
process.stderr.write(`wrote ${writeResults(quick ? 'bench-quick' : 'bench', results)}\n`);
if (doc !== undefined && !quick) writeIntoPage(doc, 'bench', text);
// too short a run proves nothing: it only shows that everything runs
if (!quick && !verdicts.every(reached)) process.exitCode = 1;
