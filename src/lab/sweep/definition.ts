/** A sweep's file: which keys of an experiment vary, how they are drawn, and when a trial is given up. */
import * as z from 'zod';
import { nearestName } from '#src/config/suggest.js';
import { isTree, placeKey, readYamlFile, shownPath, type Places } from '#src/config/yaml-source.js';
import { fail } from '#src/errors.js';

const range = z
  .strictObject({
    min: z.number().describe('Least value.'),
    max: z.number().describe('Greatest value.'),
    scale: z.enum(['linear', 'log']).default('linear').describe('log: factors are drawn evenly, not differences.'),
    integer: z.boolean().default(false).describe('Whole numbers only, both ends included.'),
    points: z.int().min(2).max(1000).optional().describe('Method grid: so many values, both ends included.'),
  })
  .describe('Values between two ends.');
const choice = z
  .strictObject({
    values: z.array(z.unknown()).min(1).describe('Each may be any YAML: a number, a text, a list, a map.'),
  })
  .describe('One of these.');

const name = z.string().regex(/^[A-Za-z0-9][\w.-]*$/, 'expected letters, digits, dots, dashes and underscores');

export const sweepSchema = z.strictObject({
  name: name.optional().describe("Names the folder under runs/. Default: the file's name."),
  description: z.string().default('').describe('One sentence for whoever reads it.'),
  experiment: z.string().min(1).describe('The experiment file whose keys vary, relative to this file.'),
  overrides: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('Values that are the same in all trials and differ from the experiment, by dotted key.'),
  space: z.record(z.string(), z.union([range, choice])).describe('What varies, by dotted key of the experiment.'),
  method: z
    .enum(['random', 'grid'])
    .default('random')
    .describe("random: scrambled Sobol' points. grid: every combination."),
  trials: z.int().min(1).max(10_000).optional().describe('Method random: how many.'),
  seed: z.int().min(0).max(0xffffffff).default(0).describe('Of the drawing, not of the trainings.'),
  seeds: z
    .union([z.int().min(1).max(1000), z.string(), z.array(z.int().min(0).max(0xffffffff)).min(1)])
    .default(3)
    .describe('Seeds of each trial, as train --seeds: a count from the seed of the experiment, a range, or a list.'),
  score: z
    .enum(['best', 'last'])
    .default('best')
    .describe('Of a training, the best or the last of its scores on the validation window; a trial has their mean.'),
  early_stopping: z
    .strictObject({
      first: z.int().min(1).describe('Environment steps after which trials are first compared.'),
      factor: z
        .number()
        .min(2)
        .max(100)
        .default(3)
        .describe('One in so many goes on, and trains so many times as long until it is compared again.'),
      workers: z
        .int()
        .min(1)
        .max(1000)
        .default(8)
        .describe('Trials that are under way at once in the order of decisions; no matter of the machine.'),
    })
    .nullable()
    .default(null)
    .describe('Asynchronous successive halving (ASHA); null: every trial trains to its end.'),
});

/** JSON schema (draft 2020-12) of a sweep's file; keys of the space are those of the experiment. */
export function sweepJsonSchema(): object {
  return { title: 'OpenBell sweep', ...z.toJSONSchema(sweepSchema, { io: 'input' }) };
}

export type SweepParameter = z.infer<typeof range> | z.infer<typeof choice>;
export type SweepDefinition = Omit<z.infer<typeof sweepSchema>, 'name'> & { readonly name: string };

export interface LoadedSweep {
  readonly definition: SweepDefinition;
  readonly file: string;
  /** Where a path of keys stands in the file. */
  readonly place: (keys: readonly string[]) => string;
}

/** Reads and checks the file by itself. Throws CONFIG_FILE, CONFIG_SYNTAX, CONFIG_UNKNOWN_KEY, CONFIG_VALUE. */
export function loadSweepFile(file: string): LoadedSweep {
  const { tree, places } = readYamlFile(file);
  const place = placeIn(places, shownPath(file));
  const parsed = sweepSchema.safeParse(tree);
  if (!parsed.success) {
    // an unknown key is often why another is missing: it comes first
    const { issues } = parsed.error;
    refuse(issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0], tree, place);
  }
  const { data } = parsed;
  const fileName = file.replace(/^.*[/\\]/, '').replace(/\.ya?ml$/i, '');
  checkSpace(data, place);
  return { definition: { ...data, name: data.name ?? fileName }, file, place };
}

function placeIn(places: Places, shown: string): (keys: readonly string[]) => string {
  return (keys) => {
    for (let length = keys.length; length > 0; length--) {
      const found = places.get(placeKey(keys.slice(0, length)));
      if (found !== undefined) return found;
    }
    return shown;
  };
}

function refuse(issue: z.core.$ZodIssue, tree: unknown, place: (keys: readonly string[]) => string): never {
  const keys = issue.path.map(String);
  // a parameter is a range or a choice: its own keys say which one was meant
  if (issue.code === 'invalid_union' && keys[0] === 'space' && keys.length === 2) {
    const value = valueAt(tree, keys);
    const meant = isTree(value) && 'values' in value ? choice : range;
    const inner = meant.safeParse(value);
    if (isTree(value) && !inner.success) {
      const [first] = inner.error.issues;
      refuse({ ...first, path: [...issue.path, ...first.path] }, tree, place);
    }
    const message = 'expected { min, max } or { values: [...] }';
    fail('CONFIG_VALUE', { where: `${place(keys)} ${keys.join('.')}`, value, message });
  }
  if (issue.code === 'unrecognized_keys') {
    const [key] = issue.keys;
    const known = knownKeys(keys);
    const near = nearestName(key, known);
    const message =
      near === null ? `there is no such key here; there are ${known.join(', ')}` : `did you mean "${near}"?`;
    fail('CONFIG_UNKNOWN_KEY', { where: place([...keys, key]), value: [...keys, key].join('.'), message });
  }
  const value = valueAt(tree, keys);
  const why = issue.message.replace(/^Invalid input: /, '');
  const about = keys.length === 1 ? sweepSchema.shape : null;
  const description = about !== null && isSweepKey(keys[0]) ? about[keys[0]].description : undefined;
  const message =
    value === undefined ? `is missing: ${description ?? why}` : why.slice(0, 1).toLowerCase() + why.slice(1);
  fail('CONFIG_VALUE', { where: `${place(keys)} ${keys.join('.')}`, value, message });
}

function isSweepKey(key: string): key is keyof typeof sweepSchema.shape {
  return key in sweepSchema.shape;
}

function knownKeys(keys: readonly string[]): string[] {
  if (keys.length === 0) return Object.keys(sweepSchema.shape);
  if (keys[0] === 'early_stopping') return ['first', 'factor', 'workers'];
  return ['min', 'max', 'scale', 'integer', 'points', 'values'];
}

function valueAt(tree: unknown, keys: readonly string[]): unknown {
  let node = tree;
  for (const key of keys) node = Array.isArray(node) ? node[Number(key)] : isTree(node) ? node[key] : undefined;
  return node;
}

function checkSpace(data: z.infer<typeof sweepSchema>, place: (keys: readonly string[]) => string): void {
  const wrong = (keys: readonly string[], value: unknown, message: string): never =>
    fail('CONFIG_VALUE', { where: `${place(keys)} ${keys.join('.')}`, value, message });
  const names = Object.keys(data.space);
  if (names.length === 0)
    wrong(['space'], data.space, 'is empty: name what varies, e.g. agent.gamma: { values: [0.98, 0.99] }');
  if (data.method === 'random' && data.trials === undefined)
    wrong(['trials'], undefined, 'is missing: method random needs a number of trials');
  if (data.method === 'grid' && data.trials !== undefined)
    wrong(['trials'], data.trials, 'a grid has as many trials as combinations: remove the key');
  for (const key of names) {
    const parameter = data.space[key];
    const at = ['space', key];
    if (key in data.overrides) wrong(at, key, 'stands in overrides too: it varies or is fixed');
    if ('values' in parameter) {
      const texts = parameter.values.map((value) => JSON.stringify(value));
      const twice = texts.find((text, index) => texts.indexOf(text) !== index);
      if (twice !== undefined) wrong(at, parameter.values, `holds ${twice} twice`);
      continue;
    }
    const { min, max, scale, integer, points } = parameter;
    if (!(min < max)) wrong(at, { min, max }, 'min must lie below max');
    if (scale === 'log' && !(min > 0)) wrong(at, min, 'scale log needs a min above 0');
    if (integer && !(Number.isSafeInteger(min) && Number.isSafeInteger(max)))
      wrong(at, { min, max }, 'integer needs whole ends');
    if (data.method === 'grid' && points === undefined) wrong(at, { min, max }, 'a grid needs points, or values');
    if (data.method === 'random' && points !== undefined)
      wrong(at, points, 'points belong to method grid: remove the key');
  }
}
