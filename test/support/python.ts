/** A Python with what a test needs, or null: OPENBELL_PEERS_VENV, the benches' own environment, or the system's. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

export function pythonWith(...modules: readonly string[]): string | null {
  const venv = process.env['OPENBELL_PEERS_VENV'] ?? path.join(root, 'bench', 'peers', '.venv');
  const imports = modules.map((name) => `import ${name}`).join('; ');
  const candidates = [path.join(venv, 'bin', 'python'), 'python3'];
  return candidates.find((python) => spawnSync(python, ['-c', imports], { stdio: 'ignore' }).status === 0) ?? null;
}
