/** What the statistical gates look at: one policy, and bars that it has not seen. */
import type { Actor } from '#agents/actor.js';
import type { EvaluationResult } from '../evaluate-actor.js';
import type { EvaluationMarket } from '../evaluate-paths.js';
import type { Rival } from './incumbent.js';

export interface HeldOut {
  readonly policy: Actor;
  readonly weightsSha256: string;
  readonly market: EvaluationMarket;
  /** Of the policy on these bars, without noise. `seen` where training or selection knew some of them. */
  readonly result: EvaluationResult;
  /** null: the alias points nowhere yet. */
  readonly incumbent: Rival | null;
  /** Seeds the bootstraps and the noise. */
  readonly seed: number;
}
