/** Which market days a bundle knew already: bars that it was trained on, or chosen on. */
import { parse } from 'yaml';
import * as z from 'zod';
import { utcInstant } from '#env/market/window.js';
import type { Bundle } from '#src/registry/bundle.js';
import type { ReplayedData } from './session-note.js';

const window = z.object({ from: z.string().nullish(), to: z.string().nullish() });
const configuration = z.object({
  data: z.object({ train: window, validation: window.nullish() }),
});

const DAY_MS = 86_400_000;

/**
 * Whether the bundle knew a day (days since 1970-01-01) of what was replayed. Where its configuration does not say what
 * it learned from, all of a data set that it was trained on counts as known.
 */
export function knownDays(bundle: Bundle, data: readonly ReplayedData[]): (dayId: number) => boolean {
  const { manifest } = bundle;
  const trainedOn = new Set(manifest.data.map(({ sha256 }) => sha256));
  if (!data.some(({ sha256 }) => trainedOn.has(sha256))) return () => false;
  const found = configuration.safeParse(parsed(manifest.provenance.config_yaml)).data;
  if (found === undefined) return () => true;
  const { train, validation } = found.data;
  const spans = [train, ...(validation === null || validation === undefined ? [] : [validation])].map(
    ({ from, to }) => ({
      fromMs: from === null || from === undefined ? -Infinity : utcInstant(from, 'data.train.from'),
      toMs: to === null || to === undefined ? Infinity : utcInstant(to, 'data.train.to'),
    }),
  );
  return (dayId) => spans.some(({ fromMs, toMs }) => (dayId + 1) * DAY_MS > fromMs && dayId * DAY_MS < toMs);
}

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    // no YAML: nothing is known of its windows
    return null;
  }
}
