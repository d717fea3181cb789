import type { Sweep } from './sweep.js';
import type { SweepState } from './record.js';

export async function renderSweepReport(
  sweep: Sweep,
  state: SweepState,
  where: { runsDir: string; bestFile: string | null },
): Promise<string> {
  return JSON.stringify([sweep.id, state.status, where.bestFile]);
}
