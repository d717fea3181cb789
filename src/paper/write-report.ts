/** A report's files beside the journal that it is made from. */
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { PaperResult } from './report.js';

/** Writes report.json, each file whole or not at all. */
export function writeReport(folder: string, { report }: PaperResult): void {
  writeWhole(path.join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
}

function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.part`, text);
  renameSync(`${file}.part`, file);
}
