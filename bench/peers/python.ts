/** The Python that runs the peers: a given one, or a virtual environment that is made here. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../report.js';

export interface PythonOptions {
  /** An interpreter that has the peers already. */
  readonly python?: string;
  /** Folder of the virtual environment; made where it is missing. */
  readonly venv: string;
}

export type PeerName = 'sb3' | 'sbx';

const MODULE: Record<PeerName, string> = { sb3: 'stable_baselines3', sbx: 'sbx' };

const succeeds = (command: string, args: readonly string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** Whether that interpreter can run a peer. */
export const hasPeer = (python: string, peer: PeerName): boolean => succeeds(python, ['-c', `import ${MODULE[peer]}`]);

/** The interpreter's path, or why there is none. */
export function findPython({ python, venv }: PythonOptions): { python: string } | { missing: string } {
  const given = python ?? path.join(venv, 'bin', 'python');
  if (python === undefined && !existsSync(given)) {
    const problem = makeVenv(venv);
    if (problem !== null) return { missing: problem };
  }
  if (!succeeds(given, ['--version'])) return { missing: `${given} does not run` };
  if (!hasPeer(given, 'sb3')) {
    const wanted = path.join('bench', 'peers', 'requirements.txt');
    return { missing: `${given} has no stable-baselines3: ${given} -m pip install -r ${wanted}` };
  }
  return { python: given };
}

/** null, or why it could not be made. */
function makeVenv(venv: string): string | null {
  if (!succeeds('python3', ['--version'])) return 'there is no python3 on this machine';
  process.stderr.write(`making ${venv}: this downloads some gigabytes, once\n`);
  const made = spawnSync('python3', ['-m', 'venv', venv], { stdio: ['ignore', 2, 2] });
  if (made.status !== 0) return `python3 -m venv ${venv} failed`;
  const install = (file: string): boolean => {
    const requirements = path.join(ROOT, 'bench', 'peers', file);
    const pip = [path.join(venv, 'bin', 'python'), '-m', 'pip', 'install', '--quiet', '-r', requirements];
    return spawnSync(pip[0], pip.slice(1), { stdio: ['ignore', 2, 2] }).status === 0;
  };
  if (!install('requirements.txt')) return `pip could not install bench/peers/requirements.txt into ${venv}`;
  // it has no wheels for some machines, and is measured only where it installs
  install('requirements-sbx.txt');
  return null;
}
