import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computeFeatures, FEATURE_SETS, MARKET_FEATURE_COUNT } from '#env/market/observation/index.js';
import type { ObservationSpec } from '#env/market/observation/index.js';
import { RandomStream } from '#env/seeding.js';
import { SMA } from 'technicalindicators';
import { flatActor, holdActor, matchTurnover, randomActor, smaCrossActor } from './index.js';
import type { SwitchProbabilities, TurnoverRecord } from './index.js';

const O = FEATURE_SETS.v1.features.length;
const POSITION = 12;
const [HOLD, BUY, SELL] = [0, 1, 2];

/** Observations (B,O) that differ in the position only. */
function holding(...positions: number[]): Float32Array {
  const observations = new Float32Array(positions.length * O);
  positions.forEach((position, row) => (observations[row * O + POSITION] = position));
  return observations;
}

function discrete(
  actor: ReturnType<typeof flatActor>,
  observations: Float32Array,
  masks: Uint8Array | null = null,
): number[] {
  const actions = new Int32Array(observations.length / O);
  actor.act(actions, observations, masks, actions.length);
  return [...actions];
}

function targets(actor: ReturnType<typeof flatActor>, observations: Float32Array): number[] {
  const actions = new Float32Array(observations.length / O);
  actor.act(actions, observations, null, actions.length);
  return [...actions];
}

/** Follows an actor in a market that always fills, a whole position at a time: what the actor did, as a record. */
function follow(probabilities: SwitchProbabilities, decisions: number): TurnoverRecord {
  const actor = randomActor(probabilities, new RandomStream(5, 'baseline/random'));
  const observation = new Float32Array(O);
  const action = new Int32Array(1);
  let [side, turnover, long, short] = [0, 0, 0, 0];
  for (let t = 0; t < decisions; t++) {
    observation[POSITION] = side;
    actor.act(action, observation, null, 1);
    if (side === 1) long++;
    if (side === -1) short++;
    const change = action[0] === BUY ? 1 : action[0] === SELL ? -1 : 0;
    side += change;
    turnover += Math.abs(change);
  }
  return { decisions, turnover, longShare: long / decisions, shortShare: short / decisions };
}

describe('fixed rules', () => {
  const positions = holding(0, 0.9, -0.9);

  it('flat never enters, and leaves what it finds itself in', () => {
    expect(discrete(flatActor(), positions)).toEqual([HOLD, SELL, BUY]);
    expect(targets(flatActor(), positions)).toEqual([0, 0, 0].map((zero) => expect.closeTo(zero)));
  });

  it('hold buys whenever it is not long, and never sells', () => {
    expect(discrete(holdActor(), positions)).toEqual([BUY, HOLD, BUY]);
    expect(targets(holdActor(), positions)).toEqual([1, expect.closeTo(0.9, 5), 1]);
  });

  it('hold loses no lot to the rounding of its position to float32', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500_000 }), fc.integer({ min: 1, max: 500_000 }), (shares, more) => {
        const budgetShares = shares + more;
        const [target] = targets(holdActor(), holding(shares / budgetShares));
        expect(Math.floor(target * budgetShares)).toBe(shares);
      }),
      { seed: 1 },
    );
  });

  it('smaCross is long exactly while SMA(20) stands above SMA(50)', () => {
    const random = new RandomStream(3, 'prices');
    const close = new Float64Array(449);
    for (let t = 0; t < 449; t++) close[t] = t === 0 ? 100 : close[t - 1] * (1 + 0.01 * random.normal());
    const bars = { open: close, high: close, low: close, close, volume: close };
    const features = computeFeatures(bars, [{ start: 0, end: 449 }]);
    const observations = new Float32Array(400 * O);
    for (let t = 0; t < 400; t++) {
      observations.set(features.subarray((t + 49) * MARKET_FEATURE_COUNT, (t + 50) * MARKET_FEATURE_COUNT), t * O);
    }
    const fast = SMA.calculate({ period: 20, values: [...close] });
    const slow = SMA.calculate({ period: 50, values: [...close] });
    const expected = slow.map((average, t) => (fast[t + 30] > average ? BUY : HOLD));
    expect(discrete(smaCrossActor(), observations)).toEqual(expected);
    expect(expected.filter((action) => action === BUY).length).toBeGreaterThan(50);
    for (let t = 0; t < 400; t++) observations[t * O + POSITION] = 1;
    expect(discrete(smaCrossActor(), observations)).toEqual(expected.map((action) => (action === BUY ? HOLD : SELL)));
  });

  it('hold back where the mask forbids the action', () => {
    const masks = Uint8Array.of(1, 0, 0, 1, 1, 1, 1, 0, 1);
    expect(discrete(holdActor(), holding(0, 0, -1), masks)).toEqual([HOLD, BUY, HOLD]);
  });

  it('refuse a feature set without the features that they read', () => {
    const blind: ObservationSpec = { ...FEATURE_SETS.v1, name: 'blind', features: FEATURE_SETS.v1.features.slice(3) };
    expect(() => smaCrossActor(blind)).toThrow('POLICY_SPEC feature set blind "smaGap20"');
  });
});

describe('random at matched turnover', () => {
  it('trades as often and is in the market as long as the record that it was made from', () => {
    const records: TurnoverRecord[] = [
      { decisions: 1000, turnover: 40, longShare: 0.6, shortShare: 0 },
      { decisions: 1000, turnover: 300, longShare: 0.3, shortShare: 0.2 },
      { decisions: 1000, turnover: 10.5, longShare: 0.05, shortShare: 0.9 },
    ];
    for (const record of records) {
      const twin = follow(matchTurnover(record), 1_000_000);
      expect(twin.turnover / 1_000_000).toBeCloseTo(record.turnover / record.decisions, 2);
      expect(twin.turnover / 1_000_000 / (record.turnover / record.decisions)).toBeCloseTo(1, 1);
      expect(twin.longShare).toBeCloseTo(record.longShare, 1);
      expect(twin.shortShare).toBeCloseTo(record.shortShare, 1);
    }
  });

  it('never trades where the record never does', () => {
    expect(matchTurnover({ decisions: 500, turnover: 0, longShare: 0, shortShare: 0 })).toEqual({
      enterLong: 0,
      enterShort: 0,
      exit: 0,
    });
    expect(follow(matchTurnover({ decisions: 500, turnover: 0, longShare: 0, shortShare: 0 }), 500).turnover).toBe(0);
  });

  it('enters at once and nearly never leaves where the record bought and held', () => {
    const probabilities = matchTurnover({ decisions: 500, turnover: 1, longShare: 1, shortShare: 0 });
    expect(probabilities).toEqual({ enterLong: 1, enterShort: 0, exit: 0.001 });
  });

  it('gives probabilities for every record', () => {
    const record = fc.record({
      decisions: fc.integer({ min: 1, max: 10_000 }),
      turnover: fc.double({ min: 0, max: 20_000, noNaN: true }),
      longShare: fc.double({ min: 0, max: 0.5, noNaN: true }),
      shortShare: fc.double({ min: 0, max: 0.5, noNaN: true }),
    });
    fc.assert(
      fc.property(record, (measured) => {
        const { enterLong, enterShort, exit } = matchTurnover(measured);
        for (const probability of [enterLong, enterShort, exit, enterLong + enterShort]) {
          expect(probability).toBeGreaterThanOrEqual(0);
          expect(probability).toBeLessThanOrEqual(1 + 1e-12);
        }
      }),
      { seed: 2 },
    );
  });

  it('repeats itself from the same seed, and draws once a row whatever it holds', () => {
    const probabilities = { enterLong: 0.3, enterShort: 0.3, exit: 0.5 };
    const run = (positions: Float32Array): [number[], number] => {
      const random = new RandomStream(9, 'baseline/random');
      return [discrete(randomActor(probabilities, random), positions), random.uniform()];
    };
    const flat = holding(0, 0, 0, 0, 0, 0, 0, 0);
    expect(run(flat)).toEqual(run(flat));
    expect(new Set(run(flat)[0])).toEqual(new Set([HOLD, BUY, SELL]));
    expect(run(flat)[1]).toBe(run(holding(1, 1, -1, -1, 0, 1, 1, 1))[1]);
  });
});
