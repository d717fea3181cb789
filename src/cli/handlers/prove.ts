/** What `openbell prove [market]` does. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fail } from '#src/errors.js';
import { prove } from '#src/lab/prove.js';
import { proofPicture } from '#src/lab/prove-chart.js';
import { PROOF_NAMES, type ProofName } from '#src/lab/proof-names.js';
import { insertProofs, proofText } from '#src/lab/prove-text.js';

export interface ProveArguments {
  market: ProofName | 'all';
  seeds: number;
  steps: number;
  paths: number;
  json: boolean;
  doc?: string;
}

/** Beside the page. */
const PICTURE = 'known-optima.svg';

export async function proveMarkets({ market, seeds, steps, paths, json, doc }: ProveArguments): Promise<void> {
  if (!Number.isSafeInteger(seeds) || seeds < 1) {
    fail('USAGE', { where: '--seeds', value: seeds, message: 'give the number of trainings, 1 or more' });
  }
  const results = (market === 'all' ? PROOF_NAMES : [market]).map((name) => {
    const result = prove({
      market: name,
      seeds: Array.from({ length: seeds }, (_, i) => i + 1),
      steps,
      paths,
      onProgress: (message) => {
        if (process.stderr.isTTY) process.stderr.write(`${message}\n`);
      },
    });
    if (!json) process.stdout.write(`${proofText(result)}\n\n`);
    return result;
  });
  if (json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  if (doc !== undefined) {
    const command = `openbell prove ${market} --seeds ${seeds} --steps ${steps} --paths ${paths} --doc ${doc}`;
    const made = `Made by \`${command}\` with Node ${process.versions.node} on ${cpus()[0]?.model ?? 'an unnamed processor'}.`;
    const picture = await proofPicture(results);
    const image = picture === null ? '' : `\n\n![Share of the optimum while training](${PICTURE})`;
    writeFileSync(doc, insertProofs(readFileSync(doc, 'utf8'), results, `${made}${image}`, doc));
    if (picture !== null) writeFileSync(join(dirname(doc), PICTURE), picture);
  }
  if (results.some(({ passed }) => passed === false)) process.exitCode = 1;
}
