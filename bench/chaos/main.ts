/**
 * Chaos: seeded scenarios of the live runner against the simulated gateway, over real sockets. Each has a script of
 * faults and one moment at which the process dies; the market goes on, a new process takes the journal up. Afterwards
 * the gateway's own books say whether anything was lost, doubled or left bare.
 *   npm run chaos -- [--scenarios 1000] [--seed 1] [--only SEED] [--jobs 2] [--json] [--doc FILE]
 *   npm run chaos -- --soak [--seed 1]: one day of one-minute bars with resets of the gateway
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machineText, thisMachine, writeIntoPage } from '../report.js';
import { runScenario, type Outcome } from './scenario.js';
import { scriptOf, soakScript, type Script } from './script.js';
import { failureText, summaryText } from './summary.js';

/** Scenarios under way at once in one process: most of their time is waiting. */
const AT_ONCE = 20;

const { values } = parseArgs({
  options: {
    scenarios: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
    doc: { type: 'string' },
    soak: { type: 'boolean', default: false },
    /** Of a worker: its seeds. */
    seeds: { type: 'string' },
  },
});

const whole = (name: 'scenarios' | 'seed' | 'only' | 'jobs', text: string): number => {
  if (/^\d+$/.test(text) && Number(text) > 0) return Number(text);
  process.stderr.write(`--${name} ${text}: expected a whole number above 0\n`);
  process.exit(2);
};

async function runAll(seeds: readonly number[], told: (outcome: Outcome) => void): Promise<void> {
  const left = [...seeds];
  const lane = async (): Promise<void> => {
    for (let seed = left.shift(); seed !== undefined; seed = left.shift())
      told(await run(scriptOf(seed, { processes: true })));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/** A scenario that cannot be run has failed too. */
async function run(script: Script): Promise<Outcome> {
  try {
    return await runScenario(script);
  } catch (error) {
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const { seed, kill } = script;
    return {
      seed,
      problem,
      story: [],
      killed: kill.step,
      how: kill.how,
      faults: {},
      trades: 0,
      orders: 0,
      alerts: {},
      convergedMs: 0,
      bareMs: 0,
      wallMs: 0,
    };
  }
}

async function work(seeds: readonly number[], jobs: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const took = (outcome: Outcome): void => {
    outcomes.push(outcome);
    if (outcome.problem !== null)
      process.stderr.write(`${failureText(outcome, scriptOf(outcome.seed, { processes: true }))}\n`);
    if (outcomes.length % 25 === 0) process.stderr.write(`${outcomes.length} of ${seeds.length}\n`);
  };
  if (jobs === 1 || seeds.length === 1) {
    await runAll(seeds, took);
    return outcomes;
  }
  await Promise.all(
    Array.from({ length: jobs }, (_, job) => {
      const own = seeds.filter((_seed, index) => index % jobs === job);
      const child = fork(fileURLToPath(import.meta.url), ['--seeds', own.join()]);
      child.on('message', (outcome: Outcome) => took(outcome));
      return new Promise<void>((resolve) => child.on('exit', () => resolve()));
    }),
  );
  return outcomes;
}

if (values.seeds !== undefined) {
  await runAll(
    values.seeds
      .split(',')
      .filter((text) => text !== '')
      .map(Number),
    (outcome) => process.send?.(outcome),
  );
  process.disconnect();
} else if (values.soak) {
  const script = soakScript(whole('seed', values.seed));
  const outcome = await run(script);
  process.stdout
    .write(`${outcome.problem === null ? summaryText([outcome], 1, outcome.wallMs / 1000) : failureText(outcome, script)}
`);
  if (outcome.problem !== null) process.exitCode = 1;
} else {
  const first = whole('seed', values.seed);
  const seeds =
    values.only !== undefined
      ? [whole('only', values.only)]
      : Array.from({ length: whole('scenarios', values.scenarios) }, (_, index) => first + index);
  const began = performance.now();
  const outcomes = await work(seeds, whole('jobs', values.jobs));
  const wallSeconds = (performance.now() - began) / 1000;
  const summary = summaryText(outcomes, seeds.length, wallSeconds);
  if (values.doc !== undefined)
    writeIntoPage(values.doc, 'chaos', `\`\`\`text\n${summary}\n\`\`\`\n\n${machineText(thisMachine())}.`);
  process.stdout.write(values.json ? `${JSON.stringify({ wallSeconds, outcomes }, null, 2)}\n` : `${summary}\n`);
  if (outcomes.filter(({ problem }) => problem === null).length < seeds.length) process.exitCode = 1;
}
