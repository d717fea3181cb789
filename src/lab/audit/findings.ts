/** What an audit looked at and what it found. */

/** leak: what is known later has been used. warning: it may mislead, and is declared or small. */
export type FindingLevel = 'leak' | 'warning';

export interface AuditFinding {
  /** Name of the check that found it. */
  readonly check: AuditCheckName;
  readonly level: FindingLevel;
  /** What was audited: a feature, an account's reward, a window. */
  readonly where: string;
  /** What is wrong, with the values that show it. */
  readonly message: string;
}

/** One check of the table: what was done, and how often. */
export interface AuditCheck {
  readonly name: AuditCheckName;
  readonly subject: string;
  /** What was tried, in a few words: "12 cuts of 3,600 bars". */
  readonly done: string;
  /** Not asked for, or there is nothing to look at: why. */
  readonly skipped: string | null;
  readonly findings: readonly AuditFinding[];
}

export const AUDIT_CHECKS = {
  'feature-future': 'features up to a bar do not change where the bars after it are others, or missing',
  'feature-segment': 'features of a segment do not change where the other segments are others',
  'feature-warmup': "after the warm-up the anchor's choice moves no feature by more than 1e-6 of its scale",
  'feature-adjustment': 'features do not change where a later dividend or split rebases the adjusted prices',
  'env-observation': 'observations do not change where later bars are others, or missing',
  'env-mask': 'action masks do not change where later bars are others, or missing',
  'env-reward': 'rewards do not change where later bars are others, or missing',
  'env-end': 'episodes do not end otherwise where later bars are others, or missing',
  'env-equity': 'equity does not change where later bars are others, or missing',
  'env-fill': 'fills do not change where later bars are others, or missing',
  'fill-seen': 'no fill has a price that was known when its order was decided',
  'fill-range': "fills lie within their bar's range, in tradable prices",
  'env-adjustment': 'money and shares do not change where a later dividend or split rebases the adjusted prices',
  'split-overlap': 'no two of train, validation and test hold bars of one market in overlapping time',
  'split-warmup': 'what was trained or chosen on was not warmed up with test bars',
  'split-purge': 'what lies between neighbours is left out where training goes on behind a test',
  'train-weights': 'weights do not change where every bar outside training and validation is another',
  'train-normalizer': "the normaliser's statistics do not change where every bar outside training is another",
  'train-selection':
    'the validation score, which chooses the checkpoint, does not change where every other bar is another',
  'run-normalizer':
    'the normaliser has seen no more observations than training made, or is that of the bundle which training began from',
  'run-selection': "the best checkpoint's score is the one it has on the validation window",
  'data-adjustment': 'prices are tradable, or carry the factor that makes them so',
} as const;

export type AuditCheckName = keyof typeof AUDIT_CHECKS;

export interface AuditReport {
  readonly checks: readonly AuditCheck[];
  /** True where no check found a leak; warnings do not count. */
  readonly clean: boolean;
}

export function reportOf(checks: readonly AuditCheck[]): AuditReport {
  return { checks, clean: !checks.some(({ findings }) => findings.some(({ level }) => level === 'leak')) };
}

/** Collects findings; of each check and place the first is enough. */
export class Findings {
  readonly #found = new Map<string, AuditFinding>();

  leak(check: AuditCheckName, where: string, message: string): void {
    this.#add({ check, level: 'leak', where, message });
  }

  warn(check: AuditCheckName, where: string, message: string): void {
    this.#add({ check, level: 'warning', where, message });
  }

  has(check: AuditCheckName, where?: string): boolean {
    return where === undefined ? this.of(check).length > 0 : this.#found.has(`${check}\n${where}`);
  }

  of(check: AuditCheckName): AuditFinding[] {
    return [...this.#found.values()].filter((own) => own.check === check);
  }

  /** The rows of the table for these checks, all of one subject. */
  table(names: readonly AuditCheckName[], subject: string, done: string): AuditCheck[] {
    return names.map((name) => ({ name, subject, done, skipped: null, findings: this.of(name) }));
  }

  #add(finding: AuditFinding): void {
    const key = `${finding.check}\n${finding.where}`;
    if (!this.#found.has(key)) this.#found.set(key, finding);
  }
}

export function skippedCheck(name: AuditCheckName, subject: string, why: string): AuditCheck {
  return { name, subject, done: '', skipped: why, findings: [] };
}
