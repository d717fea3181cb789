/** The statistical gates in the order of the table: what is asked for, and what `live` will ask later. */
import type { GateOutcome } from '#src/registry/gates.js';
import { decimal, exactPercent, whole } from '#src/report/format.js';
import type { AliasName } from '#src/registry/aliases.js';
import type { Trials } from '../trials.js';
import { collapseFound, drawdownFound, tradesFound, turnoverFound } from './behaviour.js';
import { settingsOf, type GateSection, type GatesDefinition, type StatisticalGate } from './definition.js';
import type { HeldOut } from './held-out.js';
import { missing, outcomeOf, type Found } from './outcome.js';
import {
  deflatedFound,
  overfittingFound,
  walkForwardFound,
  walkForwardHoldFound,
  type WalkedEvidence,
} from './out-of-sample.js';
import { beatsBaseline, beatsIncumbent, inSample } from './rivals.js';
import { costsFound, delayFound, noiseFound } from './stress.js';

export interface StatisticsInput {
  readonly definition: GatesDefinition;
  readonly to: AliasName;
  /** null: the configuration sets no test window apart. */
  readonly held: HeldOut | null;
  readonly trials: Trials | null;
  /** That were tried, this one included. */
  readonly configurations: number;
  /** null: there is no run to look for walk-forwards of. */
  readonly walked: WalkedEvidence | null;
  /** What walks the experiment forward with so many seeds. */
  readonly command: (seeds: number) => string;
}

type Settings<K extends StatisticalGate> = NonNullable<GateSection[K]>;

export function statisticalOutcomes(input: StatisticsInput): GateOutcome[] {
  const { definition, to, held, trials, configurations, walked, command } = input;
  const row = <K extends StatisticalGate>(
    gate: K,
    title: string,
    threshold: (settings: Settings<K>) => string,
    measure: (settings: Settings<K>) => Found,
  ): GateOutcome[] => {
    const asked = settingsOf(definition, to, gate);
    if (asked === null) return [];
    const { settings, advisory } = asked;
    return [
      outcomeOf({ gate, kind: 'statistics', title, threshold: threshold(settings), advisory }, measure(settings)),
    ];
  };
  // on the test window, which nobody may have seen
  const onTest = (measure: (own: HeldOut) => Found): Found =>
    held === null
      ? missing('the configuration sets no test window apart: give it one (data.test), train and promote again')
      : held.result.seen
        ? inSample()
        : measure(held);
  const likely = ({ probability_at_least: least }: { probability_at_least: number }): string =>
    `at least ${exactPercent(least)}`;
  const earns = ({ return_at_least: least }: { return_at_least: number }): string => `at least ${exactPercent(least)}`;
  const noWalk = missing('there is no run of this bundle here, whose walk-forward could be looked at');
  const rival = held?.incumbent?.name ?? null;
  return [
    ...row(
      'trades',
      'Trades in the test window',
      ({ at_least: least }) => `at least ${whole(least)}`,
      (settings) => onTest((own) => tradesFound(own, settings)),
    ),
    ...row(
      'collapse',
      'Commonest action',
      ({ share_at_most: most, hold_share_at_most: hold }) =>
        `at most ${exactPercent(most)} (hold ${exactPercent(hold)})`,
      (settings) => onTest((own) => collapseFound(own, settings)),
    ),
    ...row(
      'max_drawdown',
      'Maximum drawdown',
      ({ at_most: most }) => `at most ${exactPercent(most)}`,
      (settings) => onTest((own) => drawdownFound(own, settings)),
    ),
    ...row(
      'turnover',
      'Turnover',
      ({ at_most: most }) => `at most ${whole(most)} a year`,
      (settings) => onTest((own) => turnoverFound(own, settings)),
    ),
    ...row('beats_flat', 'Chance of beating cash', likely, (settings) =>
      onTest((own) => beatsBaseline(own, 'flat', settings)),
    ),
    ...row('beats_hold', 'Chance of beating buy-and-hold', likely, (settings) =>
      onTest((own) => beatsBaseline(own, 'hold', settings)),
    ),
    ...row(
      'beats_incumbent',
      rival === null ? 'Chance of beating the incumbent' : `Chance of beating ${rival}`,
      likely,
      (settings) => onTest((own) => beatsIncumbent(own, settings)),
    ),
    ...row('stress_costs', 'Return at dearer costs', earns, (settings) => onTest((own) => costsFound(own, settings))),
    ...row('stress_noise', 'Return under noise', earns, (settings) => onTest((own) => noiseFound(own, settings))),
    ...row('stress_delay', 'Return one bar late', earns, (settings) => onTest((own) => delayFound(own, settings))),
    ...row('deflated_sharpe', 'Deflated Sharpe ratio', likely, (settings) =>
      onTest((own) => deflatedFound(own, trials, settings)),
    ),
    ...row(
      'walk_forward',
      'Walk-forward Sharpe ratio',
      ({ sharpe_at_least: least, sharpe_low_at_least: low, seeds_at_least: seeds }) =>
        `at least ${decimal(least)} (low ${decimal(low)}), ${whole(seeds)} seeds`,
      (settings) =>
        walked === null
          ? noWalk
          : walkForwardFound(walked, settings, command(settings.seeds_at_least), definition.seed),
    ),
    ...row(
      'walk_forward_hold',
      'Walk-forward over buy-and-hold',
      ({ excess_at_least: least, seeds_at_least: seeds }) => `at least ${exactPercent(least)}, ${whole(seeds)} seeds`,
      (settings) =>
        walked === null
          ? noWalk
          : walkForwardHoldFound(walked, settings, command(settings.seeds_at_least), definition.seed),
    ),
    ...row(
      'pbo',
      'Probability of overfitting',
      ({ at_most: most }) => `at most ${exactPercent(most)}`,
      (settings) =>
        walked === null
          ? noWalk
          : overfittingFound(
              walked,
              configurations,
              settings,
              command(definition.live.walk_forward?.seeds_at_least ?? 5),
            ),
    ),
  ];
}
