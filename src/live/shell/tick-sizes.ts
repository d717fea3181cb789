/** The tick sizes of the contracts as the broker last stated them, in a file that the next start compares with. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import type { ContractInfo } from '#src/broker/contract.js';
import { fail } from '#src/errors.js';
import { writeFileAtomic } from '#src/registry/files.js';

const FILE = 'tick-sizes.json';
const SCHEMA = z.record(
  z.string(),
  z.strictObject({
    conId: z.number(),
    ticks: z.array(z.strictObject({ lowEdge: z.number(), increment: z.number() })),
    asked_at: z.string(),
  }),
);
export type TickSizes = z.infer<typeof SCHEMA>;

/** Empty where there is no such file yet. Throws LIVE_JOURNAL where it is not ours. */
export function readTickSizes(folder: string): TickSizes {
  const file = path.join(folder, FILE);
  if (!existsSync(file)) return {};
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    json = null;
  }
  const parsed = SCHEMA.safeParse(json);
  if (!parsed.success)
    fail('LIVE_JOURNAL', { where: file, message: 'is not what the runner writes: remove it, it is written anew' });
  return parsed.data;
}

/** Adds what the broker says now; other symbols stay. Returns the symbols whose ticks were others before. */
export function writeTickSizes(folder: string, contracts: readonly ContractInfo[], nowMs: number): string[] {
  const before = readTickSizes(folder);
  const now = { ...before };
  const changed: string[] = [];
  for (const { conId, instrument } of contracts) {
    const { symbol } = instrument;
    const ticks = instrument.ticks.map(({ lowEdge, increment }) => ({ lowEdge, increment }));
    if (before[symbol] !== undefined && JSON.stringify(before[symbol].ticks) !== JSON.stringify(ticks))
      changed.push(symbol);
    now[symbol] = { conId, ticks, asked_at: new Date(nowMs).toISOString() };
  }
  writeFileAtomic(path.join(folder, FILE), `${JSON.stringify(now, null, 2)}\n`);
  return changed;
}
