/** The same for vector environments: the contract of env/vector-env.ts. */
import { CheckReport, checkSpaces, type Finding, indicesWhere, lossyNumber, throwFindings } from './check-report.js';
import { firstDifference } from './same-bits.js';
import { RandomStream } from './seeding.js';
import { sample, spaceSize, violations } from './spaces.js';
import type { VectorEnv } from './vector-env.js';

export interface CheckVectorOptions {
  /** Steps of each run; default 1000, so that episodes end. */
  readonly steps?: number;
  /** False where no random numbers are drawn at all; default true. */
  readonly random?: boolean;
  /**
   * False where the rows are different worlds (several instruments), so that row i of a vector need not be what
   * a vector of one gives with seed + i; default true.
   */
  readonly rowsAlike?: boolean;
}

const SEED = 123;
const OTHER_SEED = 456;
const NUM_ENVS = 3;

/** Throws ENV_CONTRACT with every error that `checkVectorEnv` finds. */
export function assertVectorEnv(makeEnv: (numEnvs: number) => VectorEnv, options: CheckVectorOptions = {}): void {
  throwFindings('checkVectorEnv', checkVectorEnv(makeEnv, options));
}

/** Tries vectors of three and of one against the contract. Returns all errors; an empty list is a pass. */
export function checkVectorEnv(makeEnv: (numEnvs: number) => VectorEnv, options: CheckVectorOptions = {}): Finding[] {
  const steps = options.steps ?? 1000;
  const make = () => makeEnv(NUM_ENVS);
  const report = new CheckReport();
  report.run('construct', () => checkShapes(report, make()));
  if (report.hasErrors) return errorsOf(report);

  report.run('step-before-reset', () => {
    const env = make();
    const actions = new Actions(env);
    report.mustThrow('step-before-reset', 'step before the first reset', () => env.step(actions.draw()));
  });
  report.run('steps', () => checkSteps(report, make(), steps));
  report.run('seeds', () => checkSeeds(report, make, steps, options.random ?? true));
  if (options.rowsAlike ?? true) report.run('rows', () => checkRows(report, makeEnv, steps));
  report.run('snapshot', () => checkSnapshot(report, make, steps));
  report.run('close', () => {
    const env = make();
    env.reset({ seed: SEED });
    env.close();
    env.close();
  });
  return errorsOf(report);
}

const errorsOf = (report: CheckReport) => report.findings().filter(({ level }) => level === 'error');

/** Sampled actions for all rows, within their masks, in one array. Row i draws from its own stream. */
class Actions {
  readonly #env: VectorEnv;
  readonly #streams: RandomStream[];
  readonly #actions: Int32Array | Float32Array;

  constructor(env: VectorEnv, firstRow = 0) {
    this.#env = env;
    const length = env.numEnvs * spaceSize(env.singleActionSpace);
    this.#streams = Array.from({ length: env.numEnvs }, (_, i) => new RandomStream(firstRow + i, 'check/action'));
    this.#actions = env.singleActionSpace.kind === 'discrete' ? new Int32Array(length) : new Float32Array(length);
  }

  draw(): Int32Array | Float32Array {
    const { singleActionSpace: space, actionMasks: masks } = this.#env;
    this.#streams.forEach((stream, i) => {
      if (space.kind === 'discrete') {
        this.#actions[i] = sample(space, stream, masks?.subarray(i * space.n, (i + 1) * space.n));
      } else {
        this.#actions.set(sample(space, stream), i * space.shape[0]);
      }
    });
    return this.#actions;
  }

  getState() {
    return this.#streams.map((stream) => stream.getState());
  }

  setState(state: ReturnType<Actions['getState']>): void {
    state.forEach((saved, i) => this.#streams[i].setState(saved));
  }
}

const arraysOf = (env: VectorEnv) => ({
  observations: env.observations,
  rewards: env.rewards,
  terminations: env.terminations,
  truncations: env.truncations,
  finalObservations: env.finalObservations,
  actionMasks: env.actionMasks,
  episodeReturns: env.episodeReturns,
  episodeLengths: env.episodeLengths,
});

function checkShapes(report: CheckReport, env: VectorEnv): void {
  if (env.numEnvs !== NUM_ENVS) report.error('num-envs', `asked for ${NUM_ENVS} environments, got ${env.numEnvs}`);
  checkSpaces(report, env.singleObservationSpace, env.singleActionSpace);
  const cells = env.numEnvs * env.singleObservationSpace.shape[0];
  const space = env.singleActionSpace;
  const wanted = {
    observations: new Float32Array(cells),
    rewards: new Float64Array(env.numEnvs),
    terminations: new Uint8Array(env.numEnvs),
    truncations: new Uint8Array(env.numEnvs),
    finalObservations: new Float32Array(cells),
    actionMasks: env.actionMasks !== null && space.kind === 'discrete' ? new Uint8Array(env.numEnvs * space.n) : null,
    episodeReturns: new Float64Array(env.numEnvs),
    episodeLengths: new Int32Array(env.numEnvs),
  };
  const arrays: Record<string, ArrayLike<number> | null> = arraysOf(env);
  for (const [name, expected] of Object.entries(wanted)) {
    const found = arrays[name];
    if (found?.constructor !== expected?.constructor || found?.length !== expected?.length) {
      const shown = expected === null ? 'null' : `a ${expected.constructor.name} of length ${expected.length}`;
      report.error('arrays', `${name} must be ${shown}`);
    }
  }
}

/** One run: flags, rewards, spaces, masks, the account of episodes, and arrays that stay in place. */
function checkSteps(report: CheckReport, env: VectorEnv, steps: number): void {
  const actions = new Actions(env);
  env.reset({ seed: SEED });
  const arrays = arraysOf(env);
  const returns = new Float64Array(env.numEnvs);
  const lengths = new Int32Array(env.numEnvs);
  checkRowsOf(report, env, env.observations, () => true, 'observations after reset');
  checkMasks(report, env, 'reset');
  let ends = 0;
  let repeatedEnds = 0;
  for (let t = 0; t < steps; t++) {
    // What an ended episode must write is spoilt first, so that leaving it unwritten shows.
    env.finalObservations.fill(NaN);
    env.episodeReturns.fill(NaN);
    env.episodeLengths.fill(-1);
    env.step(actions.draw());
    const ended = (i: number) => env.terminations[i] === 1 || env.truncations[i] === 1;
    checkRowsOf(report, env, env.observations, () => true, `observations at step ${t}`);
    checkRowsOf(report, env, env.finalObservations, ended, `finalObservations at step ${t}`);
    checkMasks(report, env, `step ${t}`);
    for (let i = 0; i < env.numEnvs; i++) {
      const where = `step ${t}, row ${i}`;
      if (env.terminations[i] > 1 || env.truncations[i] > 1)
        report.error('flags', `${where}: a flag is neither 0 nor 1`);
      if (!Number.isFinite(env.rewards[i])) report.error('reward', `${where}: ${env.rewards[i]} is not finite`);
      returns[i] += env.rewards[i];
      lengths[i]++;
      if (!ended(i)) continue;
      ends++;
      if (sameRow(env, i)) repeatedEnds++;
      const tolerance = 1e-9 * Math.max(1, Math.abs(returns[i]));
      if (env.episodeLengths[i] !== lengths[i] || !(Math.abs(env.episodeReturns[i] - returns[i]) <= tolerance)) {
        report.error(
          'episode-statistics',
          `${where}: return ${env.episodeReturns[i]}, length ${env.episodeLengths[i]}, but the rewards say ${returns[i]}, ${lengths[i]}`,
        );
      }
      returns[i] = 0;
      lengths[i] = 0;
    }
  }
  if (ends > 0 && repeatedEnds === ends) {
    report.error(
      'autoreset',
      'after an end, observations still show the final one: it must be the first of the next episode (SameStep)',
    );
  }
  const now: Record<string, unknown> = arraysOf(env);
  for (const [name, array] of Object.entries(arrays)) {
    if (now[name] !== array) report.error('in-place', `${name} became another array: it must be overwritten in place`);
  }
}

/** Whether row i shows its final observation as the current one too. */
function sameRow(env: VectorEnv, i: number): boolean {
  const size = env.singleObservationSpace.shape[0];
  for (let k = i * size; k < (i + 1) * size; k++) if (env.observations[k] !== env.finalObservations[k]) return false;
  return true;
}

function checkRowsOf(
  report: CheckReport,
  env: VectorEnv,
  rows: Float32Array,
  use: (i: number) => boolean,
  where: string,
): void {
  const size = env.singleObservationSpace.shape[0];
  for (let i = 0; i < env.numEnvs; i++) {
    if (!use(i)) continue;
    const reasons = violations(env.singleObservationSpace, rows.subarray(i * size, (i + 1) * size));
    if (reasons.length > 0) report.error('observation', `${where}, row ${i}: ${reasons.join('; ')}`);
  }
}

function checkMasks(report: CheckReport, env: VectorEnv, where: string): void {
  if (env.actionMasks === null) return;
  const size = env.actionMasks.length / env.numEnvs;
  for (let i = 0; i < env.numEnvs; i++) {
    const mask = env.actionMasks.subarray(i * size, (i + 1) * size);
    if (mask.some((x) => x > 1) || !mask.includes(1)) {
      report.error('action-mask', `${where}, row ${i}: [${mask.join(', ')}] must hold 0 and 1, and allow something`);
    }
  }
}

/** What one row of a step shows; the final observation and the statistics only where they are valid. */
function rowOf(env: VectorEnv, i: number): unknown {
  const size = env.singleObservationSpace.shape[0];
  const masks = env.actionMasks;
  const width = masks === null ? 0 : masks.length / env.numEnvs;
  const ended = env.terminations[i] === 1 || env.truncations[i] === 1;
  return {
    observation: env.observations.slice(i * size, (i + 1) * size),
    reward: env.rewards[i],
    flags: [env.terminations[i], env.truncations[i]],
    mask: masks?.slice(i * width, (i + 1) * width) ?? null,
    final: ended
      ? [env.finalObservations.slice(i * size, (i + 1) * size), env.episodeReturns[i], env.episodeLengths[i]]
      : null,
  };
}

const rowsOf = (env: VectorEnv) => indicesWhere(env.numEnvs, () => true).map((i) => rowOf(env, i));

function run(env: VectorEnv, actions: Actions, steps: number): unknown[] {
  return Array.from({ length: steps }, () => {
    env.step(actions.draw());
    return rowsOf(env);
  });
}

function checkSeeds(report: CheckReport, make: () => VectorEnv, steps: number, random: boolean): void {
  const seededRun = (env: VectorEnv, seed: number) => {
    env.reset({ seed });
    const start = env.observations.slice();
    return { start, steps: run(env, new Actions(env), steps) };
  };
  const env = make();
  const first = seededRun(env, SEED);
  const fresh = firstDifference(seededRun(make(), SEED), first);
  if (fresh !== null)
    report.error('determinism', `two new environments with the same seed and actions differ: ${fresh}`);
  const again = firstDifference(seededRun(env, SEED), first);
  if (again !== null) report.error('determinism', `the same environment seeded again differs: ${again}`);
  const other = make();
  other.reset({ seed: OTHER_SEED });
  const reference = make();
  reference.reset({ seed: SEED });
  if (random && firstDifference(other.getState(), reference.getState()) === null) {
    report.error('other-seed', `seeds ${SEED} and ${OTHER_SEED} give the same state`);
  }
  const unseeded = [0, 1, 2, 3].map(() => {
    reference.reset({ seed: null });
    return reference.observations.slice();
  });
  const randomStart =
    firstDifference(other.observations, unseeded[0]) !== null &&
    firstDifference(first.start, other.observations) !== null;
  if (randomStart && unseeded.every((observations) => firstDifference(observations, first.start) === null)) {
    report.error('null-seed', 'a reset without a seed repeats the seeded start: it must continue the streams');
  }
}

/** Environment i is seeded with seed + i: its row is what a vector of one shows with that seed. */
function checkRows(report: CheckReport, makeEnv: (numEnvs: number) => VectorEnv, steps: number): void {
  const vector = makeEnv(NUM_ENVS);
  const singles = Array.from({ length: NUM_ENVS }, () => makeEnv(1));
  vector.reset({ seed: SEED });
  singles.forEach((single, i) => single.reset({ seed: SEED + i }));
  const actions = new Actions(vector);
  const singleActions = singles.map((single, i) => new Actions(single, i));
  for (let t = 0; t <= steps; t++) {
    for (let i = 0; i < NUM_ENVS; i++) {
      const difference = firstDifference(rowOf(vector, i), rowOf(singles[i], 0));
      if (difference !== null) {
        report.error(
          'rows',
          `row ${i} with seed ${SEED} is not a vector of one with seed ${SEED + i}, after ${t} steps: ${difference}`,
        );
        return;
      }
    }
    vector.step(actions.draw());
    singles.forEach((single, i) => single.step(singleActions[i].draw()));
  }
}

function checkSnapshot(report: CheckReport, make: () => VectorEnv, steps: number): void {
  const env = make();
  const actions = new Actions(env);
  env.reset({ seed: SEED });
  run(env, actions, 7);
  const snapshot = env.getState();
  const kept = structuredClone(snapshot);
  const observations = env.observations.slice();
  const masks = env.actionMasks?.slice() ?? null;
  const savedActions = actions.getState();
  const lossy = lossyNumber(snapshot);
  if (lossy !== null) report.error('state-json', `${lossy}: JSON cannot carry it, put it in a typed array`);
  const expected = run(env, actions, steps);
  const changed = firstDifference(snapshot, kept);
  if (changed !== null) report.error('state-copy', `later steps changed an earlier state: ${changed}`);
  for (const [name, target] of [
    ['the same environment', env],
    ['a new environment', make()],
  ] as const) {
    target.setState(structuredClone(kept));
    const shown = firstDifference(
      { observations: target.observations, masks: target.actionMasks },
      { observations, masks },
    );
    if (shown !== null) report.error('snapshot', `${name}: setState does not bring back what is shown: ${shown}`);
    const restored = firstDifference(target.getState(), kept);
    if (restored !== null) report.error('snapshot', `${name}: getState after setState differs: ${restored}`);
    const streams = new Actions(target);
    streams.setState(savedActions);
    const continued = firstDifference(run(target, streams, steps), expected);
    if (continued !== null) report.error('snapshot', `${name} continues differently from its snapshot: ${continued}`);
  }
}
