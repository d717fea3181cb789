/** Are the bars that judge kept apart from those that taught? Looks at the windows themselves; nothing is run. */
import { firstBarAtOrAfter, type Bars, type TradingWindow } from '#env/market/bars.js';
import { stamp } from './audit-features.js';
import { Findings, reportOf, type AuditCheck, type AuditReport } from './findings.js';

export interface SplitSet {
  readonly role: 'train' | 'validation' | 'test';
  readonly windows: readonly TradingWindow[];
}

/** Stamps in common, from which on two series are told to be one. */
const FEWEST_IN_COMMON = 20;
const TWIN_TOLERANCE = 1e-6;

/**
 * Overlaps in time of one market (the same symbol, the same file, or the same prices under another name, whatever their
 * scale) between sets; training and choosing that is warmed up with test bars; training that goes on behind a test with
 * nothing left out between.
 */
export function auditSplits(sets: readonly SplitSet[], name = 'splits'): AuditReport {
  return reportOf(splitChecks(sets, name));
}

export function splitChecks(sets: readonly SplitSet[], name: string): AuditCheck[] {
  const found = new Findings();
  const twins = new TwinCache();
  let pairs = 0;
  for (const [k, one] of sets.entries()) {
    for (const two of sets.slice(k + 1)) {
      if (one.role === two.role) continue;
      for (const a of one.windows) {
        for (const b of two.windows) {
          const market = twins.sameMarket(a.bars, b.bars);
          pairs += 1;
          if (market === null || !overlap(a, a.start, b, b.start)) continue;
          found.leak(
            'split-overlap',
            `${one.role}, ${two.role}`,
            `${one.role} ${spanText(a)} and ${two.role} ${spanText(b)} hold bars of one market (${market}) in overlapping time`,
          );
        }
      }
    }
  }
  const tests = sets.filter(({ role }) => role === 'test').flatMap(({ windows }) => windows);
  for (const { role, windows } of sets) {
    if (role === 'test') continue;
    for (const learned of windows) {
      for (const test of tests) {
        if (twins.sameMarket(learned.bars, test.bars) === null) continue;
        behindTest(found, role, learned, test);
      }
    }
  }
  const done = `${pairs} pairs of windows`;
  return found.table(['split-overlap', 'split-warmup', 'split-purge'], name, done);
}

function behindTest(found: Findings, role: 'train' | 'validation', learned: TradingWindow, test: TradingWindow): void {
  const { bars, segment, start } = learned;
  const testEndMs = test.bars.openTimeMs[test.end - 1];
  const testStartMs = test.bars.openTimeMs[test.start];
  if (bars.openTimeMs[start] <= testStartMs) return;
  const fed = bars.openTimeMs[segment.start];
  if (fed <= testEndMs && bars.openTimeMs[start] > testEndMs) {
    found.leak(
      'split-warmup',
      role,
      `${role} ${spanText(learned)} begins behind test ${spanText(test)} and is warmed up with bars since ${stamp(bars, segment.start)}, which are test bars: leave the test out with data.exclude`,
    );
    return;
  }
  // the first bar that feeds it is the very next one of the test's segment
  const isNext = firstBarAtOrAfter(bars, testEndMs + 1) === segment.start && test.segment.end > test.end;
  if (role === 'train' && isNext) {
    found.leak(
      'split-purge',
      role,
      `${role} ${spanText(learned)} goes on at the very bar behind test ${spanText(test)}: leave some out between them (walk_forward.purge, walk_forward.embargo)`,
    );
  }
}

function overlap(a: TradingWindow, aStart: number, b: TradingWindow, bStart: number): boolean {
  return (
    a.bars.openTimeMs[aStart] <= b.bars.openTimeMs[b.end - 1] &&
    b.bars.openTimeMs[bStart] <= a.bars.openTimeMs[a.end - 1]
  );
}

function spanText({ bars, start, end }: TradingWindow): string {
  return `${bars.instrument.symbol} ${stamp(bars, start)} to ${stamp(bars, end - 1)}`;
}

class TwinCache {
  readonly #known = new Map<string, string | null>();

  /** How two series are known to be one market; null: they are two. */
  sameMarket(a: Bars, b: Bars): string | null {
    if (a.instrument.symbol === b.instrument.symbol) return a.instrument.symbol;
    if (a.sha256 === b.sha256) return `${a.source} and ${b.source} are one file`;
    const key = `${a.sha256}\n${b.sha256}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const answer = isTwin(a, b) ? `${a.instrument.symbol} and ${b.instrument.symbol} have the same prices` : null;
    this.#known.set(key, answer);
    return answer;
  }
}

/** Closes of common stamps that keep one ratio all along. */
function isTwin(a: Bars, b: Bars): boolean {
  let common = 0;
  let first = NaN;
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const difference = a.openTimeMs[i] - b.openTimeMs[j];
    if (difference < 0) i++;
    else if (difference > 0) j++;
    else {
      const ratio = a.close[i] / b.close[j];
      if (common === 0) first = ratio;
      if (Math.abs(ratio / first - 1) > TWIN_TOLERANCE) return false;
      common++;
      i++;
      j++;
    }
  }
  return common >= FEWEST_IN_COMMON;
}
