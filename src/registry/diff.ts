/** What differs between two bundles: where they come from, what trades, the weights, the figures, the gates. */
import { parse } from 'yaml';
import type { StateArray, StateDict } from '#env/state.js';
import { policyLayout } from '#agents/policy/layout.js';
import { isTree } from '#src/config/yaml-source.js';
import { fail } from '#src/errors.js';
import type { Bundle } from './bundle.js';
import type { BundledEvaluation, BundleManifest } from './manifest.js';
import { figureOf, SHOWN_FIGURES } from './shown-figures.js';

/** A key on which the two differ; null: it is not there. */
export interface KeyDifference {
  readonly key: string;
  readonly a: string | null;
  readonly b: string | null;
}

/** A tensor that both have in the same shape, or that one has otherwise. */
export interface TensorDifference {
  readonly tensor: string;
  readonly shape: readonly number[];
  /** Same bits. */
  readonly equal: boolean;
  /** Largest |a - b|; null: the shapes differ, or a number is not finite. */
  readonly maxAbs: number | null;
  /** Euclidean norm of a - b, and of a: how far it moved, and from what. */
  readonly l2: number | null;
  readonly l2OfA: number;
}

export interface FigureDifference {
  readonly figure: string;
  readonly a: number | null;
  readonly b: number | null;
}

export interface GateDifference {
  readonly gate: string;
  /** "pass", "fail", "missing", "fail, FORCED"; null: it was not asked. */
  readonly a: string | null;
  readonly b: string | null;
  readonly measuredA: string | null;
  readonly measuredB: string | null;
}

export interface BundleDiff {
  readonly a: string;
  readonly b: string;
  /** The same file, byte for byte. */
  readonly same: boolean;
  /** Where they come from: run, seed, checkpoint, parent, code. */
  readonly origin: readonly KeyDifference[];
  /** What trades: instruments, interval, observation, actions, sizing, rules, exits, costs, policy's shape. */
  readonly trading: readonly KeyDifference[];
  readonly data: readonly KeyDifference[];
  /** The rest of the configuration: agent and training. */
  readonly configuration: readonly KeyDifference[];
  /** All tensors of policy and normaliser, those that are equal too. */
  readonly weights: readonly TensorDifference[];
  readonly evaluation: {
    /** Whether the figures can be held against each other: same bars. null: one of them was not evaluated. */
    readonly comparable: boolean | null;
    readonly verdictA: string | null;
    readonly verdictB: string | null;
    readonly figures: readonly FigureDifference[];
  };
  /** Gates whose outcome or figure differs. */
  readonly gates: readonly GateDifference[];
}

/** Throws BUNDLE_CORRUPT where a configuration inside is no YAML. */
export function diffBundles(a: Bundle, b: Bundle): BundleDiff {
  const [one, other] = [a.manifest, b.manifest];
  return {
    a: a.sha256,
    b: b.sha256,
    same: a.sha256 === b.sha256,
    origin: differences(originOf(one), originOf(other)),
    trading: differences(tradingOf(one), tradingOf(other)),
    data: differences(dataOf(one), dataOf(other)),
    configuration: differences(configurationOf(one, a.sha256), configurationOf(other, b.sha256)),
    weights: weightDifferences(a, b),
    evaluation: evaluationDifference(one.evaluation, other.evaluation),
    gates: gateDifferences(one, other),
  };
}

/** "costs.spread_bps" -> "2"; lists stay whole. */
function flatKeys(tree: object): Map<string, string> {
  const flat = new Map<string, string>();
  const visit = (value: unknown, keys: readonly string[]): void => {
    if (isTree(value) && Object.keys(value).length > 0) {
      for (const [key, inner] of Object.entries(value)) visit(inner, [...keys, key]);
      return;
    }
    flat.set(keys.join('.'), typeof value === 'string' ? value : JSON.stringify(value ?? null));
  };
  visit(tree, []);
  return flat;
}

function differences(a: object, b: object): KeyDifference[] {
  const [one, other] = [flatKeys(a), flatKeys(b)];
  return [...new Set([...one.keys(), ...other.keys()])].flatMap((key) =>
    one.get(key) === other.get(key) ? [] : [{ key, a: one.get(key) ?? null, b: other.get(key) ?? null }],
  );
}

function originOf({ name, created_at, parent, run, seeds, trials, provenance }: BundleManifest): object {
  const { git_commit, dirty_patch_sha256, lockfile_sha256, openbell, kernels } = provenance;
  const code = { git_commit, dirty_patch_sha256, lockfile_sha256, openbell, kernels };
  return { name, created_at, parent, run, seeds, trials, code };
}

function tradingOf({ instruments, interval, calendar, observation, market, policy }: BundleManifest): object {
  return {
    instruments: Object.fromEntries(instruments.map(({ symbol, ...rest }) => [symbol, rest])),
    interval: interval.label,
    calendar,
    observation,
    market,
    policy,
  };
}

function dataOf({ data, windows }: BundleManifest): object {
  return { data: Object.fromEntries(data.map(({ dataset, ...rest }) => [`${dataset} ${rest.symbol}`, rest])), windows };
}

/** The keys that nothing else in the manifest says. */
function configurationOf({ provenance }: BundleManifest, sha256: string): object {
  let tree: unknown;
  try {
    tree = parse(provenance.config_yaml);
  } catch (cause) {
    fail('BUNDLE_CORRUPT', { where: sha256, value: 'provenance.config_yaml', message: 'is no YAML', cause });
  }
  if (!isTree(tree)) return {};
  const { agent, training, sweep } = tree;
  return { agent, training, sweep };
}

function weightDifferences(a: Bundle, b: Bundle): TensorDifference[] {
  const [one, other] = [tensorsOf(a), tensorsOf(b)];
  return [...new Set([...one.keys(), ...other.keys()])].map((tensor) => {
    const [left, right] = [one.get(tensor), other.get(tensor)];
    const shape = left?.shape ?? right?.shape ?? [];
    if (left === undefined || right === undefined || String(left.shape) !== String(right.shape))
      return { tensor, shape, equal: false, maxAbs: null, l2: null, l2OfA: norm(left?.values ?? []) };
    return { tensor, shape, ...distance(left.values, right.values) };
  });
}

interface Tensor {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

function tensorsOf({ manifest, engine, normalizer }: Bundle): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  const parameters = arrayOf(engine, 'parameters');
  if (parameters !== null)
    for (const { name, shape, offset, size } of policyLayout(manifest.policy).slots)
      tensors.set(name, { shape, values: parameters.subarray(offset, offset + size) });
  for (const name of ['observationMean', 'observationVariance']) {
    const values = normalizer === null ? null : arrayOf(normalizer, name);
    if (values !== null) tensors.set(`normalizer.${name}`, { shape: [values.length], values });
  }
  return tensors;
}

function arrayOf(state: StateDict, key: string): StateArray | null {
  const value = state[key];
  return ArrayBuffer.isView(value) ? value : null;
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): Omit<TensorDifference, 'tensor' | 'shape'> {
  let equal = true;
  let maxAbs = 0;
  let squares = 0;
  for (let i = 0; i < a.length; i++) {
    equal &&= Object.is(a[i], b[i]);
    const apart = Math.abs(a[i] - b[i]);
    // Math.max would hide a NaN that comes first
    if (!(apart <= maxAbs)) maxAbs = apart;
    squares += apart * apart;
  }
  const finite = Number.isFinite(squares);
  return { equal, maxAbs: finite ? maxAbs : null, l2: finite ? Math.sqrt(squares) : null, l2OfA: norm(a) };
}

function norm(values: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i] * values[i];
  return Math.sqrt(squares);
}

function evaluationDifference(a: BundledEvaluation | null, b: BundledEvaluation | null): BundleDiff['evaluation'] {
  return {
    comparable: a === null || b === null ? null : JSON.stringify(a.window) === JSON.stringify(b.window),
    verdictA: a?.verdict.headline ?? null,
    verdictB: b?.verdict.headline ?? null,
    figures:
      a === null && b === null
        ? []
        : SHOWN_FIGURES.map(({ key }) => ({
            figure: key,
            a: a === null ? null : figureOf(a.agent, key),
            b: b === null ? null : figureOf(b.agent, key),
          })),
  };
}

function gateDifferences(a: BundleManifest, b: BundleManifest): GateDifference[] {
  const [one, other] = [a, b].map(({ gates }) => new Map((gates?.outcomes ?? []).map((own) => [own.gate, own])));
  const said = (outcome: { verdict: string; forced: boolean } | undefined): string | null =>
    outcome === undefined ? null : `${outcome.verdict}${outcome.forced ? ', FORCED' : ''}`;
  return [...new Set([...one.keys(), ...other.keys()])].flatMap((gate) => {
    const [left, right] = [one.get(gate), other.get(gate)];
    const found = {
      gate,
      a: said(left),
      b: said(right),
      measuredA: left?.measured ?? null,
      measuredB: right?.measured ?? null,
    };
    return found.a === found.b && found.measuredA === found.measuredB ? [] : [found];
  });
}
