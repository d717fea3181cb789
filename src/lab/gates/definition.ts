/**
 * What is asked before an alias moves, as a YAML file. The one that ships, experiments/gates.yaml, lies below any other:
 * what a file leaves out is as it says there. `null` switches a gate off. Integrity has no switch, and neither has what
 * `live` asks of paper trading.
 */
import path from 'node:path';
import * as z from 'zod';
import { readYamlLayers } from '#src/config/load.js';
import { nearestKey } from '#src/config/suggest.js';
import { isTree, placeKey, shownPath, type Places } from '#src/config/yaml-source.js';
import { packageRoot } from '#src/data/places.js';
import { fail } from '#src/errors.js';
import type { AliasName } from '#src/registry/aliases.js';

const notNegative = () => z.number().min(0);
const share = () => z.number().min(0).max(1);
const beats = (whom: string) =>
  z
    .strictObject({ probability_at_least: share().describe('Share of the resamples in which it ends with more.') })
    .nullable()
    .describe(`Paired block bootstrap of the log returns on the test bars, against ${whom}; null: not asked.`);
const least = (what: string) => z.number().describe(`${what}, as a share: 0.05 is 5%.`);

const section = {
  replay: z
    .strictObject({
      updates: z.int().min(1).nullable().describe('Train no more updates again than these; null: the whole run.'),
    })
    .describe('The training is repeated, to the bit. It cannot be switched off, only shortened.'),
  trades: z
    .strictObject({ at_least: z.int().min(1).describe('Round trips in the test window.') })
    .nullable()
    .describe('Enough trades for the other figures to mean anything; null: not asked.'),
  collapse: z
    .strictObject({
      share_at_most: share().describe('Share of the decisions that the commonest action, but "hold", may have.'),
      hold_share_at_most: share().describe('The same of "hold", which is how a position is kept.'),
    })
    .nullable()
    .describe('A policy that does the same whatever it sees has learned nothing; null: not asked.'),
  max_drawdown: z
    .strictObject({ at_most: share().describe('Deepest fall from a peak in the test window, as a share.') })
    .nullable()
    .describe('null: not asked.'),
  turnover: z
    .strictObject({ at_most: notNegative().describe('Traded value a year / mean equity, both sides counted.') })
    .nullable()
    .describe('null: not asked.'),
  beats_flat: beats('holding cash'),
  beats_hold: beats('buy-and-hold'),
  beats_incumbent: beats('the bundle that the alias points to now'),
  walk_forward: z
    .strictObject({
      seeds_at_least: z.int().min(2).describe('Trainings of every window.'),
      sharpe_at_least: z.number().describe("Interquartile mean of the seeds' stitched Sharpe ratios, a year."),
      sharpe_low_at_least: z.number().describe('Lower end of its 95% interval over the seeds.'),
    })
    .nullable()
    .describe('A walk-forward of the same experiment, judged out of sample; null: not asked.'),
  walk_forward_hold: z
    .strictObject({
      seeds_at_least: z.int().min(2).describe('Trainings of every window.'),
      excess_at_least: z.number().describe('Interquartile mean over the seeds, as a share: 0.05 is 5% more.'),
    })
    .nullable()
    .describe('Wealth of the stitched accounts against buy-and-hold over the same windows; null: not asked.'),
  deflated_sharpe: z
    .strictObject({
      probability_at_least: share().describe(
        'That the true Sharpe ratio is over what the best of the trials shows by luck.',
      ),
    })
    .nullable()
    .describe('Deflated Sharpe ratio on the test window, by the number of trials; null: not asked.'),
  pbo: z
    .strictObject({
      at_most: share().describe('Probability of backtest overfitting.'),
      chunks: z.int().min(2).max(20).multipleOf(2).describe('Into how many stretches of time the bars are cut.'),
    })
    .nullable()
    .describe('Over all configurations that were walked forward on these bars; null: not asked.'),
  stress_costs: z
    .strictObject({
      factor: z.number().min(1).describe('Commissions, fees, spread, slippage and borrow rate are multiplied by it.'),
      return_at_least: least('Total return of the test window, costs included'),
    })
    .nullable()
    .describe('Dearer trading; null: not asked.'),
  stress_noise: z
    .strictObject({
      fill_price_bps: notNegative().describe('As env.noise; the larger of it and the run’s own is taken.'),
      observation: notNegative(),
      cost: notNegative(),
      price_bps: notNegative(),
      draws: z.int().min(5).max(1000).describe('Times that the noise is drawn.'),
      return_at_least: least('Median over the draws of the total return of the test window'),
    })
    .nullable()
    .describe('Noise on fills, costs and what is seen; null: not asked.'),
  stress_delay: z
    .strictObject({ return_at_least: least('Total return of the test window') })
    .nullable()
    .describe('Every decision is carried out one bar late; null: not asked.'),
};

const retrainSection = {
  held_out: z
    .strictObject({
      bars_at_least: z.int().min(20).describe('Bars that neither has seen.'),
      trades_at_least: z.int().min(1).describe("The challenger's round trips on them."),
    })
    .describe('Enough to judge by.'),
  beats_incumbent: z
    .strictObject({
      probability_at_least: share().describe(
        'Share of the resamples in which it ends with more; at attempt k against one incumbent, 1 less a k-th of the rest.',
      ),
    })
    .describe('Paired block bootstrap of the log returns on the held-out bars, against the bundle that it came from.'),
  drawdown: z
    .strictObject({ worse_by_at_most: share().describe("Over the incumbent's, as a share: 0.02 is 2 points.") })
    .nullable()
    .describe('Deepest fall from a peak on the held-out bars; null: not asked.'),
  seeds: z
    .strictObject({ excess_at_least: z.number().describe('Interquartile mean over the seeds, as a share.') })
    .nullable()
    .describe('How much more all the fine-tunings end with than the incumbent: not one alone; null: not asked.'),
};

const liveSection = {
  ...section,
  paper_days: z
    .strictObject({
      at_least: z
        .int()
        .min(1)
        .describe(
          'Distinct market days over all paper sessions of the bundle, each with decisions on half of its bars or more.',
        ),
    })
    .describe('How long it has traded on paper.'),
  paper_fills: z
    .strictObject({ at_least: z.int().min(1).describe('Filled orders whose price the cost model can tell.') })
    .describe('How often.'),
  paper_slippage: z
    .strictObject({
      at_most_bps: z.number().describe('Upper end of the 95% interval of the price difference against us.'),
    })
    .describe('Fills against the model. At a simulated gateway this checks the plumbing, not the market.'),
  paper_commissions: z
    .strictObject({
      at_most: notNegative().describe('Commissions charged over the cost model’s, as a share of those.'),
    })
    .describe('Commissions against the cost model.'),
};

export const gatesSchema = z.strictObject({
  seed: z.int().min(0).max(0xffffffff).describe('Of the bootstraps, the random traders and the noise.'),
  paper: z.strictObject(section).describe('Asked before `paper` moves.'),
  challenger: z.strictObject(section).describe('Asked before `challenger` moves.'),
  live: z.strictObject(liveSection).describe('Asked before `live` moves.'),
  retrain: z
    .strictObject(retrainSection)
    .describe('Asked of a challenger of `openbell retrain`, besides what the alias asks that it moves to.'),
});

export type GatesFile = z.infer<typeof gatesSchema>;
export type GateSection = GatesFile['paper'];
export type LiveSection = GatesFile['live'];
export type RetrainSection = GatesFile['retrain'];
export type StatisticalGate = Exclude<keyof GateSection, 'replay'>;

export interface GatesDefinition extends GatesFile {
  /** As it was named. */
  readonly file: string;
}

export const shippedGates = (): string => path.join(packageRoot(), 'experiments', 'gates.yaml');

/** JSON schema (draft 2020-12) of a gates file: every key may be left out. */
export function gatesJsonSchema(): object {
  const { seed, paper, challenger, live, retrain } = gatesSchema.shape;
  const file = z.strictObject({
    extends: z.string().describe('Another gates file, relative to this one, whose keys this one overrides.'),
    seed,
    paper,
    challenger,
    live,
    retrain,
  });
  const override = ({ jsonSchema }: { jsonSchema: { required?: unknown } }): void => void delete jsonSchema.required;
  return { title: 'OpenBell gates', ...z.toJSONSchema(file, { io: 'input', override }) };
}

/**
 * @param file null: the one that ships
 * @throws CONFIG_FILE, CONFIG_SYNTAX, CONFIG_EXTENDS, CONFIG_UNKNOWN_KEY and CONFIG_VALUE, with file, line and key
 */
export function loadGates(file: string | null = null): GatesDefinition {
  const shipped = shippedGates();
  const named = file ?? shipped;
  const { tree, places } = readYamlLayers(named, shipped);
  const result = gatesSchema.safeParse(tree);
  if (result.success) return { ...result.data, file: file === null ? 'experiments/gates.yaml' : shownPath(file) };
  const { issues } = result.error;
  refuse(issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0], tree, places, named);
}

function refuse(issue: z.core.$ZodIssue, tree: unknown, places: Places, file: string): never {
  if (issue.code === 'unrecognized_keys') {
    const keys = [...issue.path, issue.keys[0]].map(String);
    const key = keys.join('.');
    const near = nearestKey(key, knownKeys());
    const hint =
      near === null
        ? `there is no such key; ${file === shippedGates() ? '' : 'experiments/gates.yaml shows all'}`
        : `did you mean "${near}"?`;
    const message =
      keys.length === 2 && /^(data|evaluation|audit|bundle)$/.test(keys[1])
        ? 'integrity is always asked: remove the key'
        : hint;
    return fail('CONFIG_UNKNOWN_KEY', { where: placeOf(keys, places, file), value: key, message });
  }
  const keys = issue.path.map(String);
  const value = keys.reduce<unknown>((node, key) => (isTree(node) ? node[key] : undefined), tree);
  const always = value === null && keys.length === 2 ? '; this gate cannot be switched off' : '';
  return fail('CONFIG_VALUE', {
    where: `${placeOf(keys, places, file)} ${keys.join('.')}`,
    value,
    message: `${issue.message.replace(/^Invalid input: /, '')}${always}`,
  });
}

function placeOf(keys: readonly string[], places: Places, file: string): string {
  for (let length = keys.length; length > 0; length--) {
    const found = places.get(placeKey(keys.slice(0, length)));
    if (found !== undefined) return found;
  }
  return shownPath(file);
}

function knownKeys(): string[] {
  const keys: string[] = ['seed', 'extends'];
  for (const alias of ['paper', 'challenger', 'live', 'retrain'] as const) {
    keys.push(alias);
    for (const [gate, schema] of Object.entries(gatesSchema.shape[alias].shape)) {
      keys.push(`${alias}.${gate}`);
      const inner = schema instanceof z.ZodNullable ? schema.unwrap() : schema;
      if (inner instanceof z.ZodObject)
        for (const key of Object.keys(inner.shape)) keys.push(`${alias}.${gate}.${key}`);
    }
  }
  return keys;
}

/** The settings that are asked for, or, where they are not, those of `live`, which only advise; null: off in both. */
export function settingsOf<K extends StatisticalGate>(
  definition: GatesFile,
  to: AliasName,
  gate: K,
): { readonly settings: NonNullable<GateSection[K]>; readonly advisory: boolean } | null {
  const own = definition[to][gate];
  if (own !== null && own !== undefined) return { settings: own, advisory: false };
  const later = definition.live[gate];
  return later === null || later === undefined ? null : { settings: later, advisory: true };
}
