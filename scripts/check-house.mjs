// The rules of the house that a linter cannot say: imports run downwards, and the pure folders stay pure.
//   node scripts/check-house.mjs
// Exits 1 and names file, line and rule for every breach.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Folder -> the folders that it may import (itself always, and the leaf src/errors.ts always). Longest match wins. */
const base = ['agents', 'env'];
const shared = ['src/registry', 'src/report', 'src/stats', 'src/data', 'src/config', ...base];
const MAY_IMPORT = {
  env: [],
  agents: ['env'],
  'src/config': base,
  'src/data': ['src/config', ...base],
  'src/stats': base,
  'src/report': ['src/stats', ...base],
  // Zones, intervals and data sets are written once, in src/data; data knows of no broker.
  'src/broker': ['src/data', 'src/config', ...base],
  'src/gateway': ['src/data', 'src/config', ...base],
  // the model card shows figures as reports do
  'src/registry': ['src/report', 'src/stats', 'src/config', ...base],
  'src/lab': shared,
  // The live runner loads no training code: agents/ppo is refused below.
  'src/live': ['src/registry', 'src/broker', 'src/report', 'src/stats', 'src/data', 'src/config', ...base],
  // the live runner against the simulated gateway: the one place that may know both
  'src/paper': ['src/live', 'src/gateway', 'src/broker', ...shared],
  // from a run to an alias: gates of the lab, evidence of paper, and the registry
  'src/promotion': ['src/lab', 'src/paper', 'src/live', 'src/gateway', 'src/broker', ...shared],
  'src/server': ['src/promotion', 'src/lab', 'src/paper', 'src/live', 'src/gateway', 'src/broker', ...shared],
  'src/cli': [
    'src/server',
    'src/promotion',
    'src/lab',
    'src/paper',
    'src/live',
    'src/gateway',
    'src/broker',
    ...shared,
  ],
};
const FORBIDDEN = [{ from: 'src/live', to: 'agents/ppo', why: 'the live runner loads no training code' }];
/** Pure: no I/O, no clock. node:crypto's hashes are pure. */
const PURE = ['env', 'agents', 'src/live/core'];

const breaches = [];
const breach = (file, line, why) => breaches.push(`${file}:${line} ${why}`);

const files = [];
for (const top of ['env', 'agents', 'src']) {
  for (const entry of await readdir(path.join(root, top), { recursive: true })) {
    if (entry.endsWith('.ts') && !/\.(test|wasm|as|d)\.ts$/.test(entry))
      files.push(path.posix.join(top, entry.replaceAll('\\', '/')));
  }
}

const within = (file, folder) => file === folder || file.startsWith(`${folder}/`);
const houseOf = (file) =>
  Object.keys(MAY_IMPORT)
    .filter((folder) => within(file, folder))
    .sort((a, b) => b.length - a.length)[0];

for (const file of files.sort()) {
  if (file === 'src/errors.ts') continue;
  const house = houseOf(file);
  if (house === undefined) {
    breach(file, 1, 'stands in no known folder: add it to scripts/check-house.mjs or move it');
    continue;
  }
  const text = (await readFile(path.join(root, file), 'utf8')).replace(/\/\*[\s\S]*?\*\//g, (comment) =>
    comment.replace(/[^\n]/g, ' '),
  );
  const lines = text.split('\n').map((line) => line.replace(/(^|\s)\/\/.*$/, ''));
  const pure = PURE.some((folder) => within(file, folder));
  for (const [index, line] of lines.entries()) {
    const number = index + 1;
    for (const match of line.matchAll(/(?:from|import|import\()\s*['"]([^'"]+)['"]/g)) {
      const specifier = match[1];
      if (specifier.startsWith('node:') || (!specifier.startsWith('.') && !specifier.startsWith('#'))) {
        if (pure && specifier.startsWith('node:') && specifier !== 'node:crypto')
          breach(file, number, `imports ${specifier}: ${house} is pure`);
        continue;
      }
      const target = specifier.startsWith('#')
        ? specifier.slice(1)
        : path.posix.join(path.posix.dirname(file), specifier);
      if (within(target, 'src/errors.js')) continue;
      const allowed = within(target, house) || MAY_IMPORT[house].some((folder) => within(target, folder));
      if (!allowed)
        breach(
          file,
          number,
          `imports ${specifier}: ${house} may import ${['itself', ...MAY_IMPORT[house]].join(', ')}`,
        );
      for (const rule of FORBIDDEN)
        if (within(file, rule.from) && within(target, rule.to))
          breach(file, number, `imports ${specifier}: ${rule.why}`);
    }
    if (pure && /new Date\(\s*\)/.test(line))
      breach(file, number, 'new Date() reads the clock: time is an argument here');
    // V8's ** is Math.pow, which changes between versions; literal powers of two are exact.
    if (pure && /[\w)\]]\s*\*\*/.test(line) && !/\b2\s*\*\*\s*-?\d+/.test(line))
      breach(file, number, '** drifts between versions of V8: multiply, or use pow of #env/math/index.js');
  }
}

for (const line of breaches) console.error(line);
console.error(breaches.length === 0 ? `house in order: ${files.length} files` : `${breaches.length} breaches`);
process.exit(breaches.length === 0 ? 0 : 1);
