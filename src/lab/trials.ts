/** How many configurations were tried before a run's was chosen: what the deflated Sharpe ratio corrects for. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isTree } from '#src/config/yaml-source.js';
import { fail } from '#src/errors.js';
import { sampleDeviation } from '#src/stats/aggregate.js';

export interface Trials {
  /** All that were tried, pruned and failed ones included; 1: this was the only one. */
  readonly count: number;
  /** Standard deviation of their annualised Sharpe ratios; null: not known. */
  readonly sharpeDeviation: number | null;
}

/**
 * The trials of the sweep that a run is part of, or whose choice it trains: their number from its configuration, the
 * spread of their Sharpe ratios from the sweep's own record where that is still under the same folder of runs. Null for
 * a run of no sweep. Throws RUN_STATE where a sweep's record is damaged.
 */
export function trialsOf(runPath: string, config: object): Trials | null {
  const sweep = isTree(config) ? config['sweep'] : null;
  if (!isTree(sweep) || typeof sweep['trials'] !== 'number') return null;
  return {
    count: sweep['trials'],
    sharpeDeviation: spreadOf(path.dirname(path.dirname(path.resolve(runPath))), sweep['id']),
  };
}

function spreadOf(runsDir: string, id: unknown): number | null {
  for (const entry of readdirSync(runsDir, { withFileTypes: true })) {
    const file = path.join(runsDir, entry.name, 'sweep', 'sweep.json');
    if (!entry.isDirectory() || !existsSync(file)) continue;
    const summary = parsed(file);
    if (!isTree(summary) || summary['id'] !== id || !Array.isArray(summary['trials'])) continue;
    const sharpes = summary['trials'].flatMap((row: unknown) =>
      isTree(row) && typeof row['sharpe'] === 'number' ? [row['sharpe']] : [],
    );
    return sampleDeviation(Float64Array.from(sharpes));
  }
  return null;
}

function parsed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    return fail('RUN_STATE', {
      where: file,
      message: 'is not JSON: give the sweep its command again, which makes it anew, or evaluate with --trials',
      cause,
    });
  }
}
