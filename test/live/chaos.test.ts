/**
 * A few scenarios of `npm run chaos`: the runner against the simulated gateway over sockets, with faults, killed once.
 * Deaths are in process here; those of real processes are in the command.
 */
import { describe, expect, it } from 'vitest';
import { runScenario } from '../../bench/chaos/scenario.js';
import { KILL_STEPS, scriptOf, type Script } from '../../bench/chaos/script.js';

/** For each step two scenarios that die there, of the short ones. */
function scripts(): Script[] {
  const chosen: Script[] = [];
  for (const step of KILL_STEPS) {
    const fitting: Script[] = [];
    for (let seed = 1; fitting.length < 2; seed++) {
      const script = scriptOf(seed, { processes: false });
      if (script.kill.step === step && script.replayed < 390) fitting.push(script);
    }
    chosen.push(...fitting);
  }
  return chosen;
}

describe('chaos', () => {
  it('nothing is lost, doubled or left bare, wherever the process dies', async () => {
    const outcomes = await Promise.all(scripts().map((script) => runScenario(script)));
    expect(
      outcomes.filter(({ problem }) => problem !== null).map(({ seed, problem }) => `${seed}: ${problem}`),
    ).toEqual([]);
    expect(outcomes.every(({ orders }) => orders > 0)).toBe(true);
    expect(new Set(outcomes.map(({ killed }) => killed)).size).toBeGreaterThan(4);
  }, 240_000);
});
