/** Where data sets live: datasets/ of the current directory and of the package. */
import { existsSync, readFileSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail } from '#src/errors.js';

/** The folder of OpenBell's package.json, from the sources as well as from dist/. */
export function packageRoot(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const file = path.join(folder, 'package.json');
    if (existsSync(file) && /"name":\s*"openbell"/.test(readFileSync(file, 'utf8'))) return folder;
    const parent = path.dirname(folder);
    if (parent === folder)
      return fail('DATA_FILE', {
        where: fileURLToPath(import.meta.url),
        message: 'no package.json of openbell lies above this file: install it again',
      });
    folder = parent;
  }
}

/** The user's own folder first: a manifest there hides one of the same name in the package. */
export function datasetFolders(cwd: string = process.cwd()): string[] {
  return [...new Set([path.join(cwd, 'datasets'), path.join(packageRoot(), 'datasets')])];
}

/** All manifest files, in a stable order. */
export async function manifestFiles(cwd?: string): Promise<string[]> {
  const files: string[] = [];
  for (const folder of datasetFolders(cwd)) {
    if (!existsSync(folder)) continue;
    await collectManifests(folder, files, new Set());
  }
  return files;
}

/** Files before folders, each in the order of their names. A folder is entered once, also where links lead back to it. */
async function collectManifests(folder: string, files: string[], entered: Set<string>): Promise<void> {
  const real = await realpath(folder);
  if (entered.has(real)) return;
  entered.add(real);
  const folders: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const entry = path.join(folder, name);
    const info = await stat(entry).catch(() => null);
    if (info?.isDirectory() === true) folders.push(entry);
    // a link that leads nowhere is listed too, as broken
    else if (/\.ya?ml$/.test(name)) files.push(entry);
  }
  for (const inner of folders) await collectManifests(inner, files, entered);
}

/** A path as a person would write it: relative to the current directory where that is shorter. */
export function shownPath(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative !== '' && relative.length < file.length ? relative : file;
}
