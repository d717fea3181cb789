/** What the zod schema says, for editors (JSON schema), for the reference page and for error messages. */
import * as z from 'zod';
import { defaultLayers, SECTION_DEFAULTS, type Tree } from './defaults.js';
import { experimentSchema } from './schema.js';
import { isTree } from './yaml-source.js';

export interface KeyEntry {
  /** Dotted, e.g. "agent.learning_rate". */
  readonly key: string;
  readonly description: string;
  /** What may stand there, in words. */
  readonly allowed: string;
  /** undefined: the key has no default, or it depends on others. */
  readonly default: unknown;
}

/** JSON schema (draft 2020-12) of an experiment file: every key optional, since defaults fill it, with the defaults shown. */
export function experimentJsonSchema(): Tree {
  const schema: unknown = z.toJSONSchema(experimentSchema, { io: 'input' });
  if (!isTree(schema)) throw new Error('zod yields no schema object');
  relax(schema);
  const properties = schema['properties'];
  if (!isTree(properties)) throw new Error('the schema has no properties');
  schema['title'] = 'OpenBell experiment';
  schema['properties'] = {
    extends: {
      description: 'Another experiment file, relative to this one, whose keys this one overrides.',
      type: 'string',
    },
    ...properties,
  };
  for (const { tree } of defaultLayers('market', 'sb3')) showDefaults(schema, tree);
  for (const { path, tree } of SECTION_DEFAULTS) {
    const wrapped = path.toReversed().reduce<Tree>((inner, key) => ({ [key]: inner }), tree);
    showDefaults(schema, wrapped);
  }
  return schema;
}

/** `required` of objects that defaults complete is dropped; inside lists it stays, since their items have no defaults. */
function relax(node: unknown): void {
  if (!isTree(node)) return;
  delete node['required'];
  delete node['$schema'];
  for (const [key, value] of Object.entries(node)) {
    if (key === 'items' || key === 'prefixItems') continue;
    if (Array.isArray(value)) value.forEach(relax);
    else relax(value);
  }
}

/** The schema's own object variants: itself, or the branches of anyOf and oneOf. */
function objectBranches(node: Tree): Tree[] {
  const branches = [node];
  for (const key of ['anyOf', 'oneOf']) {
    const options = node[key];
    if (Array.isArray(options))
      for (const option of options) if (isTree(option)) branches.push(...objectBranches(option));
  }
  return branches.filter((branch) => isTree(branch['properties']));
}

function showDefaults(node: Tree, defaults: Tree): void {
  for (const branch of objectBranches(node)) {
    const properties = branch['properties'];
    if (!isTree(properties)) continue;
    for (const [key, value] of Object.entries(defaults)) {
      const property = properties[key];
      if (!isTree(property) || 'const' in property || value === undefined) continue;
      if (isTree(value) && objectBranches(property).length > 0) showDefaults(property, value);
      else if (!('default' in property)) property['default'] = value;
    }
  }
}

let catalogue: readonly KeyEntry[] | undefined;

/** Every key that an experiment file may hold, in the schema's order. */
export function keyCatalogue(): readonly KeyEntry[] {
  if (catalogue !== undefined) return catalogue;
  const entries = new Map<string, KeyEntry>();
  const visit = (node: Tree, prefix: string): void => {
    for (const branch of objectBranches(node)) {
      const properties = branch['properties'];
      if (!isTree(properties)) continue;
      for (const [name, property] of Object.entries(properties)) {
        if (!isTree(property)) continue;
        const key = prefix === '' ? name : `${prefix}.${name}`;
        const known = entries.get(key);
        const allowed = allowedIn(property);
        entries.set(key, {
          key,
          description: known?.description ?? String(property['description'] ?? ''),
          allowed: known === undefined || known.allowed === allowed ? allowed : `${known.allowed} or ${allowed}`,
          default: known?.default ?? property['default'],
        });
        visit(property, key);
      }
    }
  };
  visit(experimentJsonSchema(), '');
  catalogue = [...entries.values()];
  return catalogue;
}

function allowedIn(node: Tree): string {
  for (const key of ['anyOf', 'oneOf']) {
    const options = node[key];
    if (Array.isArray(options)) return [...new Set(options.filter(isTree).map(allowedIn))].join(' or ');
  }
  if ('const' in node) return String(node['const']);
  if (Array.isArray(node['enum'])) return node['enum'].map(String).join(' or ');
  const type = String(node['type'] ?? 'anything');
  if (type === 'object') {
    const values = node['additionalProperties'];
    return isTree(values) && 'type' in values ? 'a map of numbers' : 'a map';
  }
  if (type === 'array') {
    const items = node['items'];
    return isTree(items) ? `a list of: ${allowedIn(items)}` : 'a list';
  }
  if (type === 'number' || type === 'integer') {
    const bounds = [
      bound(node, 'minimum', 'at least', Number.MIN_SAFE_INTEGER),
      bound(node, 'exclusiveMinimum', 'above'),
      bound(node, 'maximum', 'at most', Number.MAX_SAFE_INTEGER),
      bound(node, 'exclusiveMaximum', 'below'),
    ].filter((text) => text !== '');
    const noun = type === 'integer' ? 'an integer' : 'a number';
    return bounds.length === 0 ? noun : `${noun} ${bounds.join(' and ')}`;
  }
  return type === 'boolean' ? 'true or false' : type === 'string' ? 'a text' : type;
}

function bound(node: Tree, key: string, word: string, meaningless?: number): string {
  const limit = node[key];
  return typeof limit === 'number' && limit !== meaningless ? `${word} ${limit}` : '';
}

/** The reference of all keys, as a page. */
export function keyReference(): string {
  const lines = [
    '# Keys of an experiment file',
    '',
    'Generated by `npm run generate` from `src/config/schema.ts`: do not edit. How files, overrides and environment',
    'variables come together is told in [experiments.md](experiments.md).',
  ];
  for (const { key, description, allowed, default: standard } of keyCatalogue()) {
    const isSection = !key.includes('.') && keyCatalogue().some((other) => other.key.startsWith(`${key}.`));
    if (isSection) {
      lines.push('', `## ${key}`, '', description, '', '| key | value | default | meaning |', '|---|---|---|---|');
      continue;
    }
    if (lines.length === 4) lines.push('', '| key | value | default | meaning |', '|---|---|---|---|');
    const shown = standard === undefined ? '' : `\`${JSON.stringify(standard)}\``;
    const cells = [`\`${key}\``, allowed, shown, description].map((cell) => cell.replaceAll('|', '\\|'));
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return `${lines.join('\n')}\n`;
}
