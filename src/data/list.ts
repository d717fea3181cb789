/** The data sets that can be named: every manifest in datasets/ of the current directory and of the package. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { OpenBellError } from '#src/errors.js';
import { readManifest } from './manifest.js';
import { manifestFiles, shownPath } from './places.js';

export interface DatasetEntry {
  readonly name: string;
  readonly title: string;
  readonly kind: 'file' | 'package' | 'synthetic' | 'broken';
  readonly symbol: string;
  readonly interval: string;
  readonly calendar: string;
  /** The file is there (a package's is not looked for). */
  readonly available: boolean;
  readonly manifest: string;
  /** What is wrong with the manifest, or null. */
  readonly problem: string | null;
}

/** A broken manifest is listed with its problem and does not hide the others. */
export async function listDatasets(): Promise<DatasetEntry[]> {
  const entries: DatasetEntry[] = [];
  for (const file of await manifestFiles()) {
    const shown = shownPath(file);
    const name = path.basename(file).replace(/\.ya?ml$/, '');
    // the first of a name is the one that is loaded
    if (entries.some((entry) => entry.name === name)) continue;
    try {
      const manifest = await readManifest(shown);
      entries.push({
        name,
        title: manifest.title ?? '',
        kind: manifest.synthetic !== undefined ? 'synthetic' : manifest.package !== undefined ? 'package' : 'file',
        symbol: manifest.instrument.symbol,
        interval: manifest.interval,
        calendar: manifest.calendar,
        available: manifest.file === undefined || existsSync(path.resolve(path.dirname(file), manifest.file)),
        manifest: shown,
        problem: null,
      });
    } catch (error) {
      if (!(error instanceof OpenBellError)) throw error;
      entries.push({
        name,
        title: '',
        kind: 'broken',
        symbol: '',
        interval: '',
        calendar: '',
        available: false,
        manifest: shown,
        problem: error.message,
      });
    }
  }
  return entries;
}
