/** A report of what a journal holds by now: at any time, while the runner trades or long afterwards. */
import path from 'node:path';
import { fail } from '#src/errors.js';
import { Journal } from '#src/live/shell/journal.js';
import type { Registry } from '#src/registry/registry.js';
import { reportOn, type PaperResult } from './report.js';
import { writeReport } from './write-report.js';

/**
 * Reports on a journal, or on the one under way in a folder, and writes the report's files beside it. `reference`: the
 * bundle, where the registry here does not hold it. Throws LIVE_JOURNAL, REGISTRY and BUNDLE_ errors.
 */
export async function reportAgain(
  registry: Registry,
  place: string,
  reference: string | null,
): Promise<{ result: PaperResult; folder: string }> {
  const { file, bundle } = Journal.describe(place);
  if (bundle === null)
    fail('LIVE_JOURNAL', { where: file, message: 'does not name its bundle: no session trades by such a journal' });
  const result = await reportOn(registry.load(reference ?? bundle), file);
  const folder = path.dirname(file);
  await writeReport(folder, file, result);
  return { result, folder };
}
