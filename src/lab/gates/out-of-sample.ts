/** Held-out evidence beyond one window: other windows and seeds, what else was tried, and how often the best was luck. */
import type { ExperimentConfig } from '#src/config/schema.js';
import { chance, counted, decimal, percent, range, whole } from '#src/report/format.js';
import { iqm } from '#src/stats/aggregate.js';
import type { Interval } from '#src/stats/bootstrap.js';
import type { TaskScores } from '#src/stats/scores.js';
import { backtestOverfitting } from '#src/stats/overfitting.js';
import { stratifiedBootstrap } from '#src/stats/stratified-bootstrap.js';
import type { Trials } from '../trials.js';
import type { GateSection } from './definition.js';
import type { HeldOut } from './held-out.js';
import { missing, notApplicable, type Found } from './outcome.js';
import { barsKey, experimentKey, listWalkForwards, walkAgain, type Walked } from './walked.js';

type Settings<K extends keyof GateSection> = NonNullable<GateSection[K]>;

/** What was walked forward of an experiment, and of others on the same bars. */
export interface WalkedEvidence {
  /** Of the experiment itself: same configuration but for windows and seed. */
  readonly own: readonly Walked[];
  /** Other configurations, by the walk-forward of `own` whose bars they share. */
  readonly others: readonly Walked[];
}

/** Throws what reading and judging the runs throws. */
export async function walkedEvidence(config: ExperimentConfig, runsDir: string): Promise<WalkedEvidence> {
  const all = listWalkForwards(runsDir);
  const key = experimentKey(config);
  const own = all.filter((found) => experimentKey(found.config) === key);
  const bars = new Set(own.map(barsKey));
  const others = all.filter((found) => !own.includes(found) && bars.has(barsKey(found)));
  const again = async (list: typeof all): Promise<Walked[]> => {
    const walked: Walked[] = [];
    for (const found of list) walked.push(await walkAgain(found, runsDir));
    return walked;
  };
  return { own: await again(own), others: await again(others) };
}

/** Of several walk-forwards of one experiment the least favourable counts: choosing among them would be one more trial. */
export function walkForwardFound(
  evidence: Pick<WalkedEvidence, 'own'>,
  settings: Settings<'walk_forward'>,
  command: string,
  seed: number,
): Found {
  const { sharpe_at_least: estimate, sharpe_low_at_least: low } = settings;
  return leastFound(
    evidence,
    settings.seeds_at_least,
    command,
    seed,
    ({ sharpes }) => sharpes,
    (interval, about) => {
      const passes = interval.estimate >= estimate && interval.low >= low;
      const facts = `interquartile mean ${decimal(interval.estimate)} a year, 95% interval ${range(interval, decimal)}, ${about}`;
      return {
        measured: `${decimal(interval.estimate)} (low ${decimal(interval.low)})`,
        passes,
        why: passes
          ? facts
          : `${facts}: with other seeds and on other windows this experiment does not earn what is asked`,
      };
    },
  );
}

/** The same against buy-and-hold over the same windows: in a rising market a Sharpe ratio is easily had. */
export function walkForwardHoldFound(
  evidence: Pick<WalkedEvidence, 'own'>,
  settings: Settings<'walk_forward_hold'>,
  command: string,
  seed: number,
): Found {
  return leastFound(
    evidence,
    settings.seeds_at_least,
    command,
    seed,
    ({ overHold }) => overHold,
    (interval, about) => {
      const passes = interval.estimate >= settings.excess_at_least;
      const shown = (value: number): string => percent(value, 1, true);
      const facts = `interquartile mean ${shown(interval.estimate)} against buy-and-hold, 95% interval ${range(interval, shown)}, ${about}`;
      return {
        measured: shown(interval.estimate),
        passes,
        why: passes ? facts : `${facts}: whoever had bought and held would have more`,
      };
    },
  );
}

function leastFound(
  { own }: Pick<WalkedEvidence, 'own'>,
  seeds: number,
  command: string,
  seed: number,
  scoresOf: (walked: Walked) => TaskScores,
  judge: (interval: Interval, about: string) => Found,
): Found {
  if (own.length === 0)
    return missing(`this experiment was never walked forward: run \`${command}\`, then promote again`);
  const enough = own.filter((walked) => walked.seeds.length >= seeds);
  const most = Math.max(...own.map((walked) => walked.seeds.length));
  if (enough.length === 0)
    return missing(
      `it was walked forward with ${counted(most, 'whole seed')}, and ${whole(seeds)} are asked for: run \`${command}\`, then promote again`,
      own.map(({ found, seeds: done }) => ({ hash: found.record.hash, seeds: done })),
    );
  const intervals = enough.map((walked) => {
    const scores = scoresOf(walked);
    const strata = scores.length > 1 ? 'shared' : 'runs';
    return { walked, scores, interval: stratifiedBootstrap(scores, iqm, { seed, strata }) };
  });
  const { walked, scores, interval } = intervals.reduce((a, b) => (b.interval.low < a.interval.low ? b : a));
  const { record } = walked.found;
  const about = `over ${counted(walked.seeds.length, 'seed')} and ${counted(record.windows.length, 'window')}${intervals.length > 1 ? `, the least of ${intervals.length} walk-forwards` : ''}`;
  return {
    ...judge(interval, about),
    evidence: {
      name: record.name,
      hash: record.hash,
      seeds: walked.seeds,
      scores: scores.map((path) => Array.from(path)),
      interval,
    },
  };
}

/** The deflated Sharpe ratio of the test window; with a single trial it is the probabilistic one. */
export function deflatedFound(
  { result }: HeldOut,
  trials: Trials | null,
  settings: Settings<'deflated_sharpe'>,
): Found {
  const { significance } = result.statistics;
  if (significance === null)
    return missing('the account is a flat line on the test window: there is no Sharpe ratio to judge');
  const { deflated, probabilisticSharpe, minimumTrackRecordBars } = significance;
  const probability = deflated?.probability ?? probabilisticSharpe;
  const passes = probability >= settings.probability_at_least;
  const count = trials?.count ?? 1;
  const bar =
    deflated === null
      ? 'over 0; nothing else was tried'
      : `over ${decimal(deflated.expectedMaximum)}, which the best of ${whole(count)} trials shows by luck alone`;
  const { sharpe, bars } = result.agent.performance;
  const facts = `Sharpe ratio ${decimal(sharpe)} a year in ${whole(bars)} bars, to be ${bar}`;
  const wanted =
    minimumTrackRecordBars === null ? '' : `; a record like this would need ${whole(minimumTrackRecordBars)} bars`;
  return {
    measured: chance(probability),
    passes,
    why: passes ? facts : `${facts}${wanted}: test longer, or try fewer things`,
    evidence: { ...significance, trials: count },
  };
}

export function overfittingFound(
  { own, others }: WalkedEvidence,
  configurations: number,
  settings: Settings<'pbo'>,
  command: string,
): Found {
  const walked = own.find((first) => others.some((other) => barsKey(other.found) === barsKey(first.found)));
  if (walked === undefined) {
    if (configurations === 1)
      return notApplicable('one configuration was tried: nothing was chosen from, so nothing overfits by choice');
    return missing(
      `${whole(configurations)} configurations were tried, and the others were not walked forward on the same bars: give each the command \`${command}\`, with its own overrides`,
    );
  }
  const rivals = others.filter((other) => barsKey(other.found) === barsKey(walked.found));
  const returns = [walked, ...rivals].map((one) => one.returns);
  const bars = returns[0].length;
  const usable = returns.every((series) => series.length === bars) && bars >= 2 * settings.chunks;
  if (!usable)
    return missing(
      `${whole(bars)} bars do not make ${settings.chunks} stretches for every configuration: finish their walk-forwards, or take fewer chunks`,
    );
  const { pbo, splits, probabilityOfLoss } = backtestOverfitting(returns, settings.chunks);
  const passes = pbo <= settings.at_most;
  const facts = `the best of ${returns.length} configurations in one half of the time was no better than the median in the other half in ${percent(pbo)} of ${whole(splits)} splits`;
  return {
    measured: percent(pbo),
    passes,
    why: passes ? facts : `${facts}: the choice between them was mostly luck; try fewer, or judge on more bars`,
    evidence: {
      pbo,
      splits,
      probabilityOfLoss,
      walkForwards: [walked, ...rivals].map(({ found }) => found.record.hash),
    },
  };
}

/** What walks this run's experiment forward, to be copied into a shell. */
export function walkForwardCommand(
  { walk_forward: definition, data, training }: ExperimentConfig,
  runPath: string,
  bars: number,
  seeds: number,
): string {
  const part = (share: number): number => Math.max(2, Math.round(bars * share));
  const validation = data?.validation === null ? '' : ` validation: ${part(0.1)},`;
  const windows = `{ scheme: rolling, train: ${part(0.4)},${validation} test: ${part(0.1)}, purge: 5 }`;
  const override = definition === null ? ` walk_forward='${windows}'` : '';
  const anew = training.fine_tune === null ? '' : ' training.fine_tune=null';
  return `openbell walk-forward ${runPath}/config.yaml${override}${anew} --seeds ${seeds}`;
}
