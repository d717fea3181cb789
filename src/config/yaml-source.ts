/** YAML files as plain trees that remember where each key stands. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Document } from 'yaml';
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
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
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
  return parseYamlTree(decodeUtf8(bytes, shownPath(file)), shownPath(file));
}

/** Refuses other encodings instead of putting replacement characters into names. Throws CONFIG_SYNTAX. */
function decodeUtf8(bytes: Uint8Array, shown: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    return fail('CONFIG_SYNTAX', { where: shown, message: 'this is not UTF-8 text; save it as UTF-8', cause });
  }
}

/** As `readYamlFile`, from a text. */
export function parseYamlTree(text: string, shown: string): { tree: Tree; places: Places } {
  const lines = new LineCounter();
  const { document, value: tree } = parseYamlDocument(
    text,
    (line, why) => fail('CONFIG_SYNTAX', { where: line === null ? shown : `${shown}:${line}`, message: why }),
    lines,
  );
  if (!isTree(tree)) {
    const found = tree === null || tree === undefined ? 'is empty' : 'is not a map of keys';
    fail('CONFIG_SYNTAX', {
      where: `${shown}:1`,
      message: `the file ${found}; write keys such as "name: my-experiment"`,
    });
  }
  const places: Places = new Map();
  const note = (node: unknown, keys: readonly string[]): void => {
    if (isAlias(node)) return note(node.resolve(document), keys);
    if (isMap(node)) {
      for (const pair of node.items) {
        const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
        const offset = isScalar(pair.key) ? pair.key.range?.[0] : undefined;
        const child = [...keys, key];
        if (offset !== undefined) places.set(placeKey(child), `${shown}:${lines.linePos(offset).line}`);
        note(pair.value, child);
      }
    } else if (isSeq(node)) {
      for (const [index, item] of node.items.entries()) {
        const child = [...keys, String(index)];
        const offset = isMap(item) || isScalar(item) || isSeq(item) ? item.range?.[0] : undefined;
        if (offset !== undefined) places.set(placeKey(child), `${shown}:${lines.linePos(offset).line}`);
        note(item, child);
      }
    }
  };
  note(document.contents, []);
  return { tree, places };
}

/** A value as YAML reads it: 1e-4 a number, null null, [64, 64] a list. Throws CONFIG_OVERRIDE. */
export function parseYamlValue(text: string, where: string): unknown {
  const refuse = (_: number | null, why: string): never =>
    fail('CONFIG_OVERRIDE', {
      where,
      value: text,
      message: `${why}; quote the value for the shell, e.g. agent.net_arch.pi='[64, 64]'`,
    });
  return parseYamlDocument(text, refuse).value;
}

/** A document and its plain value. What is not clean YAML goes to `refuse`, with its line (null: of no one line). */
export function parseYamlDocument(
  text: string,
  refuse: (line: number | null, why: string) => never,
  lines: LineCounter = new LineCounter(),
): { document: Document; value: unknown } {
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  // warnings count: a tag that YAML does not know would turn a number into a text
  const problem = document.errors[0] ?? document.warnings[0];
  const lineOf = (offset: number): number => lines.linePos(offset).line;
  if (problem !== undefined) refuse(lineOf(problem.pos[0]), `${lowerFirst(problem.message)}; this is not valid YAML`);
  checkKeys(document, (offset, why) => refuse(lineOf(offset), why));
  return { document, value: expandAliases(document, (why) => refuse(null, why)) };
}

/** Keys are names: a list or a map as a key is a slip of brackets or of the indentation. */
function checkKeys(document: Document, refuse: (offset: number, message: string) => never): void {
  visit(document, {
    Alias: (_, alias, above) => {
      const anchored = alias.resolve(document);
      if (anchored === undefined)
        refuse(alias.range?.[0] ?? 0, `*${alias.source} names no anchor above it; write &${alias.source} there`);
      if (anchored !== undefined && above.includes(anchored))
        refuse(alias.range?.[0] ?? 0, `*${alias.source} stands inside what it names; write the value out`);
    },
    Pair: (_, { key }) => {
      if (isMap(key) || isSeq(key) || isAlias(key))
        refuse(key.range?.[0] ?? 0, 'a key must be a plain name; check brackets and indentation');
    },
  });
}

/** The plain value. The library gives up where aliases multiply without bound. */
function expandAliases(document: Document, refuse: (message: string) => never): unknown {
  try {
    const value: unknown = document.toJS();
    return value;
  } catch (cause) {
    if (!(cause instanceof ReferenceError)) throw cause;
    return refuse(`its aliases cannot be resolved (${lowerFirst(cause.message)}); write the values out`);
  }
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
