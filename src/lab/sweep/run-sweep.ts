/** `runSweep`: trains the trials of a sweep, gives up on those that fall behind, and writes down what was found. */
import path from 'node:path';
import { writeFileAtomic } from '#src/registry/files.js';
import { JobPool, type JobEvent, type JobOutcome, type JobPoolOptions } from '../queue/job-pool.js';
import { replayHalving, type TrialStep } from './halving.js';
import { keyImportance } from './importance.js';
import { claimFolder, sweepSummary, writeSummary, writeTables, type SweepState } from './record.js';
import { scoreAt } from './scores.js';
import type { Sweep } from './sweep.js';
import { makeRow, meanOf, rankTrials, type RungScore, type SeedScore, type TrialRow } from './trial-table.js';

export type SweepEvent =
  | JobEvent
  | {
      readonly kind: 'scored';
      readonly step: TrialStep;
      readonly score: number | null;
      /** Trainings asked for so far, and how many at most if every trial were begun. */
      readonly expected: number;
    };

export interface SweepOptions extends Omit<JobPoolOptions, 'onEvent' | 'queue'> {
  readonly sweep: Sweep;
  readonly onEvent?: (event: SweepEvent) => void;
  /** Draw report.html; default true. */
  readonly report?: boolean;
}

export interface SweepOutcome extends SweepState {
  readonly folder: string;
  /** null: no trial is completed. */
  readonly bestFile: string | null;
  readonly reportFile: string | null;
  /** What sweep.json holds. */
  readonly summary: Record<string, unknown>;
}

/**
 * Runs the sweep to its end, or goes on with it: everything is known from the runs, so that a sweep which was killed
 * makes the same decisions as one which was not. Throws SWEEP_CONFLICT, DATA_ and QUEUE_ errors.
 */
export async function runSweep({ sweep, onEvent, report = true, ...options }: SweepOptions): Promise<SweepOutcome> {
  const folder = claimFolder(sweep, options.runsDir);
  const table = new SweepTable(sweep, options.runsDir);
  writeSummary(folder, sweep, table.state('running'));
  const pool = new JobPool({ ...options, ...(onEvent === undefined ? {} : { onEvent }) });
  const { terms, seeds } = sweep;
  const asked = new Map<string, Promise<void>>();
  let status: SweepState['status'] = 'running';
  try {
    for (;;) {
      const { needed, finished, reached } = replayHalving(terms, (step) => table.score(step));
      if (finished) status = 'completed';
      else if (options.signal?.aborted === true) status = 'interrupted';
      if (status !== 'running') break;
      for (const step of needed) {
        const key = `${step.trial}/${step.rung}`;
        if (asked.has(key)) continue;
        const trained = trainTrial(pool, sweep, step).then((outcomes) => {
          asked.delete(key);
          const score = table.hear(step, outcomes);
          if (score === undefined) return;
          writeSummary(folder, sweep, table.state('running'));
          const begun = reached.reduce((sum, rung) => sum + Math.max(1, rung + 1), 0);
          onEvent?.({ kind: 'scored', step, score, expected: begun * seeds.length });
        });
        asked.set(key, trained);
      }
      await Promise.race(asked.values());
    }
  } finally {
    await pool.close();
  }
  const state = table.state(status);
  writeSummary(folder, sweep, state);
  const bestFile = writeTables(folder, sweep, state);
  let reportFile: string | null = null;
  if (report && state.rows.some(({ rungs }) => rungs.length > 0)) {
    const { renderSweepReport } = await import('./sweep-report.js');
    reportFile = path.join(folder, 'report.html');
    writeFileAtomic(reportFile, await renderSweepReport(sweep, state, { runsDir: options.runsDir, bestFile }));
  }
  return { ...state, folder, bestFile, reportFile, summary: sweepSummary(sweep, state) };
}

/** Every seed of a trial to a rung. */
async function trainTrial(pool: JobPool, sweep: Sweep, { trial, rung }: TrialStep): Promise<JobOutcome[]> {
  const { trials, terms, seeds } = sweep;
  const isLast = rung === terms.rungs.length - 1;
  const stopAtTimesteps = isLast ? null : terms.rungs[rung];
  const { config } = trials[trial];
  return Promise.all(
    seeds.map((seed) => pool.submit({ config: { ...config, seed }, stopAtTimesteps, evaluate: false })),
  );
}

/** What has been heard of each trial at each rung. */
class SweepTable {
  readonly #sweep: Sweep;
  readonly #runsDir: string;
  /** By trial, by rung. */
  readonly #heard: RungScore[][];

  constructor(sweep: Sweep, runsDir: string) {
    this.#sweep = sweep;
    this.#runsDir = runsDir;
    this.#heard = sweep.trials.map(() => []);
  }

  score({ trial, rung }: TrialStep): number | null | undefined {
    return this.#heard[trial][rung]?.score;
  }

  /** undefined: interrupted, there is no score. */
  hear({ trial, rung }: TrialStep, outcomes: readonly JobOutcome[]): number | null | undefined {
    if (outcomes.some(({ status }) => status === 'interrupted')) return undefined;
    const { definition, terms } = this.#sweep;
    const stopAt = rung === terms.rungs.length - 1 ? null : terms.rungs[rung];
    const seeds = outcomes.map(({ job, status, directory, error }): SeedScore => {
      const found = status === 'failed' || directory === null ? null : scoreAt(directory, stopAt, definition.score);
      return {
        seed: job.config.seed,
        run: directory === null ? null : path.relative(this.#runsDir, directory),
        score: found?.score ?? null,
        sharpe: found?.sharpe ?? null,
        error,
      };
    });
    const scores = seeds.flatMap(({ score }) => score ?? []);
    const score = scores.length < seeds.length ? null : meanOf(scores);
    this.#heard[trial][rung] = { rung, timesteps: terms.rungs[rung], score, seeds };
    return score;
  }

  state(status: SweepState['status']): SweepState {
    const { trials, terms, definition } = this.#sweep;
    const lastRung = terms.rungs.length - 1;
    const rows: TrialRow[] = trials.map(({ number, parameters }) =>
      makeRow(number, parameters, this.#heard[number], { isOpen: status !== 'completed', lastRung }),
    );
    const completed = rankTrials(rows).find((row) => row.status === 'completed');
    return {
      status,
      rows,
      best: completed ?? null,
      importance: status === 'completed' ? keyImportance(rows, definition) : [],
    };
  }
}
