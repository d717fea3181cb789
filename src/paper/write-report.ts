/** A report's files beside the journal that it is made from. */
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { renderPaperReport } from './paper-html.js';
import type { PaperResult } from './report.js';

/**
 * Writes report.json and report.html, each whole or not at all; of a journal that was put by, `journal-X.db`, report-X.
 * Takes about a second, to draw.
 */
export async function writeReport(folder: string, journalFile: string, result: PaperResult): Promise<void> {
  const name = path.basename(journalFile, '.db').replace(/^journal/, 'report');
  writeWhole(path.join(folder, `${name}.json`), `${JSON.stringify(result.report, null, 2)}\n`);
  writeWhole(path.join(folder, `${name}.html`), await renderPaperReport(result));
}

function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.part`, text);
  renameSync(`${file}.part`, file);
}
