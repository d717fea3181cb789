/** How sure it is that the policy beats doing nothing, buying and holding, and what stands there now. */
import { firstDifference } from '#env/same-bits.js';
import { excessInterval, excessProbability, logReturns } from '#src/stats/bootstrap.js';
import { simpleReturns, type EquityPath } from '#src/stats/equity-path.js';
import { chance, counted, percent, whole } from '#src/report/format.js';
import { runActor } from '../evaluate-baselines.js';
import type { HeldOut } from './held-out.js';
import { missing, notApplicable, type Found } from './outcome.js';

interface Settings {
  readonly probability_at_least: number;
}

const SEEN =
  'training, the choice of the checkpoint, or what it was fine-tuned from, knows bars of the test window: judge it on others (data.test)';

/** Against a baseline on the same bars, under the same costs, rules and exits. */
export function beatsBaseline(held: HeldOut, name: 'flat' | 'hold', settings: Settings): Found {
  const { result, seed } = held;
  const baseline = result.baselines.find((run) => run.name === name);
  if (baseline === undefined) throw new Error(`no baseline ${name}`);
  const called = name === 'flat' ? 'holding cash' : 'buy-and-hold';
  return compared(result.agent.path, baseline.path, settings, seed, called);
}

/**
 * Against the incumbent on the bars that neither has seen, both in the challenger's market: the same costs, rules, exits
 * and sizes. Where the incumbent was charged otherwise, with its costs too, and the less favourable of the two counts:
 * what trading costs is no choice of a configuration's.
 */
export function beatsIncumbent(
  { policy, weightsSha256: own, market, result, incumbent, seed }: HeldOut,
  settings: Settings,
): Found {
  if (incumbent === null) return notApplicable('nothing stands there yet');
  const { name } = incumbent;
  if (incumbent.weightsSha256 === own) return notApplicable(`it is ${name} itself`);
  const kind = market.config.actions === 'discrete' ? 'discrete' : 'box';
  if (incumbent.featureSet !== market.featureSet || incumbent.action !== kind)
    return missing(
      `${name} sees or does something else (${incumbent.featureSet}, ${incumbent.action}): the two cannot act in one market; compare them with \`openbell compare\``,
    );
  const all = barsIn(market.windows);
  const windows = incumbent.unseen(market.windows);
  const seen = all - barsIn(windows);
  const evidence = { incumbent: incumbent.sha256, bars: all, seenByIncumbent: seen };
  if (windows.length === 0)
    return missing(
      `${name} was trained or chosen on all ${whole(all)} bars of this test window, so that they judge nothing: test on later bars (data.test)`,
      evidence,
    );
  const { config } = market;
  const { costs } = incumbent.market;
  const isAlike = firstDifference(plain(costs), plain(config.costs)) === null;
  const charged = isAlike ? [config] : [config, { ...config, costs }];
  const found = charged.map((charges) => {
    const bars = { ...market, windows, config: charges };
    const account = charges === config && seen === 0 ? result.agent : runActor(policy, bars);
    const called = charges === config ? name : `${name} at the costs that it was trained with`;
    return compared(account.path, runActor(incumbent.policy, bars).path, settings, seed, called);
  });
  const least = found.reduce((a, b) => (b.measured !== null && (a.probability ?? 0) > (b.probability ?? 0) ? b : a));
  const note = seen === 0 ? '' : `; ${whole(seen)} of ${counted(all, 'bar')} do not count, since it knows them`;
  return { ...least, why: `${least.why}${note}`, evidence: { ...evidence, figures: found.map((one) => one.evidence) } };
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

interface Compared extends Found {
  /** null: the bars are too few. */
  readonly probability: number | null;
}

function compared(own: EquityPath, other: EquityPath, settings: Settings, seed: number, called: string): Compared {
  const left = logReturns(simpleReturns(own));
  const right = logReturns(simpleReturns(other));
  const differences = left.map((value, t) => value - right[t]);
  const probability = excessProbability(differences, { seed });
  const excess = excessInterval(differences, { seed });
  if (probability === null || excess === null)
    return {
      ...missing(`${whole(differences.length)} bars are too few to tell: take a longer test window (data.test)`),
      probability: null,
    };
  const passes = probability >= settings.probability_at_least;
  const facts = `ends ${percent(excess.estimate, 1, true)} against ${called}, 95% interval ${percent(excess.low, 1, true)} to ${percent(excess.high, 1, true)}`;
  return {
    probability,
    measured: chance(probability),
    passes,
    why: passes ? facts : `${facts}: that could be luck; only a longer test, or a better agent, can show more`,
    evidence: { probability, excess, bars: differences.length },
  };
}

const barsIn = (windows: HeldOut['market']['windows']): number =>
  windows.reduce((sum, { start, end }) => sum + end - start, 0);

/** Bars that were learned from prove nothing. */
export const inSample = (): Found => missing(SEEN);
