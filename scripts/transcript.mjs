// What the scripts share that write transcripts into the docs: the command line as a user has it, in a place of its own.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** The built command line: `npm run build` first. */
export const main = path.join(root, 'dist', 'src', 'cli', 'main.js');
const { machineText, thisMachine, writeIntoPage } = await import(path.join(root, 'dist', 'bench', 'report.js'));

export const temporaryFolder = () => mkdtempSync(path.join(tmpdir(), 'openbell-transcript-'));

/** Runs, registry and journals under `folder`, and nowhere else. */
export const environmentIn = (folder, more = {}) => ({
  ...process.env,
  OPENBELL_RUNS_DIR: path.join(folder, 'runs'),
  OPENBELL_REGISTRY_DIR: path.join(folder, 'registry'),
  OPENBELL_TRADING_DIR: path.join(folder, 'trading'),
  ...more,
});

export const fenced = (text) => `\`\`\`\n${text.trimEnd()}\n\`\`\``;

/** Replaces a marked region of a page; `page` relative to the project. */
export function writeRegion(page, name, text) {
  writeIntoPage(path.join(root, page), name, text);
  console.error(`wrote ${name} in ${page}`);
}

export const machine = () => machineText(thisMachine());
