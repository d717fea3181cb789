/** What a challenger must pass besides the gates of its alias: near its incumbent, and better, on bars that neither saw. */
import { childState } from '#env/state.js';
import { iqm } from '#src/stats/aggregate.js';
import { excessInterval, excessProbability, logReturns, type Interval } from '#src/stats/bootstrap.js';
import { simpleReturns } from '#src/stats/equity-path.js';
import { exp } from '#env/math/index.js';
import type { RetrainSection } from '#src/lab/gates/definition.js';
import { openRival, type Rival } from '#src/lab/gates/incumbent.js';
import type { FindBundle } from '#src/lab/gates/lineage.js';
import { missing, outcomeOf, type Found } from '#src/lab/gates/outcome.js';
import { chooseWindows, openTrained, type TrainedPolicy } from '#src/lab/evaluate.js';
import { runActor, type ActorRun } from '#src/lab/evaluate-baselines.js';
import type { EvaluationMarket } from '#src/lab/evaluate-paths.js';
import { klToIncumbent } from '#src/lab/fine-tune.js';
import { chance, counted, decimal, percent, whole } from '#src/report/format.js';
import { shortId, type Bundle } from '#src/registry/bundle.js';
import type { GateOutcome } from '#src/registry/gates.js';

/** A fine-tuning on the held-out bars. */
export interface SeedResult {
  readonly seed: number;
  /** The run's folder. */
  readonly directory: string;
  readonly weightsSha256: string;
  readonly updates: number;
  readonly klToIncumbent: number;
  readonly totalReturn: number;
  /** Final wealth against the incumbent's, less 1. */
  readonly excess: number;
}

export interface RetrainFigures {
  readonly incumbent: { readonly totalReturn: number; readonly maxDrawdown: number; readonly trades: number };
  readonly seeds: readonly SeedResult[];
}

export interface HeldToOptions {
  readonly alias: string;
  readonly incumbent: Bundle;
  /** The runs' folders; the first is the challenger's. */
  readonly directories: readonly string[];
  readonly gates: RetrainSection;
  readonly klLimit: number;
  /** Of the bootstrap. */
  readonly seed: number;
  /** Finds what the incumbent was fine-tuned from. */
  readonly bundleOf: FindBundle;
  /** sha256 of the weights of challengers that the same incumbent was challenged by before. */
  readonly judgedBefore: readonly string[];
}

/** Throws RUN_ and DATA_ errors, CHECKPOINT_CORRUPT. */
export async function holdToIncumbent(
  options: HeldToOptions,
): Promise<{ outcomes: GateOutcome[]; figures: RetrainFigures }> {
  const { alias, incumbent, directories } = options;
  const rival = openRival(alias, incumbent, options.bundleOf);
  try {
    const [challenger, ...others] = await measureAll(directories, rival, incumbent);
    const results = [challenger, ...others].map(({ result }) => result);
    const { totalReturn, maxDrawdown, trades } = challenger.reference.performance;
    return {
      outcomes: outcomesOf(options, rival, challenger, results),
      figures: { incumbent: { totalReturn, maxDrawdown, trades }, seeds: results },
    };
  } finally {
    rival.dispose();
  }
}

interface Measured {
  readonly market: EvaluationMarket;
  readonly own: ActorRun;
  readonly reference: ActorRun;
  /** (T) ln(1 + r) less the incumbent's, bar by bar. */
  readonly differences: Float64Array;
  /** Bars of the windows that either has seen. */
  readonly seen: { readonly byChallenger: boolean; readonly byIncumbent: number };
  readonly result: SeedResult;
}

async function measureAll(directories: readonly string[], rival: Rival, incumbent: Bundle): Promise<Measured[]> {
  const all: Measured[] = [];
  for (const directory of directories) {
    const trained = await openTrained({ directory, checkpoint: 'last' });
    try {
      all.push(await measure(trained, rival, incumbent, all[0]?.reference ?? null));
    } finally {
      trained.dispose();
    }
  }
  return all;
}

async function measure(
  trained: TrainedPolicy,
  rival: Rival,
  incumbent: Bundle,
  known: ActorRun | null,
): Promise<Measured> {
  const { run, config, policy, head } = trained;
  const { market } = await chooseWindows(config, { window: 'test' });
  const own = runActor(policy, market);
  const reference = known ?? runActor(rival.policy, market);
  const theirs = logReturns(simpleReturns(reference.path));
  const differences = logReturns(simpleReturns(own.path)).map((value, t) => value - theirs[t]);
  const { ppo } = trained.checkpoint;
  const normalizer = ppo['normalizer'] === null ? null : childState(ppo, 'normalizer', run.path, 'CHECKPOINT_CORRUPT');
  const engine = childState(ppo, 'engine', run.path, 'CHECKPOINT_CORRUPT');
  return {
    market,
    own,
    reference,
    differences,
    seen: {
      byChallenger: trained.saw(market),
      byIncumbent: barsIn(market.windows) - barsIn(rival.unseen(market.windows)),
    },
    result: {
      seed: head.seed,
      directory: run.path,
      weightsSha256: head.weightsSha256,
      updates: trained.checkpoint.head.updates,
      klToIncumbent: await klToIncumbent(incumbent, { engine, normalizer }, config),
      totalReturn: own.performance.totalReturn,
      excess: exp(differences.reduce((sum, value) => sum + value, 0)) - 1,
    },
  };
}

const barsIn = (windows: EvaluationMarket['windows']): number =>
  windows.reduce((sum, { start, end }) => sum + end - start, 0);

function outcomesOf(
  { gates, klLimit, incumbent, seed, judgedBefore }: HeldToOptions,
  rival: Rival,
  challenger: Measured,
  results: readonly SeedResult[],
): GateOutcome[] {
  const attempts = 1 + judgedBefore.filter((weights) => weights !== challenger.result.weightsSha256).length;
  const least = leastProbability(gates.beats_incumbent.probability_at_least, attempts);
  const outcomes = [
    outcomeOf(
      { gate: 'kl_to_incumbent', kind: 'integrity', title: 'Near its incumbent', threshold: `KL at most ${klLimit}` },
      nearIncumbent(challenger, klLimit, incumbent),
    ),
    outcomeOf(
      { gate: 'unseen', kind: 'integrity', title: 'Held-out bars seen by neither', threshold: 'none seen' },
      unseen(challenger, rival),
    ),
    outcomeOf(
      {
        gate: 'retrain.held_out',
        kind: 'statistics',
        title: 'Held-out bars and trades',
        threshold: `at least ${whole(gates.held_out.bars_at_least)} and ${whole(gates.held_out.trades_at_least)}`,
      },
      enough(challenger, gates.held_out),
    ),
    outcomeOf(
      {
        gate: 'retrain.beats_incumbent',
        kind: 'statistics',
        title: 'Better than it came from',
        threshold: `at least ${percent(least, attempts > 1 ? 2 : 0)}${attempts > 1 ? `, at attempt ${attempts}` : ''}`,
      },
      better(challenger, { least, attempts }, rival, seed),
    ),
  ];
  if (gates.drawdown !== null)
    outcomes.push(
      outcomeOf(
        {
          gate: 'retrain.drawdown',
          kind: 'statistics',
          title: 'Drawdown no worse',
          threshold: `at most ${percent(gates.drawdown.worse_by_at_most)} over the incumbent's`,
        },
        drawdown(challenger, gates.drawdown.worse_by_at_most),
      ),
    );
  if (gates.seeds !== null)
    outcomes.push(
      outcomeOf(
        {
          gate: 'retrain.seeds',
          kind: 'statistics',
          title: `Better over ${counted(results.length, 'seed')}`,
          threshold: `IQM at least ${percent(gates.seeds.excess_at_least, 1, true)}`,
        },
        overSeeds(results, gates.seeds.excess_at_least),
      ),
    );
  return outcomes;
}

function nearIncumbent({ result }: Measured, limit: number, incumbent: Bundle): Found {
  const { klToIncumbent: kl } = result;
  const passes = kl <= limit;
  return {
    measured: decimal(kl, 4),
    passes,
    why: passes
      ? `mean KL(incumbent || challenger) over the last decisions before the held-out bars, in nats`
      : `the checkpoint is beyond the limit that its training kept: it was exchanged or edited; train it again`,
    evidence: { kl, limit, incumbent: incumbent.sha256 },
  };
}

function unseen({ seen, market }: Measured, rival: Rival): Found {
  const bars = barsIn(market.windows);
  const passes = !seen.byChallenger && seen.byIncumbent === 0;
  const evidence = { bars, seenByIncumbent: seen.byIncumbent, seenByChallenger: seen.byChallenger };
  const why = passes
    ? `${whole(bars)} bars lie behind all that ${rival.name} and its challenger were trained or chosen on`
    : `bars that one of them has learned from judge nothing: name newer ones (--data)`;
  return { measured: seen.byChallenger ? 'seen in training' : whole(seen.byIncumbent), passes, why, evidence };
}

function enough({ market, own }: Measured, least: RetrainSection['held_out']): Found {
  const bars = barsIn(market.windows);
  const { trades } = own.performance;
  const passes = bars >= least.bars_at_least && trades >= least.trades_at_least;
  return {
    measured: `${counted(bars, 'bar')}, ${counted(trades, 'trade')}`,
    passes,
    why: passes
      ? 'enough to judge by'
      : 'so few say nothing of either: wait for more days, or hold out more (held_out_days)',
    evidence: { bars, trades },
  };
}

/**
 * The first attempt must be as likely as asked to be no luck; of k attempts against one incumbent each must be so by a
 * k-th of the chance (Bonferroni), so that whoever retrains night after night does not get through by patience.
 */
export const leastProbability = (asked: number, attempts: number): number => 1 - (1 - asked) / attempts;

function better(
  { differences }: Measured,
  { least, attempts }: { readonly least: number; readonly attempts: number },
  rival: Rival,
  seed: number,
): Found {
  const probability = excessProbability(differences, { seed });
  const excess = excessInterval(differences, { seed });
  if (probability === null || excess === null)
    return missing(`${whole(differences.length)} bars are too few to tell: hold out more days (held_out_days)`);
  const facts = `ends ${percent(excess.estimate, 1, true)} against ${rival.name}, 95% interval ${percent(excess.low, 1, true)} to ${percent(excess.high, 1, true)}`;
  const passes = probability >= least;
  return {
    measured: chance(probability),
    passes,
    why: passes ? facts : `${facts}: ${shortOf(excess)}, and the incumbent stays`,
    evidence: { probability, excess, bars: differences.length, attempts, least },
  };
}

const shortOf = ({ estimate, high }: Interval): string =>
  high < 0 ? 'the incumbent is the better one' : estimate <= 0 ? 'it is no better' : 'that could be luck';

function drawdown({ own, reference }: Measured, most: number): Found {
  const [ours, theirs] = [own, reference].map(({ performance }) => Math.abs(performance.maxDrawdown));
  const passes = ours - theirs <= most;
  return {
    measured: percent(ours - theirs, 1, true),
    passes,
    why: `the challenger falls ${percent(ours)} from its peak, the incumbent ${percent(theirs)}`,
    evidence: { challenger: ours, incumbent: theirs },
  };
}

function overSeeds(results: readonly SeedResult[], least: number): Found {
  const all = Float64Array.from(results, ({ excess }) => excess);
  const middle = iqm([all]);
  const passes = middle >= least;
  const facts = `the fine-tunings end ${results.map(({ excess }) => percent(excess, 1, true)).join(', ')} against the incumbent`;
  return {
    measured: percent(middle, 1, true),
    passes,
    why: passes
      ? facts
      : `${facts}: ${all.some((excess) => excess > 0) ? "what one of them gained was its seed's luck" : 'none of them gained'}`,
    evidence: results,
  };
}

/** For a line of text. */
export const nameOf = (bundle: Bundle): string => `${bundle.manifest.name} ${shortId(bundle.sha256)}`;
