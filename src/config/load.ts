/**
 * From an experiment file to a checked configuration. Layers, weakest first: defaults, the agent's preset, the
 * files named by `extends`, the file, environment variables, the command line. Maps merge key by key; lists and
 * plain values replace. Each value remembers where it came from.
 */
import path from 'node:path';
import { fail, OpenBellError } from '#src/errors.js';
import { checkMarketConfig } from '#env/market/check-config.js';
import { validatePpoConfig } from '#agents/ppo/validate.js';
import { defaultLayers, SECTION_DEFAULTS, type Tree } from './defaults.js';
import { checkExperiment } from './check.js';
import { readEnvironmentOverrides } from './runtime.js';
import type { ExperimentConfig } from './schema.js';
import {
  isTree,
  parseYamlTree,
  parseYamlValue,
  placeKey,
  readYamlFile,
  shownPath,
  type Places,
} from './yaml-source.js';

export interface LoadedExperiment {
  readonly config: ExperimentConfig;
  /** The file, then those that it extends. */
  readonly files: readonly string[];
  /** "experiments/a.yaml:12", "default", "preset sb3", "OPENBELL_SEED" or "command line", by `placeKey` of the path. */
  readonly origins: Places;
}

export interface LoadOptions {
  /** "agent.learning_rate=1e-4": the value is read as YAML. */
  readonly overrides?: readonly string[];
  /** Environment variables; default none, so that a library call depends on nothing hidden. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Loads, merges and checks an experiment file. Throws CONFIG_FILE, CONFIG_SYNTAX, CONFIG_EXTENDS, CONFIG_OVERRIDE,
 * CONFIG_UNKNOWN_KEY or CONFIG_VALUE, each with file and line.
 */
export function loadExperiment(file: string, options: LoadOptions = {}): LoadedExperiment {
  const chain: string[] = [];
  const stack = new Layers();
  readWithBases(file, chain, stack);
  return finish(stack, path.basename(file).replace(/\.ya?ml$/i, ''), chain, options);
}

/** As `loadExperiment`, from YAML text that extends nothing. `shown` stands in messages for the file's name. */
export function parseExperiment(text: string, shown: string, options: LoadOptions = {}): LoadedExperiment {
  const stack = new Layers();
  const { tree, places } = parseYamlTree(text, shown);
  if ('extends' in tree) {
    fail('CONFIG_EXTENDS', {
      where: places.get(placeKey(['extends'])) ?? shown,
      message: 'a text cannot extend a file',
    });
  }
  stack.add(tree, places);
  return finish(stack, 'experiment', [shown], options);
}

/** A YAML file over those that it extends, and those over `below`: keys as they stand, nothing checked yet. */
export function readYamlLayers(file: string, below: string | null = null): { tree: Tree; places: Places } {
  const stack = new Layers();
  if (below !== null && path.resolve(below) !== path.resolve(file)) readWithBases(below, [], stack);
  readWithBases(file, [], stack);
  return { tree: stack.tree, places: stack.places };
}

class Layers {
  readonly tree: Tree = {};
  readonly places: Places = new Map();

  /** Lays a tree over what is there. */
  add(tree: Tree, places: Places): void {
    merge(this.tree, tree);
    for (const [key, place] of places) this.places.set(key, place);
  }

  /** Fills in below: only keys that are not there yet. */
  complete(tree: Tree, origin: string): void {
    fillBelow(this.tree, tree, [], (keys) => this.places.set(placeKey(keys), origin));
  }
}

function merge(target: Tree, source: Tree): void {
  for (const [key, value] of Object.entries(source)) {
    const there = Object.hasOwn(target, key) ? target[key] : undefined;
    if (isTree(value)) {
      const inner: Tree = isTree(there) ? there : {};
      merge(inner, value);
      define(target, key, inner);
    } else {
      define(target, key, value);
    }
  }
}

function fillBelow(target: Tree, source: Tree, keys: readonly string[], note: (keys: readonly string[]) => void): void {
  for (const [key, value] of Object.entries(source)) {
    const child = [...keys, key];
    if (!Object.hasOwn(target, key)) {
      define(target, key, structuredClone(value));
      note(child);
    } else {
      const there = target[key];
      if (isTree(there) && isTree(value) && !isUnionValue(child, there)) fillBelow(there, value, child, note);
    }
  }
}

/** Files that a configuration names are meant relative to the file that names them. */
const NAMED_FILES = [
  ['agent', 'policy', 'module'],
  ['training', 'fine_tune', 'bundle'],
] as const;

function resolveFiles(tree: Tree, folder: string): void {
  for (const [section, part, key] of NAMED_FILES) {
    const above = tree[section];
    const holder = isTree(above) ? above[part] : undefined;
    if (!isTree(holder) || typeof holder[key] !== 'string' || holder[key] === '') continue;
    holder[key] = path.resolve(folder, holder[key]);
  }
}

/** A schedule or weights by symbol that the user wrote out is complete in itself. */
function isUnionValue(keys: readonly string[], value: Tree): boolean {
  return 'schedule' in value || keys.join('.') === 'env.sleeves';
}

// A key named __proto__ must be refused as unknown, not set the prototype.
function define(target: Tree, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

function readWithBases(file: string, chain: string[], stack: Layers): void {
  const absolute = path.resolve(file);
  const { tree, places } = readYamlFile(file);
  chain.push(absolute);
  resolveFiles(tree, path.dirname(absolute));
  const base = tree['extends'];
  const where = places.get(placeKey(['extends'])) ?? shownPath(file);
  if (base !== undefined) {
    if (typeof base !== 'string' || base === '') {
      fail('CONFIG_EXTENDS', {
        where,
        value: base,
        message: 'name one file, relative to this one, e.g. extends: base.yaml',
      });
    }
    const target = path.resolve(path.dirname(absolute), base);
    if (chain.includes(target)) {
      const circle = [...chain, target].map(shownPath).join(' -> ');
      fail('CONFIG_EXTENDS', { where, value: base, message: `the files extend each other in a circle: ${circle}` });
    }
    try {
      readWithBases(shownPath(target), chain, stack);
    } catch (error) {
      if (!(error instanceof OpenBellError) || error.code !== 'CONFIG_FILE') throw error;
      fail('CONFIG_EXTENDS', {
        where,
        value: base,
        message: `the file that it extends cannot be read: ${shownPath(target)}`,
        cause: error,
      });
    }
    // A name belongs to one file: a child that has none is called after itself, not after its base.
    delete stack.tree['name'];
    delete stack.tree['description'];
    delete tree['extends'];
  }
  stack.add(tree, places);
}

function finish(stack: Layers, defaultName: string, files: readonly string[], options: LoadOptions): LoadedExperiment {
  for (const { keys, value, variable } of readEnvironmentOverrides(options.environment ?? {})) {
    setAt(stack, keys, parseYamlValue(value, variable), variable);
  }
  for (const override of options.overrides ?? []) {
    const equals = override.indexOf('=');
    if (equals < 1) {
      fail('CONFIG_OVERRIDE', {
        where: 'command line',
        value: override,
        message: 'write key=value, e.g. agent.learning_rate=1e-4',
      });
    }
    const keys = override.slice(0, equals).trim().split('.');
    setAt(stack, keys, parseYamlValue(override.slice(equals + 1), 'command line'), 'command line');
  }

  // files that an override or a text names
  resolveFiles(stack.tree, process.cwd());

  const env = stack.tree['env'];
  if (env === undefined) stack.complete({ env: { id: 'market' } }, 'default');
  else if (isTree(env) && env['id'] === undefined) stack.complete({ env: { id: 'market' } }, 'default');
  const id = isTree(stack.tree['env']) ? stack.tree['env']['id'] : undefined;
  const agent = stack.tree['agent'];
  for (const section of SECTION_DEFAULTS) fillSection(stack, section.path, section.tree);
  for (const layer of defaultLayers(id, isTree(agent) ? agent['preset'] : undefined).toReversed()) {
    stack.complete(layer.tree, layer.origin);
  }
  stack.complete({ name: defaultName }, 'file name');

  const place = (keys: readonly PropertyKey[]): string => {
    for (let length = keys.length; length > 0; length--) {
      const found = stack.places.get(placeKey(keys.slice(0, length)));
      if (found !== undefined) return found;
    }
    return files.length > 0 ? shownPath(files[0]) : 'configuration';
  };
  const config = checkExperiment(stack.tree, place);
  withPlace(place, '', () => validatePpoConfig(config.agent, config.training.n_envs));
  const market = config.env;
  if (market.id === 'market') withPlace(place, 'env.', () => checkMarketConfig(market));
  return { config, files, origins: stack.places };
}

/** The algorithm and the market know which settings make no sense; file and line are known here. */
function withPlace(place: (keys: readonly string[]) => string, prefix: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof OpenBellError) || error.where === undefined) throw error;
    const key = `${prefix}${error.where}`;
    const message = error.message.slice(error.message.indexOf(': ') + 2);
    fail('CONFIG_VALUE', { where: `${place(key.split('.'))} ${key}`, value: error.value, message, cause: error });
  }
}

/** Fills a section that is null by default, where the user has switched it on. */
function fillSection(stack: Layers, keys: readonly string[], tree: Tree): void {
  let target: unknown = stack.tree;
  for (const key of keys) target = isTree(target) ? target[key] : undefined;
  if (!isTree(target)) return;
  fillBelow(target, tree, keys, (found) => stack.places.set(placeKey(found), 'default'));
}

function setAt(stack: Layers, keys: readonly string[], value: unknown, origin: string): void {
  const tree = keys.toReversed().reduce<unknown>((inner, key) => {
    const wrapper: Tree = {};
    define(wrapper, key, inner);
    return wrapper;
  }, value);
  const places: Places = new Map([[placeKey(keys), origin]]);
  const visit = (node: unknown, at: readonly string[]): void => {
    if (!isTree(node)) return;
    for (const [key, child] of Object.entries(node)) {
      places.set(placeKey([...at, key]), origin);
      visit(child, [...at, key]);
    }
  };
  visit(value, keys);
  for (let length = 1; length < keys.length; length++) {
    const above = keys.slice(0, length);
    const there = above.reduce<unknown>((node, key) => (isTree(node) ? node[key] : undefined), stack.tree);
    // an override that turns a plain value into a map answers for the map
    if (!isTree(there)) places.set(placeKey(above), origin);
  }
  if (isTree(tree)) stack.add(tree, places);
}
