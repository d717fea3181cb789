/**
 * Is a bundle that lies there already what this run makes? Weights and decisions on the test window do not tell: what a
 * bundle trades, at which costs, within which rules, and which bars it claims to know, could be anything.
 */
import { firstDifference } from '#env/same-bits.js';
import { shortId, type Bundle, type BundleContents } from '#src/registry/bundle.js';

/** What a bundle of the same run may say otherwise: it depends on when it was made, and on what else was trained by then. */
const OF_ITS_BIRTH = ['created_at', 'seeds', 'trials', 'evaluation', 'gates', 'model_card'];

/** The first key or tensor in which they differ: "manifest.market.costs...: 0, not 1"; null: none. */
export function differenceFromRun(stored: BundleContents, made: BundleContents): string | null {
  return firstDifference(comparable(stored), comparable(made));
}

/** "the bundle's manifest.instruments[0].symbol: TSLA, not AAPL" as a reason. */
export function differenceText(stored: Bundle, difference: string): string {
  return `bundle ${shortId(stored.sha256)} is not what its run makes (${difference}): it was altered, or the run was; promote the run again`;
}

function comparable({ manifest, engine, normalizer }: BundleContents): unknown {
  const entries = Object.entries(manifest).filter(([key]) => !OF_ITS_BIRTH.includes(key));
  const plain: unknown = JSON.parse(JSON.stringify(Object.fromEntries(entries)));
  return { manifest: plain, engine, normalizer };
}
