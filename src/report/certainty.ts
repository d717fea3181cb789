/** "How sure": the lines that say what luck could have made of a result's figures. */
import type { BenchmarkFigures } from '#src/stats/benchmark.js';
import type { Interval } from '#src/stats/bootstrap.js';
import type { Performance } from '#src/stats/performance.js';
import type { TimingTest } from '#src/stats/timing.js';
import type { RandomRank } from '#src/stats/verdict.js';
import { decimal, MISSING, percent, range, whole } from './format.js';
import type { CertaintyRow } from './model.js';

/** An evaluation's statistics, as src/lab computes them. */
export interface CertaintyInput {
  readonly sharpe: Interval | null;
  readonly intervals: Readonly<
    Record<'sortino' | 'calmar' | 'maxDrawdown' | 'conditionalValueAtRisk', Interval | null>
  >;
  readonly excessOverFlat: Interval | null;
  readonly excessOverHold: Interval | null;
  readonly randomRank: RandomRank | null;
  readonly timing: TimingTest | null;
  readonly significance: {
    readonly probabilisticSharpe: number;
    readonly minimumTrackRecordBars: number | null;
    readonly deflated: {
      readonly probability: number;
      readonly trials: number;
      readonly expectedMaximum: number;
      readonly assumed: boolean;
    } | null;
  } | null;
  readonly benchmark: BenchmarkFigures | null;
}

const share = (digits: number) => (value: number) => percent(value, digits, true);
const two = (value: number): string => decimal(value);

export function certaintyRows(statistics: CertaintyInput, performance: Performance): CertaintyRow[] {
  const { sharpe, intervals, excessOverFlat, excessOverHold, randomRank, timing, significance, benchmark } = statistics;
  const row = (label: string, figure: string, interval: string, note: string): CertaintyRow => ({
    label,
    figure,
    interval,
    note,
  });
  const bootstrapped = (
    label: string,
    figure: number | null,
    interval: Interval | null,
    show: (value: number) => string,
    note: string,
  ): CertaintyRow => row(label, figure === null ? MISSING : show(figure), range(interval, show), note);
  const deflated = significance?.deflated ?? null;
  const trackRecord = significance?.minimumTrackRecordBars ?? null;
  const blocks = 'stationary bootstrap';
  return [
    bootstrapped(
      'Against cash',
      excessOverFlat?.estimate ?? null,
      excessOverFlat,
      share(1),
      `final wealth less 1, ${blocks} of the differences`,
    ),
    bootstrapped(
      'Against buy-and-hold',
      excessOverHold?.estimate ?? null,
      excessOverHold,
      share(1),
      `final wealth less 1, ${blocks} of the differences`,
    ),
    bootstrapped('Sharpe ratio', performance.sharpe, sharpe, two, blocks),
    bootstrapped('Sortino ratio', performance.sortino, intervals.sortino, two, blocks),
    bootstrapped('Calmar ratio', performance.calmar, intervals.calmar, two, blocks),
    bootstrapped('Max drawdown', performance.maxDrawdown, intervals.maxDrawdown, share(1), blocks),
    bootstrapped(
      'CVaR 95%, a bar',
      performance.conditionalValueAtRisk,
      intervals.conditionalValueAtRisk,
      share(3),
      blocks,
    ),
    row('Alpha a year', percent(benchmark?.alpha ?? null, 1, true), MISSING, 'against buy-and-hold, not compounded'),
    row('Beta', decimal(benchmark?.beta ?? null), MISSING, 'against buy-and-hold'),
    row('Information ratio', decimal(benchmark?.informationRatio ?? null), MISSING, 'a year, against buy-and-hold'),
    row(
      'P(true Sharpe ratio > 0)',
      percent(significance?.probabilisticSharpe ?? null),
      MISSING,
      'PSR (Bailey and Lopez de Prado 2012): takes returns as independent, so it is too sure where they trend',
    ),
    row(
      'Least track record',
      trackRecord === null ? MISSING : `${whole(trackRecord)} bars`,
      MISSING,
      `that a record like this needs for 95%; there are ${whole(performance.bars)}`,
    ),
    ...(deflated === null
      ? []
      : [
          row(
            'The same, deflated',
            percent(deflated.probability),
            MISSING,
            `DSR (2014): the best of ${whole(deflated.trials)} trials without skill would show a Sharpe ratio of ${decimal(deflated.expectedMaximum)}${deflated.assumed ? ', their spread taken as that of luck' : ''}; stricter than needed on a window that chose none of them`,
          ),
        ]),
    row(
      'Rank among random traders',
      randomRank === null ? MISSING : `${randomRank.beaten} of ${randomRank.paths}`,
      MISSING,
      randomRank === null ? 'no trades to match' : `at matched turnover, p = ${randomRank.pValue.toFixed(3)}`,
    ),
    row(
      'Timing of the positions',
      timing === null ? MISSING : percent(timing.earned, 1, true),
      MISSING,
      timing === null
        ? 'nothing to shift'
        : `earned before costs; ${whole(timing.shifts)} shifts of the same positions in time: p = ${timing.pValue.toFixed(3)}`,
    ),
  ];
}

/** The same for a terminal. */
export function certaintyText(rows: readonly CertaintyRow[]): string {
  const shown = rows.filter(({ figure }) => figure !== MISSING);
  const width = Math.max(0, ...shown.map(({ label }) => label.length));
  return shown
    .map(
      ({ label, figure, interval, note }) =>
        `${label.padEnd(width)}  ${figure}${interval === MISSING ? '' : `, 95% interval ${interval}`} (${note})`,
    )
    .join('\n')
    .replaceAll('\u2212', '-');
}
