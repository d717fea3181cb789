/** How a gate's outcome is written: one shape for all of them. */
import type { GateKind, GateOutcome } from '#src/registry/gates.js';

/** What a gate found. */
export interface Found {
  /** null: it could not be measured. */
  readonly measured: string | null;
  readonly passes: boolean;
  /** One sentence; for one that does not pass, with the remedy. */
  readonly why: string;
  readonly evidence?: unknown;
}

export interface GateTerms {
  readonly gate: string;
  readonly kind: GateKind;
  readonly title: string;
  readonly threshold: string;
  readonly advisory?: boolean;
}

export function outcomeOf({ gate, kind, title, threshold, advisory = false }: GateTerms, found: Found): GateOutcome {
  const verdict = found.measured === null ? 'missing' : found.passes ? 'pass' : 'fail';
  return {
    gate,
    kind,
    title,
    measured: found.measured,
    threshold,
    verdict,
    forced: false,
    advisory,
    why: found.why,
    evidence: found.evidence ?? null,
  };
}

/** It could not be measured: why, and what to do. */
export const missing = (why: string, evidence: unknown = null): Found => ({
  measured: null,
  passes: false,
  why,
  evidence,
});

/** There is nothing that this gate could find: it passes, and says so. */
export const notApplicable = (why: string): Found => ({ measured: 'not applicable', passes: true, why });
