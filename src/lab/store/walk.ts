/** The folders under the runs' folder that may be runs: runs/<experiment>/<run>, and a run that lies at the top. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

export interface RunFolder {
  /** "experiment/run", or "run" for one that lies at the top. */
  readonly id: string;
  readonly path: string;
}

/** In the order of their names. Names that begin with a dot are OpenBell's own, and no runs. */
export function runFolders(runsDir: string): RunFolder[] {
  const found: RunFolder[] = [];
  for (const experiment of subfolders(runsDir)) {
    const folder = path.join(runsDir, experiment);
    if (existsSync(path.join(folder, 'run.json'))) {
      found.push({ id: experiment, path: folder });
      continue;
    }
    for (const run of subfolders(folder)) found.push({ id: `${experiment}/${run}`, path: path.join(folder, run) });
  }
  return found;
}

function subfolders(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter(
      (entry) =>
        !entry.name.startsWith('.') &&
        (entry.isDirectory() || (entry.isSymbolicLink() && isFolder(path.join(folder, entry.name)))),
    )
    .map((entry) => entry.name)
    .sort();
}

/** Also behind a link; a link to nowhere is none. */
function isFolder(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
}
