/** A sweep made ready: its trials as checked configurations, before anything is trained. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { loadExperiment, type LoadOptions } from '#src/config/load.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import { configHash } from '#src/config/show.js';
import { shownPath } from '#src/config/yaml-source.js';
import { fail, OpenBellError } from '#src/errors.js';
import { PolicyHashes } from '../queue/job-run.js';
import { parseSeeds } from '../seeds.js';
import { loadSweepFile, type LoadedSweep, type SweepDefinition } from './definition.js';
import { rungsOf, type HalvingTerms } from './halving.js';
import { drawTrials, type TrialParameters } from './space.js';

export interface SweepTrial {
  /** From 0. */
  readonly number: number;
  readonly parameters: TrialParameters;
  /** With the experiment's own seed; each training replaces it. */
  readonly config: ExperimentConfig;
}

export interface Sweep {
  /** The name, and eight digits of the definition's hash. */
  readonly id: string;
  readonly definition: SweepDefinition;
  /** sha256 of all that decides what the sweep finds. */
  readonly definitionHash: string;
  readonly file: string;
  readonly experimentFile: string;
  readonly seeds: readonly number[];
  readonly trials: readonly SweepTrial[];
  readonly terms: HalvingTerms;
}

type Environment = NonNullable<LoadOptions['environment']>;

/** Keys that would make trials incomparable, or that say nothing. Longest match. */
const NOT_SWEPT: Readonly<Record<string, string>> = {
  seed: 'trials have seeds of their own: say `seeds`',
  name: 'runs are named after the sweep',
  description: 'it changes nothing',
  sweep: 'the sweep itself writes it',
  data: 'trials that are scored on other bars cannot be compared; compare experiments instead',
  'env.id': 'other environments have other scores; compare experiments instead',
  'env.costs':
    'it changes what every trial is scored on, and the cheapest market would win; compare experiments instead',
  'env.initial_equity': 'it changes what every trial is scored on; compare experiments instead',
  'training.evaluate_every': 'a trial that is scored more often has a better best score by luck alone',
  'training.evaluate_episodes': 'a trial that is scored on fewer episodes has a better best score by luck alone',
  'training.threads': 'it changes no bit',
  'training.checkpoint_every': 'it changes no result',
  'training.keep_checkpoints': 'it changes no result',
};

/**
 * Reads a sweep's file, its experiment, and makes every trial. Throws CONFIG_ errors that name file and line, for a key
 * that the experiment does not have and for a trial whose values do not fit together.
 */
export async function loadSweep(file: string, options: { readonly environment?: Environment } = {}): Promise<Sweep> {
  const loaded = loadSweepFile(file);
  const { definition, place } = loaded;
  const experimentFile = shownPath(path.resolve(path.dirname(file), definition.experiment));
  for (const section of ['space', 'overrides'] as const) {
    for (const key of Object.keys(definition[section])) {
      const reason =
        section === 'space' ? reasonAgainst(key) : ['name', 'seed', 'sweep'].includes(key) ? NOT_SWEPT[key] : null;
      if (reason !== null)
        fail('CONFIG_VALUE', { where: place([section, key]), value: key, message: `cannot stand here: ${reason}` });
    }
  }
  const load = (parameters: TrialParameters, what: string): ExperimentConfig =>
    loadTrial({ loaded, experimentFile, parameters, what, environment: options.environment ?? {} });
  const policies = new PolicyHashes();
  const base = await policies.fillIn(load({}, ''));
  if (base.name === definition.name) {
    const message = 'is the name of its experiment: give the sweep another, so that its runs lie apart';
    fail('CONFIG_VALUE', { where: `${place(['name'])} name`, value: definition.name, message });
  }
  if (base.env.id === 'market' && (base.data?.validation ?? null) === null) {
    const message = 'sets no validation window apart, and trials are scored on nothing else: give it data.validation';
    fail('CONFIG_VALUE', { where: `${place(['experiment'])} experiment`, value: definition.experiment, message });
  }
  const seeds = seedsOf(definition, base, place(['seeds']));
  const drawn = drawTrials(definition);
  const rungs = rungsFor(definition, base, place);
  const definitionHash = hashOf(definition, base, seeds);
  const id = `${definition.name}-${definitionHash.slice(0, 8)}`;
  const trials: SweepTrial[] = [];
  for (const [number, parameters] of drawn.entries()) {
    const what = `trial ${number} (${describeParameters(parameters)}): `;
    const config = await policies.fillIn(load(parameters, what));
    const description = `Trial ${number} of ${drawn.length} of sweep ${definition.name}: ${describeParameters(parameters)}`;
    const sweep = { id, trial: number, trials: drawn.length };
    trials.push({ number, parameters, config: { ...config, name: definition.name, description, sweep } });
  }
  const { early_stopping: stopping } = definition;
  const terms = {
    trials: trials.length,
    rungs,
    factor: stopping?.factor ?? 2,
    // without early stopping no decision waits for another
    workers: stopping?.workers ?? trials.length,
  };
  return { id, definition, definitionHash, file: shownPath(file), experimentFile, seeds, trials, terms };
}

/** "agent.gamma=0.98 agent.n_epochs=5" */
export function describeParameters(parameters: TrialParameters): string {
  return Object.entries(parameters)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}

function reasonAgainst(key: string): string | null {
  const keys = key.split('.');
  for (let length = keys.length; length > 0; length--) {
    const reason = NOT_SWEPT[keys.slice(0, length).join('.')];
    if (reason !== undefined) return reason;
  }
  return null;
}

interface TrialSource {
  readonly loaded: LoadedSweep;
  readonly experimentFile: string;
  readonly parameters: TrialParameters;
  readonly what: string;
  readonly environment: Environment;
}

function loadTrial({ loaded, experimentFile, parameters, what, environment }: TrialSource): ExperimentConfig {
  const { definition, place } = loaded;
  const values = { ...definition.overrides, ...parameters };
  const overrides = Object.entries(values).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  try {
    return loadExperiment(experimentFile, { overrides, environment }).config;
  } catch (error) {
    if (!(error instanceof OpenBellError)) throw error;
    // values of this file arrive there as if from the command line
    const named = [String(error.value), (error.where ?? '').replace('command line ', '')];
    const section = (['space', 'overrides'] as const).find((name) =>
      Object.keys(definition[name]).some((key) => named.some((other) => other === key || other.startsWith(`${key}.`))),
    );
    if (section === undefined && error.code === 'CONFIG_FILE')
      fail('CONFIG_FILE', {
        where: place(['experiment']),
        value: definition.experiment,
        message: `there is no such experiment file (${experimentFile})`,
        cause: error,
      });
    if (section === undefined || !(error.where ?? '').startsWith('command line')) throw error;
    const key = Object.keys(definition[section]).find((own) =>
      named.some((other) => other === own || other.startsWith(`${own}.`)),
    );
    const message = `${section === 'space' && error.code !== 'CONFIG_UNKNOWN_KEY' ? what : ''}${error.message.slice(error.message.indexOf(': ') + 2)}`;
    const where =
      error.code === 'CONFIG_UNKNOWN_KEY' ? place([section, key ?? '']) : `${place([section, key ?? ''])} ${key ?? ''}`;
    return fail(error.code, { where, value: error.value, message, cause: error });
  }
}

function seedsOf({ seeds }: SweepDefinition, base: ExperimentConfig, where: string): number[] {
  const text = Array.isArray(seeds) ? seeds.join(',') : String(seeds);
  // a list of one seed is no count
  if (Array.isArray(seeds) && seeds.length === 1) return [...seeds];
  try {
    return parseSeeds(text, base.seed);
  } catch (error) {
    if (!(error instanceof OpenBellError)) throw error;
    const message = error.message.slice(error.message.indexOf(': ') + 2);
    return fail('CONFIG_VALUE', { where: `${where} seeds`, value: seeds, message, cause: error });
  }
}

function rungsFor(
  { early_stopping: stopping, space }: SweepDefinition,
  { training }: ExperimentConfig,
  place: LoadedSweep['place'],
): number[] {
  const total = training.total_timesteps;
  if (stopping === null) return [total];
  const wrong = (message: string): never =>
    fail('CONFIG_VALUE', {
      where: `${place(['early_stopping', 'first'])} early_stopping.first`,
      value: stopping.first,
      message,
    });
  if ('training.total_timesteps' in space) {
    const message = 'cannot vary beside early_stopping, which compares trials at the same steps';
    fail('CONFIG_VALUE', {
      where: place(['space', 'training.total_timesteps']),
      value: 'training.total_timesteps',
      message,
    });
  }
  if (stopping.first >= total) wrong(`lies at the end of the training or after it (training.total_timesteps ${total})`);
  if (training.evaluate_every === null || stopping.first < training.evaluate_every)
    wrong(
      `lies before the first score (training.evaluate_every ${training.evaluate_every}): trials could not be compared`,
    );
  return rungsOf(total, stopping.first, stopping.factor);
}

/** Names and descriptions do not count; the order of keys does, since it says which dimension a key is drawn from. */
function hashOf(definition: SweepDefinition, base: ExperimentConfig, seeds: readonly number[]): string {
  const { space, method, trials, seed, score, early_stopping: stopping } = definition;
  const decisive = { space, method, trials, seed, score, stopping, seeds, base: configHash(base) };
  return createHash('sha256').update(JSON.stringify(decisive)).digest('hex');
}
