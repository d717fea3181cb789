/** YAML files as plain trees that remember where each key stands. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parse, parseDocument, YAMLParseError } from 'yaml';
import { fail } from '#src/errors.js';
import type { Tree } from './defaults.js';

/** Path of keys -> where it was written ("experiments/a.yaml:12"). */
export type Places = Map<string, string>;

export const placeKey = (keys: readonly PropertyKey[]): string => JSON.stringify(keys.map(String));

/** A path as messages show it: relative where it lies below the working directory. */
export function shownPath(file: string): string {
  const relative = path.relative(process.cwd(), path.resolve(file));
  return relative === '' || relative.startsWith('..') || path.isAbsolute(relative) ? file : relative;
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads one file. Throws CONFIG_FILE where it cannot be read, CONFIG_SYNTAX with the line where it is no YAML map. */
export function readYamlFile(file: string): { tree: Tree; places: Places } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'this is a folder' : `cannot be read (${code})`;
    fail('CONFIG_FILE', {
      where: shownPath(file),
      message: `${why}; name an experiment file such as experiments/quickstart.yaml`,
      cause,
    });
  }
  return parseYamlTree(text, shownPath(file));
}

/** As `readYamlFile`, from a text. */
export function parseYamlTree(text: string, shown: string): { tree: Tree; places: Places } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problem = document.errors[0];
  if (problem !== undefined) {
    const { line } = lines.linePos(problem.pos[0]);
    fail('CONFIG_SYNTAX', {
      where: `${shown}:${line}`,
      message: `${lowerFirst(problem.message)}; this is not valid YAML`,
    });
  }
  const tree: unknown = document.toJS();
  if (!isTree(tree)) {
    const found = tree === null || tree === undefined ? 'is empty' : 'is not a map of keys';
    fail('CONFIG_SYNTAX', {
      where: `${shown}:1`,
      message: `the file ${found}; write keys such as "name: my-experiment"`,
    });
  }
  const places: Places = new Map();
  const visit = (node: unknown, keys: readonly string[]): void => {
    if (isAlias(node)) return visit(node.resolve(document), keys);
    if (isMap(node)) {
      for (const pair of node.items) {
        const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
        const offset = isScalar(pair.key) ? pair.key.range?.[0] : undefined;
        const child = [...keys, key];
        if (offset !== undefined) places.set(placeKey(child), `${shown}:${lines.linePos(offset).line}`);
        visit(pair.value, child);
      }
    } else if (isSeq(node)) {
      for (const [index, item] of node.items.entries()) {
        const child = [...keys, String(index)];
        const offset = isMap(item) || isScalar(item) || isSeq(item) ? item.range?.[0] : undefined;
        if (offset !== undefined) places.set(placeKey(child), `${shown}:${lines.linePos(offset).line}`);
        visit(item, child);
      }
    }
  };
  visit(document.contents, []);
  return { tree, places };
}

/** A value as YAML reads it: 1e-4 a number, null null, [64, 64] a list. Throws CONFIG_OVERRIDE. */
export function parseYamlValue(text: string, where: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof YAMLParseError)) throw cause;
    fail('CONFIG_OVERRIDE', {
      where,
      value: text,
      message: "the value is not valid YAML; quote it for the shell, e.g. agent.net_arch.pi='[64, 64]'",
      cause,
    });
  }
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
