// Files that are generated from the code: the JSON schemas of experiments, sweeps, gates and retrainings, and the
// reference of keys.
//   node scripts/generate.mjs           writes them
//   node scripts/generate.mjs --check   exits 1 where one is out of date
// Needs dist/ (npm run build).
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { experimentJsonSchema, keyReference } from '../dist/src/config/json-schema.js';
import { gatesJsonSchema } from '../dist/src/lab/gates/definition.js';
import { sweepJsonSchema } from '../dist/src/lab/sweep/definition.js';
import { retrainJsonSchema } from '../dist/src/promotion/retrain/settings.js';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const outputs = {
  'experiments/schema.json': `${JSON.stringify(experimentJsonSchema(), null, 2)}\n`,
  'experiments/sweep-schema.json': `${JSON.stringify(sweepJsonSchema(), null, 2)}\n`,
  'experiments/gates-schema.json': `${JSON.stringify(gatesJsonSchema(), null, 2)}\n`,
  'experiments/retrain-schema.json': `${JSON.stringify(retrainJsonSchema(), null, 2)}\n`,
  'docs/experiment-keys.md': keyReference(),
};

let stale = 0;
for (const [file, text] of Object.entries(outputs)) {
  const target = path.join(root, file);
  const before = await readFile(target, 'utf8').catch(() => '');
  if (before === text) continue;
  if (process.argv.includes('--check')) {
    console.error(`${file} is out of date: npm run build && npm run generate`);
    stale++;
  } else {
    await writeFile(target, text);
    console.error(`wrote ${file}`);
  }
}
process.exitCode = stale === 0 ? 0 : 1;
