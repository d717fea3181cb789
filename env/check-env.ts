/**
 * The environment checker: Gymnasium's `check_env`, and beyond it whole-episode determinism, snapshot and
 * restore, arrays that are not aliased, masks, and errors where the contract asks for them.
 */
import { CheckReport, checkSpaces, type Finding, lossyNumber, throwFindings } from './check-report.js';
import type { Env } from './gym.js';
import { firstDifference, isRecord } from './same-bits.js';
import { RandomStream } from './seeding.js';
import { sample, violations } from './spaces.js';
import type { StateDict } from './state.js';

export type { Finding } from './check-report.js';
export { checkVectorEnv, assertVectorEnv, type CheckVectorOptions } from './check-vector-env.js';

export interface CheckOptions {
  /** Steps that an episode is followed for; default 1000. */
  readonly maxSteps?: number;
  /** False where the environment draws no random numbers at all, so that every seed is alike; default true. */
  readonly random?: boolean;
}

const SEED = 123;
const OTHER_SEED = 456;

/** Throws ENV_CONTRACT with every error that `checkEnv` finds. */
export function assertEnv(makeEnv: () => Env, options: CheckOptions = {}): void {
  throwFindings('checkEnv', checkEnv(makeEnv, options));
}

/** Tries the environment against the contract of env/gym.ts. Returns all findings; an empty list is a pass. */
export function checkEnv(makeEnv: () => Env, options: CheckOptions = {}): Finding[] {
  const maxSteps = options.maxSteps ?? 1000;
  const report = new CheckReport();
  report.run('construct', () => {
    const { observationSpace, actionSpace } = makeEnv();
    checkSpaces(report, observationSpace, actionSpace);
  });
  if (report.hasErrors) return report.findings();

  report.run('reset-result', () => checkResetResult(report, makeEnv()));
  report.run('reset-options', () => void makeEnv().reset({ seed: SEED, options: {} }));
  report.run('step-before-reset', () => {
    const env = makeEnv();
    const action = validAction(env, new RandomStream(0, 'check/action'));
    report.mustThrow('step-before-reset', 'step before the first reset', () => env.step(action));
  });
  report.run('step-result', () => checkEpisode(report, makeEnv(), maxSteps));
  report.run('invalid-action', () => checkInvalidActions(report, makeEnv));
  report.run('aliasing', () => checkAliasing(report, makeEnv()));
  report.run('reset-seed', () => checkSeeds(report, makeEnv, options.random ?? true));
  report.run('episode-determinism', () => checkDeterminism(report, makeEnv, maxSteps));
  report.run('snapshot', () => checkSnapshot(report, makeEnv, maxSteps));
  report.run('close', () => {
    const env = makeEnv();
    env.reset({ seed: SEED });
    env.close();
    env.close();
  });
  return report.findings();
}

function validAction(env: Env, stream: RandomStream): number | Float32Array {
  return sample(env.actionSpace, stream, env.actionMask?.());
}

function checkObservation(report: CheckReport, env: Env, observation: unknown, where: string): void {
  const reasons = violations(env.observationSpace, observation);
  if (reasons.length > 0) report.error('observation', `${where}: ${reasons.join('; ')}`);
}

function checkMask(report: CheckReport, env: Env, where: string): void {
  if (env.actionMask === undefined) return;
  const mask = env.actionMask();
  const size = env.actionSpace.kind === 'discrete' ? env.actionSpace.n : 0;
  if (!(mask instanceof Uint8Array) || mask.length !== size) {
    report.error('action-mask', `${where}: expected a Uint8Array of length ${size}`);
  } else if (mask.some((x) => x > 1) || !mask.includes(1)) {
    report.error('action-mask', `${where}: [${mask.join(', ')}] must hold 0 and 1, and allow something`);
  }
}

function checkResetResult(report: CheckReport, env: Env): void {
  const result: unknown = env.reset({ seed: SEED });
  if (!Array.isArray(result) || result.length !== 2 || !isRecord(result[1])) {
    report.error('reset-result', 'reset must return [observation, info]');
    return;
  }
  checkObservation(report, env, result[0], 'reset');
  checkMask(report, env, 'reset');
}

/** Follows seeded episodes: every step's result, and the error that a step after the end must be. */
function checkEpisode(report: CheckReport, env: Env, maxSteps: number): void {
  const stream = new RandomStream(SEED, 'check/action');
  env.reset({ seed: SEED });
  for (let t = 0; t < maxSteps; t++) {
    const where = `step ${t}`;
    const result: unknown = env.step(validAction(env, stream));
    if (!Array.isArray(result) || result.length !== 5 || !isRecord(result[4])) {
      report.error('step-result', `${where}: step must return [observation, reward, terminated, truncated, info]`);
      return;
    }
    const [observation, reward, terminated, truncated] = result;
    checkObservation(report, env, observation, where);
    if (typeof reward !== 'number' || !Number.isFinite(reward))
      report.error('reward', `${where}: ${String(reward)} is not a finite number`);
    for (const [name, flag] of Object.entries({ terminated, truncated })) {
      if (typeof flag !== 'boolean') report.error('flags', `${where}: ${name} is ${String(flag)}, not true or false`);
    }
    checkMask(report, env, where);
    if (terminated || truncated) {
      const action = validAction(env, stream);
      report.mustThrow('step-after-end', `${where} ended the episode; another step`, () => env.step(action));
      return;
    }
  }
}

function checkInvalidActions(report: CheckReport, makeEnv: () => Env): void {
  const space = makeEnv().actionSpace;
  const bad: (number | Float32Array)[] =
    space.kind === 'discrete'
      ? [-1, space.n, 0.5, NaN, new Float32Array(1)]
      : [new Float32Array(space.shape[0] + 1), new Float32Array(space.shape[0]).fill(NaN), 0];
  if (space.kind === 'box' && Number.isFinite(space.high[0]))
    bad.push(Float32Array.from(space.high, (x) => 2 * Math.abs(x) + 1));
  for (const action of bad) {
    const env = makeEnv();
    env.reset({ seed: SEED });
    const shown = typeof action === 'number' ? String(action) : `[${action.join(', ')}]`;
    report.mustThrow('invalid-action', `action ${shown}`, () => env.step(action));
  }
}

/** Whoever keeps a returned array must find it unchanged after later calls. */
function checkAliasing(report: CheckReport, env: Env): void {
  const stream = new RandomStream(SEED, 'check/action');
  const kept: { where: string; returned: unknown; copy: unknown }[] = [];
  const keep = (where: string, observation: Float32Array, info: unknown) => {
    const returned = { observation, info, mask: env.actionMask?.() ?? null };
    for (const before of kept) {
      if (isRecord(before.returned) && before.returned['observation'] === observation) {
        report.error('aliasing', `${where} returned the same observation array as ${before.where}`);
      }
    }
    kept.push({ where, returned, copy: structuredClone(returned) });
  };
  keep('reset', ...env.reset({ seed: SEED }));
  for (let t = 0; t < 5; t++) {
    const [observation, , terminated, truncated, info] = env.step(validAction(env, stream));
    keep(`step ${t}`, observation, info);
    if (terminated || truncated) keep('reset', ...env.reset());
  }
  for (const { where, returned, copy } of kept) {
    const difference = firstDifference(returned, copy);
    if (difference !== null)
      report.error('aliasing', `what ${where} returned was changed by a later call: ${difference}`);
  }
}

function checkSeeds(report: CheckReport, makeEnv: () => Env, random: boolean): void {
  const env = makeEnv();
  const seeded = env.reset({ seed: SEED })[0].slice();
  const unseeded = [0, 1, 2, 3].map(() => env.reset({ seed: null })[0].slice());
  const again = firstDifference(env.reset({ seed: SEED })[0], seeded, 'observation');
  if (again !== null) report.error('reset-seed', `two resets with seed ${SEED} differ: ${again}`);
  const following = firstDifference(env.reset()[0], unseeded[0], 'observation');
  if (following !== null)
    report.error('reset-seed', `the unseeded reset after seed ${SEED} differs the second time: ${following}`);

  const one = makeEnv();
  const two = makeEnv();
  const other = makeEnv();
  one.reset({ seed: SEED });
  two.reset({ seed: SEED });
  const otherStart = other.reset({ seed: OTHER_SEED })[0].slice();
  const states = firstDifference(one.getState(), two.getState());
  if (states !== null)
    report.error('reset-seed', `two new environments have different states after seed ${SEED}: ${states}`);
  if (random && firstDifference(one.getState(), other.getState()) === null) {
    report.error('other-seed', `seeds ${SEED} and ${OTHER_SEED} give the same state`);
  }
  const randomStart = firstDifference(otherStart, seeded) !== null;
  if (randomStart && unseeded.every((observation) => firstDifference(observation, seeded) === null)) {
    report.error('null-seed', 'a reset without a seed repeats the seeded start: it must continue the streams');
  }
}

interface Trace {
  steps: unknown[];
  state: StateDict;
}

/** `count` steps with sampled actions, episode after episode; everything that was returned, copied. */
function trace(env: Env, stream: RandomStream, count: number): Trace {
  const steps: unknown[] = [];
  for (let t = 0; t < count; t++) {
    const mask = env.actionMask?.();
    const result = env.step(validAction(env, stream));
    steps.push(structuredClone({ mask, result }));
    if (result[2] || result[3]) steps.push(structuredClone(env.reset()));
  }
  return { steps, state: env.getState() };
}

function checkDeterminism(report: CheckReport, makeEnv: () => Env, maxSteps: number): void {
  const run = (env: Env) => {
    const start = structuredClone(env.reset({ seed: SEED }));
    return { start, ...trace(env, new RandomStream(SEED, 'check/action'), maxSteps) };
  };
  const env = makeEnv();
  const first = run(env);
  const fresh = firstDifference(run(makeEnv()), first);
  if (fresh !== null)
    report.error('episode-determinism', `two new environments with the same seed and actions differ: ${fresh}`);
  const { start, steps } = run(env);
  const used = firstDifference({ start, steps }, { start: first.start, steps: first.steps });
  if (used !== null) report.error('episode-determinism', `the same environment seeded again differs: ${used}`);
}

/** Stops in mid-episode, and continues from the snapshot in the same environment and in a new one. */
function checkSnapshot(report: CheckReport, makeEnv: () => Env, maxSteps: number): void {
  const env = makeEnv();
  const before = new RandomStream(SEED, 'check/action');
  env.reset({ seed: SEED });
  trace(env, before, 7);
  const snapshot = env.getState();
  const kept = structuredClone(snapshot);
  const actions = before.getState();
  const lossy = lossyNumber(snapshot);
  if (lossy !== null) report.error('state-json', `${lossy}: JSON cannot carry it, put it in a typed array`);
  const expected = trace(env, before, maxSteps);
  const changed = firstDifference(snapshot, kept);
  if (changed !== null) report.error('state-copy', `later steps changed an earlier state: ${changed}`);

  for (const [name, target] of [
    ['the same environment', env],
    ['a new environment', makeEnv()],
  ] as const) {
    const stream = new RandomStream(SEED, 'check/action');
    stream.setState(actions);
    target.setState(structuredClone(kept));
    const restored = firstDifference(target.getState(), kept);
    if (restored !== null) report.error('snapshot', `${name}: getState after setState differs: ${restored}`);
    const continued = firstDifference(trace(target, stream, maxSteps), expected);
    if (continued !== null) report.error('snapshot', `${name} continues differently from its snapshot: ${continued}`);
  }
}
