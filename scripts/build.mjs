// Builds what a clone needs to run: AssemblyScript kernels to WebAssembly, then TypeScript to dist/.
// Each X.as.ts becomes X.wasm.ts beside it, a module that exports the bytes (base64), so that env/ and
// agents/ load their kernels without any file access.
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const onlyKernels = process.argv.includes('--kernels');

async function kernelSources() {
  const found = [];
  for (const folder of ['env', 'agents']) {
    const entries = await readdir(path.join(root, folder), { recursive: true });
    for (const entry of entries) if (entry.endsWith('.as.ts')) found.push(path.join(folder, entry));
  }
  return found.sort();
}

/** A kernel with this line imports a memory that threads may share; the others' memories are their own. */
const SHARED_MEMORY = /^\/\/ memory: shared$/m;

/** Compiles one kernel file. Files named `_*.as.ts` are only imported by others and yield no module. */
async function compileKernel(source) {
  const asc = (await import('assemblyscript/asc')).default;
  const shared = SHARED_MEMORY.test(await readFile(path.join(root, source), 'utf8'));
  let wasm;
  const { error, stderr } = await asc.main(
    [
      source,
      '--optimizeLevel',
      '3',
      '--shrinkLevel',
      '0',
      '--converge',
      '--noAssert',
      '--runtime',
      'stub',
      '--enable',
      'simd',
      '--importMemory',
      '--initialMemory',
      '1',
      ...(shared ? ['--enable', 'threads', '--sharedMemory', '--maximumMemory', '65536'] : []),
      '--use',
      'abort=',
      '-o',
      'out.wasm',
    ],
    {
      readFile: (name, base) => readFile(path.resolve(root, base ?? '.', name), 'utf8').catch(() => null),
      writeFile: (name, contents) => {
        if (name.endsWith('.wasm')) wasm = contents;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`${source}: ${error.message}\n${stderr.toString()}`);
  const target = path.join(root, source.replace(/\.as\.ts$/, '.wasm.ts'));
  const text =
    `// Generated from ${path.basename(source)} by scripts/build.mjs: do not edit.\n` +
    `export const wasmBase64 =\n  '${Buffer.from(wasm).toString('base64')}';\n`;
  const before = await readFile(target, 'utf8').catch(() => '');
  if (before !== text) await writeFile(target, text);
  return wasm.length;
}

for (const source of await kernelSources()) {
  if (path.basename(source).startsWith('_')) continue;
  const bytes = await compileKernel(source);
  if (process.stderr.isTTY) console.error(`${source}: ${bytes} bytes of WebAssembly`);
}

if (!onlyKernels) {
  await rm(path.join(root, 'dist'), { recursive: true, force: true });
  const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  await stat(tsc);
  const result = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  process.exit(result.status ?? 1);
}
