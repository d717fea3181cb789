/** Does training know what it must not? It is begun again with every bar that is none of its business made another. */
import type { Bars } from '#env/market/bars.js';
import { firstDifference } from '#env/same-bits.js';
import type { StateDict } from '#env/state.js';
import { Findings, reportOf, skippedCheck, type AuditCheck, type AuditReport } from './findings.js';
import { otherBars } from './other-bars.js';

/** What came of a training, or of its first updates. */
export interface Learned {
  readonly parameters: Float32Array;
  /** The normaliser's state, or whatever else was fitted to data; null: none. */
  readonly normalizer: StateDict | null;
  /** What the checkpoint is chosen by; null: nothing is chosen. */
  readonly score: number | null;
}

/** Trains from the beginning, always with the same seed. */
export type Learn = (bars: readonly Bars[]) => Promise<Learned>;

export interface AuditTrainingOptions {
  readonly name?: string;
  /** Whether a bar, by its time, must not matter to what is learned: the test's, and what lies behind training. */
  readonly isForeignToTraining: (timeMs: number) => boolean;
  /** The same for what the checkpoint is chosen by: the validation window is not foreign to that. */
  readonly isForeignToSelection: (timeMs: number) => boolean;
  readonly seed?: number;
}

/**
 * Trains three times: as it is, with the bars that are foreign to training made others, and with those that are foreign
 * to the choice of the checkpoint. Rejects with what `learn` rejects with.
 */
export async function auditTraining(
  learn: Learn,
  bars: readonly Bars[],
  options: AuditTrainingOptions,
): Promise<AuditReport> {
  return reportOf(await trainingChecks(learn, bars, options));
}

export async function trainingChecks(
  learn: Learn,
  bars: readonly Bars[],
  { name = 'training', isForeignToTraining, isForeignToSelection, seed = 1 }: AuditTrainingOptions,
): Promise<AuditCheck[]> {
  const found = new Findings();
  const reference = await learn(bars);
  const without = (isForeign: (timeMs: number) => boolean): { bars: Bars[]; count: number } => {
    let count = 0;
    const others = bars.map((own, k) =>
      otherBars(
        own,
        (t) => {
          const foreign = isForeign(own.openTimeMs[t]);
          if (foreign) count += 1;
          return foreign;
        },
        seed + k,
      ),
    );
    return { bars: others, count };
  };
  const foreign = without(isForeignToTraining);
  const learned = await learn(foreign.bars);
  const weights = firstDifference(learned.parameters, reference.parameters, 'parameter');
  if (weights !== null)
    found.leak(
      'train-weights',
      'parameters',
      `${foreign.count} bars outside training were made others, and ${weights}`,
    );
  const fitted = firstDifference(learned.normalizer, reference.normalizer, 'normalizer');
  if (fitted !== null)
    found.leak(
      'train-normalizer',
      'statistics',
      `${foreign.count} bars outside training were made others, and ${fitted}`,
    );
  const chosenWithout = without(isForeignToSelection);
  const done = `${foreign.count.toLocaleString('en')} bars made others`;
  const checks = [
    ...found.table(['train-weights'], name, done),
    ...(reference.normalizer === null
      ? [skippedCheck('train-normalizer', name, 'there is no normaliser')]
      : found.table(['train-normalizer'], name, done)),
  ];
  if (reference.score === null)
    return [...checks, skippedCheck('train-selection', name, 'the last checkpoint is taken')];
  const chosen = await learn(chosenWithout.bars);
  if (!Object.is(chosen.score, reference.score)) {
    found.leak(
      'train-selection',
      'score',
      `${chosenWithout.count} bars outside training and validation were made others, and the score that chooses the checkpoint became ${chosen.score}, not ${reference.score}`,
    );
  }
  return [
    ...checks,
    ...found.table(['train-selection'], name, `${chosenWithout.count.toLocaleString('en')} bars made others`),
  ];
}
