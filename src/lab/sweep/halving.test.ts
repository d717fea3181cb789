import { assert, infiniteStream, integer, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { replayHalving, rungsOf, type HalvingTerms, type TrialStep } from './halving.js';

const keyOf = ({ trial, rung }: TrialStep): string => `${trial}/${rung}`;

/** A machine that trains `places` steps at a time and finishes one of them, chosen by `pick`. */
function runWith(
  terms: HalvingTerms,
  scoreOf: (step: TrialStep) => number | null,
  places: number,
  pick: (count: number) => number,
): { known: Map<string, number | null>; order: string[]; reached: readonly number[] } {
  const known = new Map<string, number | null>();
  const order: string[] = [];
  for (;;) {
    const { needed, finished, reached } = replayHalving(terms, (step) => known.get(keyOf(step)));
    if (finished) return { known, order, reached };
    const running = needed.slice(0, places);
    const done = running[pick(running.length)];
    known.set(keyOf(done), scoreOf(done));
    order.push(keyOf(done));
  }
}

/** A score that wobbles from rung to rung; every seventh trial fails at the second rung. */
const wobbling = ({ trial, rung }: TrialStep): number | null =>
  rung === 1 && trial % 7 === 3 ? null : ((trial * 7919) % 101) + ((trial * 31 + rung * 17) % 23);

const TERMS = { trials: 27, rungs: [10, 30, 90], factor: 3, workers: 5 };

describe('replayHalving', () => {
  it('decides the same, whatever the machine finishes first', () => {
    const reference = runWith(TERMS, wobbling, 1, () => 0);
    assert(
      property(integer({ min: 1, max: 9 }), infiniteStream(nat()), (places, picks) => {
        const { known, reached } = runWith(TERMS, wobbling, places, (count) => (picks.next().value ?? 0) % count);
        expect([...known].sort()).toEqual([...reference.known].sort());
        expect(reached).toEqual(reference.reached);
      }),
      { numRuns: 60, seed: 4 },
    );
  });

  it('goes on from any half-known state to the same end: nothing but results is state', () => {
    const { known, order } = runWith(TERMS, wobbling, 3, (count) => count - 1);
    for (let kept = 0; kept <= order.length; kept += 5) {
      const again = new Map(order.slice(0, kept).map((key) => [key, known.get(key) ?? null]));
      for (;;) {
        const { needed, finished } = replayHalving(TERMS, (step) => again.get(keyOf(step)));
        if (finished) break;
        for (const step of needed) again.set(keyOf(step), wobbling(step));
      }
      expect([...again].sort()).toEqual([...known].sort());
    }
  });

  it('promotes the best third, by the published algorithm, worked by hand', () => {
    // one worker: trials 0, 1, 2 at the first rung; then the best of three goes on before trial 3 begins
    const scores = [1, 5, 3, 9, 2, 4];
    const terms = { trials: 6, rungs: [1, 3], factor: 3, workers: 1 };
    const { order } = runWith(
      terms,
      ({ trial }) => scores[trial],
      1,
      () => 0,
    );
    expect(order).toEqual(['0/0', '1/0', '2/0', '1/1', '3/0', '3/1', '4/0', '5/0']);
  });

  it('never promotes a trial that failed, and counts it among those compared', () => {
    const terms = { trials: 9, rungs: [1, 2], factor: 3, workers: 2 };
    const { known } = runWith(
      terms,
      ({ trial }) => (trial < 7 ? null : trial),
      2,
      () => 0,
    );
    const second = [...known.keys()].filter((key) => key.endsWith('/1'));
    expect(second.sort()).toEqual(['7/1', '8/1']);
  });

  it('prefers the earlier trial where scores are equal', () => {
    const terms = { trials: 4, rungs: [1, 2], factor: 4, workers: 4 };
    const { known } = runWith(
      terms,
      () => 0.5,
      4,
      (count) => count - 1,
    );
    expect([...known.keys()].filter((key) => key.endsWith('/1'))).toEqual(['0/1']);
  });

  it('trains every trial to its end where there is one rung', () => {
    const terms = { trials: 5, rungs: [7], factor: 2, workers: 5 };
    expect(replayHalving(terms, () => undefined).needed).toHaveLength(5);
    const { reached } = runWith(
      terms,
      ({ trial }) => trial,
      2,
      () => 0,
    );
    expect(reached).toEqual([0, 0, 0, 0, 0]);
  });
});

it('puts rungs a factor apart and ends with the whole training', () => {
  expect(rungsOf(90, 10, 3)).toEqual([10, 30, 90]);
  expect(rungsOf(100, 10, 3)).toEqual([10, 30, 90, 100]);
  expect(rungsOf(100, 15, 2.5)).toEqual([15, 38, 94, 100]);
});
