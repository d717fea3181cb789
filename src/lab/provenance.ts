/** What a run was made of: code, kernels, lockfile, machine. Written into run.json, read by nobody but people and checks. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface GitState {
  readonly commit: string;
  /** True where tracked files differ from the commit; the difference is in dirty.patch. */
  readonly dirty: boolean;
}

export interface CodeIdentity {
  readonly openbell: string;
  readonly git: GitState | null;
  readonly lockfile_sha256: string | null;
  /** sha256 of each WebAssembly module by name. */
  readonly kernels: Readonly<Record<string, string>>;
}

export interface HostIdentity {
  readonly hostname: string;
  readonly platform: string;
  readonly arch: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memory_bytes: number;
  readonly node: string;
  readonly v8: string;
}

/** The package's folder: the nearest above this file that holds package.json. */
export const packageRoot: string = findPackageRoot(path.dirname(fileURLToPath(import.meta.url)));
/** Where env/ and agents/ lie: the package itself, or its dist/. */
const codeRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

function findPackageRoot(folder: string): string {
  if (existsSync(path.join(folder, 'package.json'))) return folder;
  const above = path.dirname(folder);
  return above === folder ? folder : findPackageRoot(above);
}

const sha256 = (contents: string | Uint8Array): string => createHash('sha256').update(contents).digest('hex');

export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8'));
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : null;
  return typeof version === 'string' ? version : 'unknown';
}

/** The code's identity, and the difference from the commit where there is one. */
export async function identifyCode(): Promise<{ identity: CodeIdentity; patch: string | null }> {
  const lockfile = path.join(packageRoot, 'package-lock.json');
  const { git, patch } = gitState();
  return {
    identity: {
      openbell: packageVersion(),
      git,
      lockfile_sha256: existsSync(lockfile) ? sha256(readFileSync(lockfile)) : null,
      kernels: await kernelHashes(),
    },
    patch,
  };
}

export function identifyHost(): HostIdentity {
  const cpus = os.cpus();
  return {
    hostname: os.hostname(),
    platform: `${process.platform} ${os.release()}`,
    arch: process.arch,
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memory_bytes: os.totalmem(),
    node: process.version,
    v8: process.versions.v8,
  };
}

function gitState(): { git: GitState | null; patch: string | null } {
  // installed as a package, OpenBell lies in nobody's repository, or in that of a project which is not it
  if (!existsSync(path.join(packageRoot, '.git'))) return { git: null, patch: null };
  const git = (...args: string[]): string | null => {
    const result = spawnSync('git', args, { cwd: packageRoot, encoding: 'utf8', maxBuffer: 64 << 20, timeout: 20_000 });
    return result.status === 0 ? result.stdout : null;
  };
  const commit = git('rev-parse', 'HEAD')?.trim();
  if (commit === undefined) return { git: null, patch: null };
  const patch = git('diff', 'HEAD', '--no-color', '--no-ext-diff') ?? '';
  return { git: { commit, dirty: patch !== '' }, patch: patch === '' ? null : patch };
}

async function kernelHashes(): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const folder of ['agents', 'env']) {
    const found = readdirSync(path.join(codeRoot, folder), { recursive: true, encoding: 'utf8' });
    for (const entry of found.filter((name) => /\.wasm\.(js|ts)$/.test(name)).sort()) {
      const file = path.join(codeRoot, folder, entry);
      const module: unknown = await import(pathToFileURL(file).href);
      if (typeof module !== 'object' || module === null || !('wasmBase64' in module)) continue;
      const name = path.posix.join(folder, entry.replaceAll('\\', '/')).replace(/\.(js|ts)$/, '');
      hashes[name] = sha256(Buffer.from(String(module.wasmBase64), 'base64'));
    }
  }
  return hashes;
}
