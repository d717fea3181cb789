/** Where TensorFlow.js computes: in JavaScript, in WebAssembly, or natively. */
import { createRequire } from 'node:module';
import type { TrainingConfig } from '#src/config/schema.js';
import { fail } from '#src/errors.js';

export type TfjsBackend = TrainingConfig['tfjs_backend'];

/** The optional dependency, under the name that package.json gives it. */
export const NATIVE_PACKAGE = 'tfjs-node-native';
/** @tensorflow/tfjs-node calls functions that Node 23 has removed. */
export const NATIVE_BELOW_NODE = 23;

/** Sets the backend of this process. Throws CONFIG_VALUE with the remedy where it is not to be had. */
export async function useTfjsBackend(backend: TfjsBackend): Promise<void> {
  const tf = await import('@tensorflow/tfjs');
  // without its advice to install another package
  tf.enableProdMode();
  if (backend === 'wasm') {
    const { setThreadsCount } = await import('@tensorflow/tfjs-backend-wasm');
    // sums in one order
    setThreadsCount(1);
  } else if (backend === 'native') {
    await loadNative();
  }
  const name = backend === 'native' ? 'tensorflow' : backend;
  if (tf.findBackendFactory(name) === null || !(await tf.setBackend(name)))
    refuse(backend, 'TensorFlow.js cannot start it on this machine; take cpu');
}

async function loadNative(): Promise<void> {
  const instead = 'or set training.tfjs_backend to wasm or cpu';
  const [major] = process.versions.node.split('.').map(Number);
  if (major >= NATIVE_BELOW_NODE)
    refuse(
      'native',
      `@tensorflow/tfjs-node does not run on Node ${process.version}: take Node 22 or older, ${instead}`,
    );
  const require = createRequire(import.meta.url);
  try {
    require.resolve(NATIVE_PACKAGE);
  } catch (cause) {
    const message = `the optional package ${NATIVE_PACKAGE} is not installed: npm install --include=optional downloads its native library, ${instead}`;
    refuse('native', message, cause);
  }
  try {
    require(NATIVE_PACKAGE);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
    refuse('native', `${NATIVE_PACKAGE} does not load (${why}): npm rebuild ${NATIVE_PACKAGE}, ${instead}`, cause);
  }
}

function refuse(value: TfjsBackend, message: string, cause?: unknown): never {
  return fail('CONFIG_VALUE', { where: 'training.tfjs_backend', value, message, cause });
}
