/** Other versions of Node, from the registry's package `node`, in the user's cache. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

export interface NodeBinary {
  /** "22" */
  readonly major: string;
  /** "22.23.3"; null: it could not be had. */
  readonly version: string | null;
  readonly file: string;
  /** Why it could not be had. */
  readonly problem: string;
}

export function nodeBinary(major: string): NodeBinary {
  const cache = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  const folder = path.join(cache, 'openbell', `node-${major}`);
  const file = path.join(folder, 'node_modules', 'node', 'bin', 'node');
  const found = { major, file };
  if (process.versions.node.startsWith(`${major}.`)) {
    return { major, file: process.execPath, version: process.versions.node, problem: '' };
  }
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    const npm = spawnSync('npm', ['install', '--no-save', '--silent', '--prefix', folder, `node@${major}`], {
      encoding: 'utf8',
      timeout: 300_000,
    });
    if (npm.status !== 0)
      return { ...found, version: null, problem: `npm install node@${major}: ${npm.stderr.trim()}` };
  }
  const asked = spawnSync(file, ['--version'], { encoding: 'utf8' });
  const version = asked.status === 0 ? asked.stdout.trim().replace(/^v/, '') : null;
  return { ...found, version, problem: version === null ? `${file} does not run` : '' };
}
