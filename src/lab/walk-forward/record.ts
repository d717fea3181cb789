/**
 * What a walk-forward writes, in runs/<name>/walk-forward-<hash>/:
 *
 *   walk-forward.json   the plan, every window's runs, the figures over seeds
 *   windows.csv         a row a window and seed
 *   s<seed>/            the stitched evaluation of a seed (combinatorial: s<seed>-p<path>/): metrics.json, equity.csv,
 *                       trades.csv, fills.csv, report.html, as any evaluation
 *
 * All of it can be made again from the runs, and is, whenever the command is given again.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import type { ExperimentConfig } from '#src/config/schema.js';
import { configHash } from '#src/config/show.js';
import { fail } from '#src/errors.js';

export const RECORD_FILE = 'walk-forward.json';

const figure = z.number().nullable();
const runSchema = z.object({
  seed: z.int(),
  status: z.enum(['completed', 'paused', 'interrupted', 'failed']),
  /** Relative to the folder of runs; null: none was begun. */
  run: z.string().nullable(),
  error: z.string().nullable(),
  sharpe: figure,
  totalReturn: figure,
  excessOverHold: figure,
});
const dates = z.object({ from: z.string().nullable(), to: z.string().nullable() });
const interval = z.object({ estimate: z.number(), low: z.number(), high: z.number(), confidence: z.number() });

export const recordSchema = z.object({
  format: z.literal('openbell-walk-forward 1'),
  name: z.string(),
  hash: z.string(),
  status: z.enum(['running', 'completed', 'incomplete', 'interrupted']),
  scheme: z.enum(['rolling', 'anchored', 'combinatorial']),
  definition: z.json(),
  seeds: z.array(z.int()),
  windows: z.array(
    z.object({
      name: z.string(),
      experiment: z.string(),
      train: dates,
      exclude: z.array(dates),
      validation: dates.nullable(),
      test: z.array(dates),
      bars: z.object({ train: z.int(), validation: z.int(), test: z.int() }),
      runs: z.array(runSchema),
    }),
  ),
  unjudged: z.object({ before: z.int(), between: z.int(), after: z.int() }),
  /** A seed that lacks a window has none. */
  stitched: z.array(z.object({ seed: z.int(), path: z.int(), folder: z.string() })),
  /** Interquartile mean over the seeds' stitched accounts (and paths), with its interval; null: too few. */
  figures: z.record(z.string(), z.object({ iqm: z.number(), interval: interval.nullable() }).nullable()),
});

export type WalkForwardRecord = z.infer<typeof recordSchema>;

/** Names a walk-forward: all that decides what it finds, but for its seeds. */
export function walkForwardHash(config: ExperimentConfig): string {
  return createHash('sha256')
    .update(JSON.stringify([configHash({ ...config, seed: 0 }), config.walk_forward]))
    .digest('hex');
}

export function walkForwardFolder(config: ExperimentConfig, runsDir: string): string {
  return path.join(runsDir, config.name, `walk-forward-${walkForwardHash(config).slice(0, 8)}`);
}

/** Throws RUN_STATE where the record cannot be understood. */
export function readWalkForward(folder: string): WalkForwardRecord {
  const file = path.join(folder, RECORD_FILE);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    fail('RUN_STATE', { where: file, message: 'is not JSON: give the walk-forward its command again', cause });
  }
  const result = recordSchema.safeParse(value);
  if (!result.success) {
    fail('RUN_STATE', {
      where: file,
      message: 'was written by another version: give the walk-forward its command again, which makes it anew',
      cause: result.error,
    });
  }
  return result.data;
}

/**
 * The folder of a walk-forward that a reference means: its folder, "name/walk-forward-<hash>", or "name/walk-forward"
 * where there is one alone. null: it means none. Throws USAGE where it could mean several.
 */
export function findWalkForward(reference: string, runsDir: string): string | null {
  const name = reference.replace(/\/+$/, '');
  for (const folder of [name, path.join(runsDir, name)]) {
    if (existsSync(path.join(folder, RECORD_FILE))) return folder;
  }
  const match = /^(.+)\/walk-forward$/.exec(name);
  if (match === null) return null;
  const parent = [match[1], path.join(runsDir, match[1])].find((folder) => existsSync(folder));
  if (parent === undefined) return null;
  const found = readdirSync(parent).filter((entry) => existsSync(path.join(parent, entry, RECORD_FILE)));
  if (found.length > 1) {
    fail('USAGE', {
      where: 'walk-forward',
      value: reference,
      message: `there are ${found.length}: name one of ${found.sort().join(', ')}`,
    });
  }
  return found.length === 1 ? path.join(parent, found[0]) : null;
}
