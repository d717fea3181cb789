/**
 * One training in a process of its own, as `openbell train` runs it; prints what it cost as a line of JSON.
 *   node dist/bench/scale/child.js EXPERIMENT RUNS_FOLDER
 */
import { loadExperiment } from '#src/config/load.js';
import { train } from '#src/lab/train.js';
import { median } from '../sampling.js';

/** What one training cost. */
export interface Cost {
  /** From the start of the process to the first step: loading, checking, features. */
  readonly startSeconds: number;
  /** Median over the updates, the first two left out: the compiler is still at work in them. */
  readonly stepsPerSecond: number;
  /** Of the whole process, its loading included. */
  readonly peakMb: number;
}

const WARM_UP_UPDATES = 2;
const [experiment, runsDir] = process.argv.slice(2);
const { config } = loadExperiment(experiment);
const rates: number[] = [];
let startedMs = 0;
let steps = 0;
await train({
  config,
  runsDir,
  onEvent: (event) => {
    if (event.kind === 'started') startedMs = performance.now();
    if (event.kind !== 'update') return;
    const { actMs, envMs, collectMs, updateMs } = event.phases;
    rates.push(((event.report.timesteps - steps) / (actMs + envMs + collectMs + updateMs)) * 1000);
    steps = event.report.timesteps;
  },
});
const cost: Cost = {
  startSeconds: startedMs / 1000,
  stepsPerSecond: median(rates.slice(WARM_UP_UPDATES)),
  peakMb: process.resourceUsage().maxRSS / 1024,
};
process.stdout.write(`${JSON.stringify(cost)}\n`);
