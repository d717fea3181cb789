import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import type { PolicyEngine, PolicySpec } from '#agents/policy/contract.js';
import { loadExperiment } from '#src/config/load.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import { configHash } from '#src/config/show.js';
import { makeEngine } from './engine.js';
import { loadPolicyModule, policyFileChanged, withPolicyHash } from './policy-module.js';
import { useTfjsBackend } from './tfjs-backend.js';

const folder = mkdtempSync(path.join(tmpdir(), 'openbell-policy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SPEC: PolicySpec = {
  observationSize: 4,
  action: { kind: 'discrete', n: 2 },
  netArch: { pi: [8], vf: [8] },
  activation: 'tanh',
  orthoInit: true,
  logStdInit: 0,
};

const write = (name: string, text: string): string => {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
};

/** An experiment in the folder that names `module`. */
function configWith(module: string, more = ''): ExperimentConfig {
  write(
    'experiment.yaml',
    `env: { id: CartPole-v1 }\nagent: { policy: { module: ${module}${more} } }\ntraining: { engine: tfjs }\n`,
  );
  return loadExperiment(path.join(folder, 'experiment.yaml')).config;
}

async function engineFrom(config: ExperimentConfig): Promise<PolicyEngine> {
  return makeEngine(config, SPEC, await loadPolicyModule(config));
}

const BLOCKS = `import * as tf from '@tensorflow/tfjs';
export enum Size { small = 4 }
export const tower = (inputs: number, outputs: number): tf.LayersModel =>
  tf.sequential({ layers: [tf.layers.dense({ units: Size.small, inputShape: [inputs] }), tf.layers.dense({ units: outputs })] });
`;
const POLICY = `import { tower } from './blocks.js';
import type { PolicyContext, PolicyModels } from 'openbell/dist/agents/policy/tfjs/policy-module.js';
export function buildPolicy({ observationSize, actionOutputs }: PolicyContext): PolicyModels {
  return { actor: tower(observationSize, actionOutputs), critic: tower(observationSize, 1) };
}
`;

beforeEach(() => {
  write('blocks.ts', BLOCKS);
  write('policy.ts', POLICY);
});

describe("a user's policy file", () => {
  it('may be TypeScript that imports TypeScript, with enums and types', async () => {
    const engine = await engineFrom(configWith('./policy.ts'));
    expect(engine.layout[0]).toMatchObject({ name: 'actor/dense_Dense1/kernel', shape: [4, 4] });
  });

  it.each([
    ['plain.mjs', 'export const buildPolicy'],
    ['plain.js', 'export default'],
    ['plain.mts', 'export const buildPolicy'],
  ])('may be %s, with its own name or as the default export', async (name, exported) => {
    write(
      name,
      `import * as tf from '@tensorflow/tfjs';\n${exported} ${exported.endsWith('default') ? '' : '='} ({ spec }) => {
        const net = (units) => tf.sequential({ layers: [tf.layers.dense({ units, inputShape: [spec.observationSize] })] });
        return { actor: net(spec.action.n), critic: net(1) };
      };`,
    );
    expect((await engineFrom(configWith(`./${name}`))).parameterCount).toBe(15);
  });

  it('starts from the same weights for the same seed though its initialisers have none, and from others for another', async () => {
    const config = configWith('./policy.ts');
    const a = (await engineFrom(config)).getParameters();
    expect((await engineFrom(config)).getParameters()).toEqual(a);
    expect((await engineFrom({ ...config, seed: 1 })).getParameters()).not.toEqual(a);
  });

  it('leaves Math.random as it was', async () => {
    const before = Object.getOwnPropertyDescriptor(Math, 'random');
    await engineFrom(configWith('./policy.ts'));
    expect(Object.getOwnPropertyDescriptor(Math, 'random')).toEqual(before);
  });

  it('is told what the experiment says', async () => {
    write('told.mjs', 'export default (context) => { throw new Error(JSON.stringify(context)); };');
    const config = configWith('./told.mjs', ', kwargs: { units: 32, names: [a, b] }');
    await expect(engineFrom(config)).rejects.toThrow(
      /"observationSize":4,"actionOutputs":2,.*"seed":\d+,"kwargs":\{"units":32,"names":\["a","b"\]\}/,
    );
  });
});

describe('its identity', () => {
  it('is its text with all that it imports, and counts in the hash of the configuration; its place does not', async () => {
    const config = configWith('./policy.ts');
    const hash = async (from: ExperimentConfig): Promise<string> =>
      configHash(withPolicyHash(from, await loadPolicyModule(from)));
    const before = await hash(config);
    write('elsewhere/blocks.ts', BLOCKS);
    write('elsewhere/policy.ts', POLICY);
    expect(await hash(configWith('./elsewhere/policy.ts'))).toBe(before);
    write('blocks.ts', BLOCKS.replace('small = 4', 'small = 5'));
    expect(await hash(config)).not.toBe(before);
    expect(await hash(configWith('./elsewhere/policy.ts', ', kwargs: { units: 1 }'))).not.toBe(before);
  });

  it('is refused where the experiment names another sha256', async () => {
    const module = await loadPolicyModule(configWith('./policy.ts'));
    if (module === null) throw new Error('no module');
    const named = configWith('./policy.ts', `, sha256: ${module.sha256}`);
    expect((await loadPolicyModule(named))?.sha256).toBe(module.sha256);
    expect(await policyFileChanged(module.file, module.sha256)).toBeNull();
    write('blocks.ts', BLOCKS.replace('small = 4', 'small = 5'));
    await expect(loadPolicyModule(named)).rejects.toThrow(/^POLICY_MODULE .*policy\.ts "[0-9a-f]{64}": it, or a file/);
    expect(await policyFileChanged(module.file, module.sha256)).toMatch(/policy\.ts has changed since the run began/);
  });

  it('survives as a bundle, which is taken as it is', async () => {
    const module = await loadPolicyModule(configWith('./policy.ts'));
    write('copy/policy.cjs', module?.bundle ?? '');
    const copy = await loadPolicyModule(configWith('./copy/policy.cjs'));
    expect(copy?.sha256).toBe(module?.sha256);
    expect(copy?.models(SPEC, new RandomStream(1, 'init'))).toMatchObject({ actor: {}, critic: {} });
  });
});

describe('what is wrong with it is said with file and line', () => {
  it.each<[string, string, RegExp]>([
    ['a.ts', 'export const x: = 1;', /^POLICY_MODULE .*a\.ts:1:\d+: .*cannot be compiled \(export const x: = 1;\)/],
    ['b.ts', "import { y } from './none.js';\nexport default y;", /b\.ts:1:\d+: Could not resolve "\.\/none\.js"/],
    ['c.ts', 'export const build = 1;', /c\.ts \["build"\]: it must export a function buildPolicy/],
    [
      'd.ts',
      'throw new Error("no luck");\nexport {};',
      /d\.ts: loading it failed: no luck \(at: throw new Error\("no luck"\);\)/,
    ],
    [
      'e.ts',
      "import * as tf from '@tensorflow/tfjs';\nexport default () => tf.layers.dense({ units: -1 });",
      /e\.ts: buildPolicy failed: .*\(at: .*tf\.layers\.dense/,
    ],
    [
      'f.ts',
      "import * as tf from '@tensorflow/tfjs-node';\nexport default () => tf;",
      /f\.ts "@tensorflow\/tfjs-node": import '@tensorflow\/tfjs' instead: training\.tfjs_backend/,
    ],
    ['g.ts', 'await Promise.resolve();\nexport default () => 1;', /g\.ts:1:\d+: Top-level await/],
    ['h.json', '{}', /h\.json "\.json": a policy file is TypeScript or JavaScript/],
  ])('%s', async (name, text, message) => {
    write(name, text);
    await expect(engineFrom(configWith(`./${name}`))).rejects.toThrow(message);
  });

  it('in a file that it imports', async () => {
    write('blocks.ts', 'export const tower = 1 +;\n');
    await expect(engineFrom(configWith('./policy.ts'))).rejects.toThrow(/^POLICY_MODULE .*blocks\.ts:1:\d+: /);
  });

  it('a file that is not there', async () => {
    await expect(engineFrom(configWith('./nothing.ts'))).rejects.toThrow(
      /^POLICY_MODULE .*nothing\.ts: there is no such file; agent\.policy\.module is relative to the experiment file/,
    );
  });
});

describe('the backend', () => {
  it('computes in WebAssembly what it computes in JavaScript, but for rounding', async () => {
    const config = configWith('./policy.ts');
    const values = async (backend: 'cpu' | 'wasm'): Promise<Float32Array> => {
      const engine = await engineFrom({ ...config, training: { ...config.training, tfjs_backend: backend } });
      const out = new Float32Array(3);
      engine.predictValues(
        out,
        Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)),
        3,
      );
      return out;
    };
    const [cpu, wasm] = [await values('cpu'), await values('wasm')];
    cpu.forEach((value, i) => expect(Math.abs(value - wasm[i])).toBeLessThan(1e-5));
  });

  it('must not change under an engine', async () => {
    const config = configWith('./policy.ts');
    const engine = await engineFrom(config);
    await useTfjsBackend('wasm');
    expect(() => engine.predictValues(new Float32Array(1), new Float32Array(4), 1)).toThrow(
      /^POLICY_STATE tfjs backend "wasm": this policy computes on cpu/,
    );
  });

  it('is refused with the remedy where it is not to be had', async () => {
    let installed = true;
    try {
      import.meta.resolve('tfjs-node-native');
    } catch {
      installed = false;
    }
    if (installed) return console.warn('skipped: tfjs-node-native is installed here');
    return expect(useTfjsBackend('native')).rejects.toThrow(
      /^CONFIG_VALUE training\.tfjs_backend "native": (the optional package|@tensorflow\/tfjs-node does not run).* or set training\.tfjs_backend to wasm or cpu$/,
    );
  });
});
