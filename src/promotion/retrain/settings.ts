/**
 * How `openbell retrain` goes about it, as a YAML file. The one that ships, experiments/retrain.yaml, lies below any
 * other: what a file leaves out is as it says there.
 */
import path from 'node:path';
import * as z from 'zod';
import { readYamlLayers } from '#src/config/load.js';
import { nearestName } from '#src/config/suggest.js';
import { isTree, placeKey, shownPath } from '#src/config/yaml-source.js';
import { packageRoot } from '#src/data/places.js';
import { fail } from '#src/errors.js';

const MOVABLE = ['challenger', 'paper'] as const;
export type Movable = (typeof MOVABLE)[number];

export const retrainSchema = z.strictObject({
  held_out_days: z.int().min(1).max(10_000).describe('The last days, which neither has seen: they judge.'),
  new_days_at_least: z.int().min(1).max(10_000).describe('New days to learn from, those that judge not counted.'),
  timesteps: z.int().min(1).describe('Environment steps of a fine-tuning.'),
  learning_rate_factor: z.number().gt(0).max(1).describe("Times the incumbent's own learning rate."),
  seeds: z
    .int()
    .min(1)
    .max(64)
    .describe(
      "Fine-tunings, with seeds counted up from the incumbent's. The first is the challenger, whatever comes of the others.",
    ),
  recent_share: z
    .number()
    .gt(0)
    .lt(1)
    .nullable()
    .describe(
      'Share of the episodes that take place in new bars, the others in the incumbent’s; null: windows take turns.',
    ),
  kl_limit: z.number().gt(0).describe('How far the challenger may get from the incumbent, in nats.'),
  kl_observations: z.int().min(1).max(1_048_576).describe('Recent decisions that it is measured on.'),
  halvings: z.int().min(0).max(30).describe('How often the learning rate is halved at the limit, before it ends.'),
  may_move: z
    .array(z.enum(MOVABLE))
    .describe('Aliases that a challenger which passes is moved to: challenger, paper. Never live.'),
  gates: z.string().min(1).nullable().describe('A gates file, relative to this one; null: experiments/gates.yaml.'),
});

export type RetrainSettings = z.infer<typeof retrainSchema>;

export const shippedRetrain = (): string => path.join(packageRoot(), 'experiments', 'retrain.yaml');

/** JSON schema (draft 2020-12) of such a file: every key may be left out. */
export function retrainJsonSchema(): object {
  const optional = z.strictObject({
    extends: z.string().describe('Another such file, relative to this one, whose keys this one overrides.').optional(),
    ...retrainSchema.partial().shape,
  });
  return { title: 'OpenBell retrain', ...z.toJSONSchema(optional, { io: 'input' }) };
}

/**
 * @param file null: the one that ships
 * @throws CONFIG_FILE, CONFIG_SYNTAX, CONFIG_EXTENDS, CONFIG_UNKNOWN_KEY and CONFIG_VALUE, with file, line and key
 */
export function loadRetrainSettings(file: string | null = null): RetrainSettings {
  const shipped = shippedRetrain();
  const named = file ?? shipped;
  const { tree, places } = readYamlLayers(named, shipped);
  const placeOf = (keys: readonly PropertyKey[]): string =>
    places.get(placeKey(keys)) ?? places.get(placeKey(keys.slice(0, 1))) ?? shownPath(named);
  const moves = Array.isArray(tree['may_move']) ? tree['may_move'] : [];
  if (moves.includes('live'))
    fail('CONFIG_VALUE', {
      where: `${placeOf(['may_move'])} may_move`,
      value: 'live',
      message: 'live is never moved by itself: it takes a paper report and a person (openbell promote paper --to live)',
    });
  const result = retrainSchema.safeParse(tree);
  if (result.success) {
    const { gates } = result.data;
    // relative to the file that names it, which another one may extend
    const namedIn = path.resolve(placeOf(['gates']).replace(/:\d+$/, ''));
    return { ...result.data, gates: gates === null ? null : path.resolve(path.dirname(namedIn), gates) };
  }
  const unknown = result.error.issues.find(({ code }) => code === 'unrecognized_keys');
  if (unknown?.code === 'unrecognized_keys') {
    const [key] = unknown.keys;
    const near = nearestName(key, Object.keys(retrainSchema.shape));
    return fail('CONFIG_UNKNOWN_KEY', {
      where: placeOf([key]),
      value: key,
      message: near === null ? 'there is no such key; experiments/retrain.yaml shows all' : `did you mean "${near}"?`,
    });
  }
  const [issue] = result.error.issues;
  return fail('CONFIG_VALUE', {
    where: `${placeOf(issue.path)} ${issue.path.map(String).join('.')}`,
    value: issue.path.reduce<unknown>((node, key) => (isTree(node) ? node[String(key)] : undefined), tree),
    message: issue.message.replace(/^Invalid input: /, ''),
  });
}
