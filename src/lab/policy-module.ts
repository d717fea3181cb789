/**
 * A user's policy file (agents/policy/tfjs/policy-module.ts says what it exports), in TypeScript or JavaScript. It and
 * all that it imports are bundled to one text, whose sha256 is the policy's identity: it counts in the configuration's
 * hash, and a run keeps the text itself, to be resumed and evaluated from whatever becomes of the file.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Script } from 'node:vm';
import type { RandomStream } from '#env/seeding.js';
import { headSize } from '#agents/policy/layout.js';
import type { PolicySpec } from '#agents/policy/contract.js';
import type { PolicyContext } from '#agents/policy/tfjs/policy-module.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import { isTree, shownPath } from '#src/config/yaml-source.js';
import { fail } from '#src/errors.js';

/** First line of every bundle: what begins with it is taken as it is. */
const BANNER =
  '// openbell policy bundle 1: a policy file with all that it imports. Edit the file it came from, not this.';
/** How a run's own copy is called. */
export const BUNDLE_NAME = 'policy.cjs';

/** One copy of TensorFlow.js for the engine and the user's file, or their tensors would not be of one kind. */
const TFJS = ['@tensorflow/tfjs', '@tensorflow/tfjs-core', '@tensorflow/tfjs-layers'];
const TFJS_NODE = ['@tensorflow/tfjs-node', '@tensorflow/tfjs-node-gpu', 'tfjs-node-native'];

export interface PolicyModule {
  /** Absolute. */
  readonly file: string;
  /** The file as messages show it. */
  readonly where: string;
  readonly bundle: string;
  /** Of the bundle. */
  readonly sha256: string;
  /** What the file's function returns, unchecked. The file is evaluated anew in each call, so that calls do not depend on each other. */
  readonly models: (spec: PolicySpec, init: RandomStream) => unknown;
}

/** The policy file of a configuration; null where it names none. Throws POLICY_MODULE naming the file. */
export async function loadPolicyModule({ agent }: ExperimentConfig): Promise<PolicyModule | null> {
  if (agent.policy === null) return null;
  const { module: file, sha256: expected, kwargs } = agent.policy;
  const where = shownPath(file);
  const bundle = await bundlePolicy(file, where);
  const sha256 = createHash('sha256').update(bundle).digest('hex');
  if (expected !== null && expected !== sha256) {
    fail('POLICY_MODULE', {
      where,
      value: sha256,
      message: `it, or a file that it imports, has changed: agent.policy.sha256 is ${expected}. Put it back, or train anew without the hash`,
    });
  }
  return { file, where, bundle, sha256, models: (spec, init) => runBuilder(bundle, file, where, spec, init, kwargs) };
}

/** The configuration with the policy's hash in it, so that `configHash` names the policy too. */
export function withPolicyHash(config: ExperimentConfig, module: PolicyModule | null): ExperimentConfig {
  const { agent } = config;
  if (agent.policy === null || module === null) return config;
  return { ...config, agent: { ...agent, policy: { ...agent.policy, sha256: module.sha256 } } };
}

/** The configuration with the policy in another file. */
export function withPolicyFile(config: ExperimentConfig, file: string): ExperimentConfig {
  const { agent } = config;
  if (agent.policy === null) return config;
  return { ...config, agent: { ...agent, policy: { ...agent.policy, module: file } } };
}

/** Says how a file differs from what a run was begun with; null: not at all, or it is gone, which does not matter. */
export async function policyFileChanged(file: string, sha256: string): Promise<string | null> {
  if (!existsSync(file)) return null;
  const where = shownPath(file);
  const bundle = await bundlePolicy(file, where).catch((error: unknown) => (error instanceof Error ? error : null));
  const now = typeof bundle === 'string' ? createHash('sha256').update(bundle).digest('hex') : null;
  return now === sha256 ? null : `${where} has changed since the run began: the run goes on with its own copy of it`;
}

async function bundlePolicy(file: string, where: string): Promise<string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    const why = code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code})`;
    fail('POLICY_MODULE', { where, message: `${why}; agent.policy.module is relative to the experiment file`, cause });
  }
  if (text.startsWith(BANNER)) return text;
  const extension = path.extname(file);
  if (!/^\.[cm]?[jt]s$/.test(extension)) {
    const message = 'a policy file is TypeScript or JavaScript: .ts, .mts, .js, .mjs or .cjs';
    fail('POLICY_MODULE', { where, value: extension, message });
  }
  const { build } = await import('esbuild');
  try {
    const { outputFiles } = await build({
      entryPoints: [`./${path.basename(file)}`],
      absWorkingDir: path.dirname(file),
      bundle: true,
      write: false,
      format: 'cjs',
      platform: 'node',
      target: 'node20.19',
      charset: 'utf8',
      legalComments: 'none',
      logLevel: 'silent',
      // the bundle depends on the sources alone
      tsconfigRaw: {},
      banner: { js: BANNER },
      external: [...TFJS, ...TFJS_NODE],
    });
    return outputFiles[0].text;
  } catch (cause) {
    return fail('POLICY_MODULE', { ...describeBuildFailure(cause, where), cause });
  }
}

/** The place is in the file itself or in one that it imports. */
function describeBuildFailure(cause: unknown, where: string): { where: string; message: string } {
  const errors: unknown = isTree(cause) || cause instanceof Error ? Reflect.get(cause, 'errors') : undefined;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  if (!isTree(first)) return { where, message: cause instanceof Error ? cause.message : String(cause) };
  const { text, location } = first;
  const message = `${String(text)}; the file cannot be compiled`;
  if (!isTree(location)) return { where, message };
  const { file, line, column, lineText } = location;
  return {
    where: `${path.join(path.dirname(where), String(file))}:${String(line)}:${Number(column) + 1}`,
    message: `${message} (${String(lineText).trim()})`,
  };
}

function runBuilder(
  bundle: string,
  file: string,
  where: string,
  spec: PolicySpec,
  init: RandomStream,
  kwargs: Readonly<Record<string, unknown>>,
): unknown {
  const context: PolicyContext = {
    observationSize: spec.observationSize,
    actionOutputs: headSize(spec),
    spec,
    // tfjs takes a seed of 0 for none
    seed: 1 + init.integer(2_147_483_646),
    kwargs,
  };
  return withRandom(init, () => {
    const exported = evaluate(bundle, file, where);
    const named = exported['buildPolicy'] ?? exported['default'];
    if (typeof named !== 'function') {
      fail('POLICY_MODULE', {
        where,
        value: Object.keys(exported),
        message: 'it must export a function buildPolicy(context), by this name or as its default',
      });
    }
    try {
      const models: unknown = Reflect.apply(named, undefined, [context]);
      return models;
    } catch (cause) {
      return fail('POLICY_MODULE', { where, message: `buildPolicy failed: ${describeThrown(cause, bundle)}`, cause });
    }
  });
}

/** In errors' stacks the bundle is called so. */
const SCRIPT_NAME = 'openbell-policy-bundle';

function evaluate(bundle: string, file: string, where: string): Record<string, unknown> {
  const require = createRequire(file);
  const own = createRequire(import.meta.url);
  const supply = (name: string): unknown => {
    if (TFJS.includes(name)) return own('@tensorflow/tfjs');
    if (TFJS_NODE.includes(name)) {
      const message = "import '@tensorflow/tfjs' instead: training.tfjs_backend says where it computes";
      fail('POLICY_MODULE', { where, value: name, message });
    }
    const supplied: unknown = require(name);
    return supplied;
  };
  const module: { exports: Record<string, unknown> } = { exports: {} };
  // on the first line, so that lines are the bundle's
  const source = `(function (exports, require, module) {${bundle}\n})`;
  const compiled: unknown = new Script(source, { filename: SCRIPT_NAME }).runInThisContext();
  if (typeof compiled !== 'function') throw new TypeError('a function expression is a function');
  try {
    Reflect.apply(compiled, undefined, [module.exports, supply, module]);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'POLICY_MODULE') throw cause;
    fail('POLICY_MODULE', { where, message: `loading it failed: ${describeThrown(cause, bundle)}`, cause });
  }
  return module.exports;
}

/** What was thrown, with the line of the user's code that it came from. */
function describeThrown(cause: unknown, bundle: string): string {
  if (!(cause instanceof Error)) return String(cause);
  const line = new RegExp(`${SCRIPT_NAME}:(\\d+)`).exec(cause.stack ?? '')?.[1];
  const code = line === undefined ? undefined : bundle.split('\n')[Number(line) - 1]?.trim();
  return `${cause.message.split('\n', 1)[0]}${code === undefined ? '' : ` (at: ${code})`}`;
}

/** Initialisers without a seed draw it from Math.random: meanwhile that is the run's own stream. */
function withRandom<T>(stream: RandomStream, work: () => T): T {
  const before = Object.getOwnPropertyDescriptor(Math, 'random');
  if (before === undefined) throw new TypeError('Math has no random');
  Object.defineProperty(Math, 'random', { ...before, value: () => stream.uniform() });
  try {
    return work();
  } finally {
    Object.defineProperty(Math, 'random', before);
  }
}
