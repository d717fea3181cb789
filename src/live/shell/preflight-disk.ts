/** The pre-flight's checks of what is written: disk, journal, tick sizes. */
import { rmSync, statfsSync } from 'node:fs';
import path from 'node:path';
import type { ContractInfo } from '#src/broker/contract.js';
import { makeFolder } from '#src/config/make-folder.js';
import { Journal } from './journal.js';
import { verdict, type Check } from './preflight-check.js';
import { writeTickSizes } from './tick-sizes.js';

const NEEDED_BYTES = 200_000_000;
const PROBE_FILE = '.preflight.db';
const ELSEWHERE = 'put OPENBELL_TRADING_DIR on a local disk that this user may write to';

export function diskCheck(folder: string): Check {
  try {
    makeFolder(folder);
    const { bavail, bsize } = statfsSync(folder);
    return spaceCheck(folder, bavail * bsize);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return verdict('disk', folder, error.message, ELSEWHERE);
  }
}

export function spaceCheck(folder: string, freeBytes: number): Check {
  return verdict(
    'disk',
    `${(freeBytes / 1e9).toFixed(1)} GB free at ${folder}`,
    freeBytes >= NEEDED_BYTES
      ? ''
      : `less than ${NEEDED_BYTES / 1e6} MB: a journal that cannot be written stops trading`,
    'make room, or set OPENBELL_TRADING_DIR to another disk',
  );
}

/** A journal of its own, written with the settings of the true one, and read again. */
export function journalCheck(folder: string): Check {
  const file = path.join(folder, PROBE_FILE);
  const remove = (): void => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
  };
  const name = 'journal';
  try {
    remove();
    const probe = Journal.open(file);
    probe.append({ type: 'clock', marketMs: 0, wallMs: 0 }, [{ type: 'reconcile' }]);
    probe.close();
    const again = Journal.read(file);
    const { length } = again;
    again.close();
    remove();
    return verdict(
      name,
      'SQLite, WAL, synchronous=FULL',
      length === 1 ? '' : 'what was written did not come back',
      ELSEWHERE,
    );
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return verdict(name, 'not written', error.message, ELSEWHERE);
  }
}

export function tickFileCheck(folder: string, contracts: readonly ContractInfo[], nowMs: number): Check {
  try {
    const changed = writeTickSizes(folder, contracts, nowMs);
    return verdict(
      'tick sizes',
      `${contracts.length} in ${path.join(folder, 'tick-sizes.json')}`,
      changed.length === 0 ? '' : `${changed.join(', ')} had other ticks at the last start`,
      'check that resting orders lie on the new ticks',
      'warning',
    );
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return verdict('tick sizes', 'unknown', error.message, 'remove the file');
  }
}
