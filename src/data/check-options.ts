/** How a data set is checked. A leaf, for the command's options. */
import type { CsvHints } from './load.js';

export interface CheckOptions extends CsvHints {
  /** How many of each kind are listed. All are counted. */
  readonly limit: number;
  /** Robust z beyond which a log return counts as an outlier. */
  readonly outlierZ: number;
}

export const DEFAULT_CHECK: CheckOptions = { limit: 10, outlierZ: 12 };
