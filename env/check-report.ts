/** What the environment checkers share: findings, their collection, and the checks of spaces and states. */
import type { ActionSpace, BoxSpace } from './spaces.js';
import { isStateArray, type StateValue } from './state.js';
import { fail } from '#src/errors.js';

export interface Finding {
  /** Name of the rule that is broken. */
  readonly check: string;
  /** A warning marks what is legal but seldom meant. */
  readonly level: 'error' | 'warning';
  readonly message: string;
}

/** Collects findings; the same rule broken at many steps is one finding, the first, with the count. */
export class CheckReport {
  readonly #found = new Map<string, { finding: Finding; count: number }>();

  error(check: string, message: string): void {
    this.#add({ check, level: 'error', message });
  }

  warning(check: string, message: string): void {
    this.#add({ check, level: 'warning', message });
  }

  /** Runs one group of checks; whatever it throws is a finding of that name. */
  run(check: string, body: () => void): void {
    try {
      body();
    } catch (error) {
      this.error(check, `unexpected error: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** The body must throw; `what` says what it did. */
  mustThrow(check: string, what: string, body: () => void): void {
    try {
      body();
    } catch {
      return;
    }
    this.error(check, `${what} was accepted: it must throw`);
  }

  get hasErrors(): boolean {
    return [...this.#found.values()].some(({ finding }) => finding.level === 'error');
  }

  findings(): Finding[] {
    return [...this.#found.values()].map(({ finding, count }) =>
      count === 1 ? finding : { ...finding, message: `${finding.message} (and ${count - 1} more like it)` },
    );
  }

  #add(finding: Finding): void {
    const seen = this.#found.get(finding.check);
    if (seen === undefined) this.#found.set(finding.check, { finding, count: 1 });
    else seen.count++;
  }
}

/** Throws ENV_CONTRACT with all errors among the findings. */
export function throwFindings(where: string, findings: readonly Finding[]): void {
  const errors = findings.filter(({ level }) => level === 'error');
  if (errors.length === 0) return;
  const list = errors.map(({ check, message }) => `\n  ${check}: ${message}`).join('');
  fail('ENV_CONTRACT', { where, value: errors.length, message: `the environment breaks these rules:${list}` });
}

/** Shapes and bounds of both spaces. Infinite observation bounds are only a warning, as in Gymnasium. */
export function checkSpaces(report: CheckReport, observationSpace: BoxSpace, actionSpace: ActionSpace): void {
  checkBox(report, 'observation-space', observationSpace);
  const unbounded = infiniteIndices(observationSpace);
  if (unbounded.length > 0) report.warning('observation-bounds', `infinite bounds at indices ${unbounded.join(', ')}`);
  if (actionSpace.kind === 'discrete') {
    if (!Number.isSafeInteger(actionSpace.n) || actionSpace.n < 1) {
      report.error('action-space', `a discrete space needs a positive integer n, not ${actionSpace.n}`);
    }
    return;
  }
  checkBox(report, 'action-space', actionSpace);
  const { low, high } = actionSpace;
  if (
    infiniteIndices(actionSpace).length > 0 ||
    low.some((x, i) => x < -1 || high[i] > 1 || (x !== 0 && x !== -high[i]))
  ) {
    report.warning('action-bounds', 'a symmetric action range within [-1, 1] is easier to learn: see RescaleAction');
  }
}

function checkBox(report: CheckReport, check: string, space: BoxSpace): void {
  const [size] = space.shape;
  if (!Number.isSafeInteger(size) || size < 1)
    report.error(check, `shape [${space.shape.join(', ')}] is not one positive integer`);
  if (space.low.length !== size || space.high.length !== size) {
    report.error(check, `shape [${size}], but ${space.low.length} low and ${space.high.length} high bounds`);
    return;
  }
  const bad = indicesWhere(size, (i) => !(space.low[i] <= space.high[i]));
  if (bad.length > 0) report.error(check, `low is not at most high at indices ${bad.join(', ')}`);
  const points = indicesWhere(size, (i) => space.low[i] === space.high[i]);
  if (points.length > 0) report.warning(`${check}-points`, `low equals high at indices ${points.join(', ')}`);
}

function infiniteIndices(space: BoxSpace): number[] {
  return indicesWhere(space.low.length, (i) => !Number.isFinite(space.low[i]) || !Number.isFinite(space.high[i]));
}

export function indicesWhere(length: number, test: (index: number) => boolean): number[] {
  return Array.from({ length }, (_, i) => i).filter(test);
}

/** A plain number of the state that JSON would lose (NaN, infinite, minus zero), as its path; null where there is none. */
export function lossyNumber(state: StateValue, path = 'state'): string | null {
  if (typeof state === 'number')
    return Number.isFinite(state) && !Object.is(state, -0) ? null : `${path} is ${Object.is(state, -0) ? '-0' : state}`;
  if (typeof state !== 'object' || state === null || isStateArray(state)) return null;
  for (const [key, value] of Object.entries(state)) {
    const found = lossyNumber(value, `${path}.${key}`);
    if (found !== null) return found;
  }
  return null;
}
