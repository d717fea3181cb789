/** `openbell train EXPERIMENT --seeds ...` */
import type { ExperimentConfig } from '#src/config/schema.js';
import { configHash } from '#src/config/show.js';
import type { RuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import type { JobOutcome } from '#src/lab/queue/job-pool.js';
import { parseSeeds, trainSeeds } from '#src/lab/seeds.js';
import { scoreStatistics } from '#src/lab/seed-scores.js';
import { interruption } from '../interruption.js';
import { jobProgress } from '../job-progress.js';
import { stderrOutput } from '../progress.js';

export interface SeedsArguments {
  readonly config: ExperimentConfig;
  readonly seeds: string;
  readonly settings: RuntimeSettings;
  readonly jobs: number | null;
  readonly threads: 1 | 2 | null;
  readonly evaluate: boolean;
  readonly json: boolean;
}

export async function trainSeedsCommand(args: SeedsArguments): Promise<void> {
  const { config, settings, jobs, threads, evaluate, json } = args;
  const seeds = parseSeeds(args.seeds, config.seed);
  const progress = jobProgress(stderrOutput(settings.logLevel), ({ config: { seed } }) => `seed ${seed}`);
  progress.begin(
    `training ${config.name} with ${seeds.length === 1 ? `seed ${seeds[0]}` : `${seeds.length} seeds`} (${config.training.total_timesteps.toLocaleString('en-US')} steps each)`,
    seeds.length,
  );
  let outcomes: JobOutcome[];
  try {
    outcomes = await trainSeeds({
      config,
      seeds,
      runsDir: settings.runsDir,
      jobs,
      threads,
      evaluate,
      signal: interruption('every training finishes its update and writes a checkpoint'),
      onEvent: progress.onEvent,
      argv: process.argv.slice(2),
    });
  } finally {
    progress.end();
  }
  if (json) console.log(JSON.stringify(toJson(config, outcomes)));
  else for (const line of describe(outcomes)) console.log(line);
  conclude(outcomes);
}

/** Exit 130 where the user interrupted it, 1 where seeds failed: what is done is said before. */
function conclude(outcomes: readonly JobOutcome[]): void {
  const open = outcomes.filter(({ status }) => status === 'interrupted');
  if (open.length > 0) {
    fail('INTERRUPTED', {
      where: 'openbell train',
      message: `${open.length} of ${outcomes.length} seeds are not done; what was begun has a checkpoint. The same command goes on`,
    });
  }
  const failed = outcomes.filter(({ status }) => status === 'failed');
  if (failed.length > 0) {
    const list = failed.map(({ job, error }) => `\n  seed ${job.config.seed}: ${error ?? 'no reason known'}`).join('');
    fail('JOB_FAILED', {
      where: 'openbell train',
      value: failed.map(({ job }) => job.config.seed),
      message: `${failed.length} of ${outcomes.length} seeds failed; the others are done. The same command tries them again${list}`,
    });
  }
}

function toJson(config: ExperimentConfig, outcomes: readonly JobOutcome[]): Record<string, unknown> {
  return {
    experiment: config.name,
    config_hash: configHash(config),
    scores: scoreStatistics(outcomes),
    seeds: outcomes.map(({ job, status, directory, record, evaluation, error, reused }) => ({
      seed: job.config.seed,
      status,
      reused,
      run: directory,
      ...record?.result,
      ...(evaluation === null ? {} : { evaluation: evaluation.summary }),
      ...(error === null ? {} : { error }),
    })),
  };
}

function describe(outcomes: readonly JobOutcome[]): string[] {
  const rows = outcomes.map(({ job, status, directory, record, evaluation, reused }) => {
    const best = record?.result?.best ?? null;
    const agent = evaluation?.summary['agent'];
    return [
      String(job.config.seed),
      reused ? `${status} before` : status,
      best === null ? '-' : `${best.score.toPrecision(4)} at ${best.timesteps}`,
      ...(outcomes.some((other) => other.evaluation !== null) ? [testReturn(agent)] : []),
      directory ?? '-',
    ];
  });
  const evaluated = outcomes.some(({ evaluation }) => evaluation !== null);
  const head = ['seed', 'status', 'best validation score', ...(evaluated ? ['return on test'] : []), 'run'];
  const widths = head.map((title, k) => Math.max(title.length, ...rows.map((row) => row[k].length)));
  const lines = [head, ...rows].map((row) =>
    row
      .map((cell, k) => cell.padEnd(widths[k]))
      .join('  ')
      .trimEnd(),
  );
  const statistics = scoreStatistics(outcomes);
  if (statistics !== null) {
    const { count, mean, deviation, median, least, most } = statistics;
    const shown = [mean, deviation, median, least, most].map((value) => value.toPrecision(4));
    lines.push(
      `best validation score over ${count} seeds: mean ${shown[0]}, deviation ${shown[1]}, median ${shown[2]}, from ${shown[3]} to ${shown[4]}`,
    );
  }
  return lines;
}

function testReturn(agent: unknown): string {
  if (typeof agent !== 'object' || agent === null || !('totalReturn' in agent)) return '-';
  return typeof agent.totalReturn === 'number' ? `${(100 * agent.totalReturn).toFixed(2)}%` : '-';
}
