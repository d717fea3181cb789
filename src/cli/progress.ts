/** Progress of a training run on stderr: one live line on a terminal, a line now and then elsewhere. */
import type { PhaseTimes } from '#agents/ppo/report.js';
import type { LogLevel } from '#src/config/runtime.js';
import type { TrainEvent } from '#src/lab/training-run.js';

export interface ProgressOutput {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  /** Width of the terminal. */
  readonly columns: number;
  readonly color: boolean;
  readonly level: LogLevel;
}

/** What `process.stderr` can show; NO_COLOR (https://no-color.org) is honoured. */
export function stderrOutput(level: LogLevel): ProgressOutput {
  const { stderr, env } = process;
  const isTerminal = stderr.isTTY === true;
  return {
    write: (text) => void stderr.write(text),
    isTerminal,
    columns: stderr.columns ?? 100,
    color: isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
    level,
  };
}

/** About so many lines tell a whole run where nobody watches. */
const LINES_A_RUN = 20;
const LIVE_EVERY_MS = 100;

/** A listener for `train`. */
export function progressListener(output: ProgressOutput, nowMs: () => number = Date.now): (event: TrainEvent) => void {
  const { isTerminal, columns } = output;
  let live = false;
  let shownMs = 0;
  let shownLine = 0;
  const paint = (code: number, text: string): string => (output.color ? `\x1b[${code}m${text}\x1b[0m` : text);
  const clear = (): void => {
    if (live) output.write('\r\x1b[2K');
    live = false;
  };
  const line = (text: string): void => {
    clear();
    output.write(`${text}\n`);
  };
  const quiet = output.level === 'warning' || output.level === 'error';

  return (event) => {
    if (event.kind === 'warning') {
      if (output.level !== 'error') line(`${paint(33, 'warning')}: ${event.message}`);
      return;
    }
    if (quiet) return clear();
    switch (event.kind) {
      case 'started': {
        const { config, directory, fromTimesteps } = event;
        const from = fromTimesteps === 0 ? '' : `, from step ${count(fromTimesteps)}`;
        line(
          `training ${paint(1, config.name)} (seed ${config.seed}, ${count(config.training.total_timesteps)} steps${from}) in ${directory}`,
        );
        break;
      }
      case 'update': {
        const share = event.report.timesteps / event.totalTimesteps;
        const isEnd = event.report.timesteps >= event.totalTimesteps;
        if (isTerminal) {
          if (nowMs() - shownMs < LIVE_EVERY_MS && !isEnd) return;
          shownMs = nowMs();
          clear();
          output.write(describeUpdate(event).slice(0, columns - 1));
          live = true;
        } else if (output.level === 'debug' || isEnd || Math.floor(share * LINES_A_RUN) > shownLine) {
          shownLine = Math.floor(share * LINES_A_RUN);
          line(describeUpdate(event));
        }
        break;
      }
      case 'evaluation':
        line(
          `step ${count(event.timesteps)}: ${event.name} ${event.score.toPrecision(4)}${event.isBest ? paint(32, ' best') : ''}`,
        );
        break;
      case 'finished':
        clear();
        break;
    }
  };
}

/** "120,000/300,000  40%  45,200 steps/s (act 12% env 9% collect 4% learn 75%)  ETA 0:04  reward ..." */
export function describeUpdate(event: Extract<TrainEvent, { kind: 'update' }>): string {
  const { report, phases, totalTimesteps, stepsPerSecond, remainingMs } = event;
  const percent = Math.min(100, Math.floor((100 * report.timesteps) / totalTimesteps));
  const reward = report.episodeReturnMean === null ? '-' : report.episodeReturnMean.toPrecision(4);
  return [
    `${count(report.timesteps)}/${count(totalTimesteps)}`,
    `${String(percent).padStart(3)}%`,
    `${count(Math.round(stepsPerSecond))} steps/s (${describePhases(phases)})`,
    `ETA ${duration(remainingMs)}`,
    `reward ${reward}`,
    `KL ${report.approxKl.toFixed(4)}`,
    `entropy ${report.entropy.toFixed(3)}`,
    `EV ${report.explainedVariance.toFixed(2)}`,
  ].join('  ');
}

function describePhases({ actMs, envMs, collectMs, updateMs }: Readonly<PhaseTimes>): string {
  const total = Math.max(actMs + envMs + collectMs + updateMs, 1e-9);
  const share = (name: string, ms: number): string => `${name} ${Math.round((100 * ms) / total)}%`;
  return [share('act', actMs), share('env', envMs), share('collect', collectMs), share('learn', updateMs)].join(' ');
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** 0:07, 12:30, 3:04:05 */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
