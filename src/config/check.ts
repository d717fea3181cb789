/** Checks a merged configuration, and says of each wrong key where it stands, what it holds and what is allowed. */
import type * as z from 'zod';
import { fail, OpenBellError, type ErrorCode, type ErrorDetail } from '#src/errors.js';
import { keyCatalogue } from './json-schema.js';
import { experimentSchema, type DateWindow, type ExperimentConfig } from './schema.js';
import { nearestKey } from './suggest.js';
import { isTree } from './yaml-source.js';

type Keys = readonly PropertyKey[];
type Place = (keys: Keys) => string;
interface Problem {
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;
}

/**
 * The checked configuration. Throws CONFIG_UNKNOWN_KEY or CONFIG_VALUE; where several things are wrong, the
 * first carries the others in its message, a line each.
 */
export function checkExperiment(tree: unknown, place: Place): ExperimentConfig {
  const result = experimentSchema.safeParse(tree);
  const problems = result.success
    ? crossChecks(result.data, place)
    : result.error.issues.flatMap((issue) => problemsOf(issue, tree, place));
  // an unknown key is often why another is missing: it comes first
  problems.sort((a, b) => Number(b.code === 'CONFIG_UNKNOWN_KEY') - Number(a.code === 'CONFIG_UNKNOWN_KEY'));
  const [first, ...others] = problems;
  if (first !== undefined) {
    const rest = others.map(({ code, detail }) => `\n${new OpenBellError(code, detail).message}`);
    fail(first.code, { ...first.detail, message: first.detail.message + rest.join('') });
  }
  if (!result.success) throw result.error;
  return result.data;
}

function problemsOf(issue: z.core.$ZodIssue, tree: unknown, place: Place, base: Keys = []): Problem[] {
  const keys = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...keys, key], place));
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // the branch that the value was meant for is the one that complains about its inside
    const meant = issue.errors.find((branch) =>
      branch.some((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'),
    );
    const bounded = issue.errors.find((branch) => branch.every((inner) => inner.code !== 'invalid_type'));
    const branch = meant ?? bounded;
    if (branch !== undefined) return branch.flatMap((inner) => problemsOf(inner, tree, place, keys));
  }
  return [wrongValue(keys, valueAt(tree, keys), reasonOf(issue, keys, valueAt(tree, keys)), place)];
}

function unknownKey(keys: Keys, place: Place): Problem {
  const key = keys.map(String).join('.');
  const suggestion = nearestKey(
    key,
    keyCatalogue().map((entry) => entry.key),
  );
  const message =
    key === 'extends'
      ? 'only a file extends a file: write the key into it'
      : suggestion === key
        ? 'this environment has no such setting; remove the key'
        : suggestion === null
          ? 'there is no such key; `openbell config schema` lists all'
          : `did you mean "${suggestion}"?`;
  return { code: 'CONFIG_UNKNOWN_KEY', detail: { where: place(keys), value: key, message } };
}

function wrongValue(keys: Keys, value: unknown, reason: string, place: Place): Problem {
  const at = place(keys);
  // what is missing is missing from the file, not from the defaults
  const missing = value === undefined;
  return {
    code: 'CONFIG_VALUE',
    detail: {
      where: `${missing && at === 'default' ? place([]) : at} ${keys.map(String).join('.')}`,
      value,
      message: reason,
    },
  };
}

function reasonOf(issue: z.core.$ZodIssue, keys: Keys, value: unknown): string {
  const key = keys.map(String).join('.');
  const entry = keyCatalogue().find((candidate) => candidate.key === key);
  const about = entry === undefined || entry.description === '' ? '' : ` (${entry.description})`;
  if (value === undefined) {
    return `is missing: ${entry?.allowed ?? 'a value'} is needed${about}`;
  }
  const own = issue.code === 'invalid_format' || issue.code === 'custom';
  const allowed =
    own || entry === undefined
      ? lowerFirst(issue.message.replace(/^Invalid input: /, ''))
      : `expected ${entry.allowed}`;
  // YAML 1.2 reads 100_000 as a text
  const digits = typeof value === 'string' && /^[\d_]+$/.test(value) ? `, written without underscores or quotes` : '';
  return `${allowed}${digits}${about}`;
}

/** A row takes some hundred bytes: beyond this a rollout fills a workstation's memory. */
const MOST_ROLLOUT_ROWS = 16_777_216;

/** Weights, gradients and both moments take 16 bytes each, of the 4 GB that WebAssembly can address. */
const MOST_WEIGHTS = 67_108_864;

function crossChecks(config: ExperimentConfig, place: Place): Problem[] {
  const problems: Problem[] = [];
  const rows = config.agent.n_steps * config.training.n_envs;
  if (rows > MOST_ROLLOUT_ROWS) {
    problems.push(
      wrongValue(
        ['agent', 'n_steps'],
        config.agent.n_steps,
        `x training.n_envs ${config.training.n_envs} = ${rows} rows a rollout; at most ${MOST_ROLLOUT_ROWS} are held in memory`,
        place,
      ),
    );
  }
  for (const net of ['pi', 'vf'] as const) {
    const sizes = config.agent.net_arch[net];
    const weights = sizes.slice(1).reduce((sum, size, i) => sum + size * sizes[i], 0);
    if (weights > MOST_WEIGHTS) {
      const reason = `${weights} weights between its layers; at most ${MOST_WEIGHTS} fit the engine's memory`;
      problems.push(wrongValue(['agent', 'net_arch', net], sizes, reason, place));
    }
  }
  const refuse = (keys: readonly string[], value: unknown, reason: string): void => {
    problems.push(wrongValue(keys, value, reason, place));
  };
  const { engine, tfjs_backend: backend, threads } = config.training;
  if (engine === 'simd') {
    const only = 'only the tfjs engine has it: set training.engine to tfjs (docs/tfjs-engine.md)';
    if (config.agent.policy !== null) refuse(['agent', 'policy', 'module'], config.agent.policy.module, only);
    if (backend !== 'cpu') refuse(['training', 'tfjs_backend'], backend, only);
  } else if (threads > 1) {
    refuse(['training', 'threads'], threads, 'the tfjs engine learns on one thread');
  }
  const tuned = config.training.fine_tune;
  if (tuned !== null && engine !== 'simd')
    refuse(['training', 'fine_tune', 'bundle'], tuned.bundle, 'a bundle holds a policy of the simd engine');
  if (tuned !== null && config.env.id !== 'market')
    refuse(['training', 'fine_tune', 'bundle'], tuned.bundle, 'a bundle holds a policy of the market environment');
  if (config.env.id === 'market') {
    if (config.data === null) refuse(['data'], null, 'the market environment needs bars: name data.datasets');
    if (config.observation === null) refuse(['observation'], null, 'the market environment needs an observation');
  } else {
    if (config.data !== null) refuse(['data'], config.data.datasets, `${config.env.id} has no bars; remove data`);
    if (config.observation !== null)
      refuse(
        ['observation'],
        config.observation.feature_set,
        `${config.env.id} has its own observation; remove the key`,
      );
  }
  if (config.data !== null) {
    const windows = [
      ['train', config.data.train],
      ['validation', config.data.validation],
      ['test', config.data.test],
    ] as const;
    for (const [name, window] of windows) {
      if (window === null) continue;
      if (!(startOf(window) < endOf(window)))
        refuse(['data', name], window, 'ends where it begins, or earlier; `to` is exclusive and must lie after `from`');
    }
    // judging on bars that were learned from, or chosen on, is the commonest way to fool oneself
    for (let i = 0; i < windows.length; i++) {
      for (let j = i + 1; j < windows.length; j++) {
        const [a, first] = windows[i];
        const [b, second] = windows[j];
        if (first === null || second === null) continue;
        if (startOf(second) < endOf(first) && startOf(first) < endOf(second)) {
          refuse(
            ['data', b],
            second,
            `overlaps data.${a} (${first.from ?? 'start'} to ${first.to ?? 'end'}): windows must not share bars`,
          );
        }
      }
    }
  }
  return problems;
}

const startOf = (window: NonNullable<DateWindow>): number =>
  window.from === null ? Number.NEGATIVE_INFINITY : Date.parse(window.from);
const endOf = (window: NonNullable<DateWindow>): number =>
  window.to === null ? Number.POSITIVE_INFINITY : Date.parse(window.to);

function valueAt(tree: unknown, keys: Keys): unknown {
  let node = tree;
  for (const key of keys) {
    if (Array.isArray(node)) node = node[Number(key)];
    else node = isTree(node) ? node[String(key)] : undefined;
  }
  return node;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
