/** Whether this machine has what OpenBell needs, and what is optional. */
import { existsSync, mkdirSync, statfsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { exp } from '#env/math/index.js';
import { loadDataset } from '#src/data/load.js';
import { OpenBellError } from '#src/errors.js';
import { NATIVE_BELOW_NODE, NATIVE_PACKAGE } from './tfjs-backend.js';

export interface Finding {
  readonly name: string;
  /** warning: something optional is missing. failure: OpenBell does not work. */
  readonly status: 'ok' | 'warning' | 'failure';
  readonly detail: string;
}

/** A module of one function that returns the v128 constant 0: valid only where SIMD is supported. */
const SIMD_MODULE = Uint8Array.from([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);
const NEEDED_NODE = [20, 19];
const FREE_BYTES = 1_000_000_000;

export async function examineMachine(runsDir: string): Promise<Finding[]> {
  return [nodeVersion(), wasmSimd(), kernels(), tfjsNode(), await embeddedData(), diskSpace(runsDir)];
}

function nodeVersion(): Finding {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const enough = major > NEEDED_NODE[0] || (major === NEEDED_NODE[0] && minor >= NEEDED_NODE[1]);
  const detail = `${process.version} on ${process.platform} ${process.arch}`;
  return enough
    ? { name: 'Node.js', status: 'ok', detail }
    : { name: 'Node.js', status: 'failure', detail: `${detail}; install ${NEEDED_NODE.join('.')} or newer` };
}

function wasmSimd(): Finding {
  const name = 'WebAssembly SIMD';
  try {
    const compiled = new WebAssembly.Module(SIMD_MODULE);
    return { name, status: 'ok', detail: compiled instanceof WebAssembly.Module ? 'supported' : 'unknown' };
  } catch {
    return { name, status: 'failure', detail: 'this processor or build of Node has none; the policy engine needs it' };
  }
}

function kernels(): Finding {
  // e to the last bit: what the compiled kernel gives everywhere
  const good = exp(1) === Math.E;
  return good
    ? { name: 'kernels', status: 'ok', detail: 'compiled mathematics loads and is exact' }
    : { name: 'kernels', status: 'failure', detail: `exp(1) is ${exp(1)}; run npm run build` };
}

/** Optional: the default engine needs none of it. */
function tfjsNode(): Finding {
  const name = 'tfjs-node (optional)';
  const major = Number(process.versions.node.split('.')[0]);
  const folder = packageFolder(NATIVE_PACKAGE);
  if (folder === null)
    return { name, status: 'ok', detail: 'not installed; only training.tfjs_backend: native needs it' };
  if (major >= NATIVE_BELOW_NODE)
    return {
      name,
      status: 'warning',
      detail: `installed, but it does not run on Node ${NATIVE_BELOW_NODE} or newer (this is ${process.version}): training.tfjs_backend may be cpu or wasm`,
    };
  const library = path.join(folder, 'lib', 'napi-v8', 'tfjs_binding.node');
  return existsSync(library)
    ? { name, status: 'ok', detail: 'native library present, for training.tfjs_backend: native' }
    : {
        name,
        status: 'warning',
        detail: `its native library was not downloaded: npm rebuild ${NATIVE_PACKAGE}; only training.tfjs_backend: native needs it`,
      };
}

function packageFolder(name: string): string | null {
  try {
    return path.dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    return null;
  }
}

async function embeddedData(): Promise<Finding> {
  const name = 'embedded data';
  try {
    const { length, source, openTimeMs } = await loadDataset('aapl-daily');
    const day = (timeMs: number): string => new Date(timeMs).toISOString().slice(0, 10);
    return {
      name,
      status: 'ok',
      detail: `${source}: ${length} bars, ${day(openTimeMs[0])} to ${day(openTimeMs[length - 1])}, sha256 verified`,
    };
  } catch (error) {
    if (!(error instanceof OpenBellError)) throw error;
    return { name, status: 'failure', detail: error.message };
  }
}

function diskSpace(runsDir: string): Finding {
  const name = 'disk';
  try {
    mkdirSync(runsDir, { recursive: true });
    const { bavail, bsize } = statfsSync(runsDir);
    const free = bavail * bsize;
    const detail = `${(free / 1e9).toFixed(1)} GB free for ${path.resolve(runsDir)}`;
    return { name, status: free < FREE_BYTES ? 'warning' : 'ok', detail };
  } catch (error) {
    return {
      name,
      status: 'failure',
      detail: `${runsDir} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}
