/**
 * One process at a time: of two that take a run over at once, one goes on and the other is refused. A claim is a file
 * that only one process can make. One left behind by a process that died is passed over under the next number, never
 * removed and made again, which two processes could do at once.
 */
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { isTree } from '#src/config/yaml-source.js';
import { fail } from '#src/errors.js';

/** A process that died without a word is noticed after this long at the latest. */
export const STALE_AFTER_MS = 120_000;

const NAME = /^claim-(\d+)\.lock$/;

/** Who is refused, and how: "another process is <doing> at this moment". */
export interface ClaimTerms {
  readonly code: 'RUN_STATE' | 'REGISTRY';
  readonly doing: string;
}

/**
 * Runs `act` while no other process can, in `folder`. Throws the terms' code where one is at it. A process that was
 * stopped for so long that others have passed it over finds out by `stillMine`, which throws the same: to be called
 * right before what cannot be undone.
 */
export function exclusively<T>(
  folder: string,
  nowMs: () => number,
  terms: ClaimTerms,
  act: (stillMine: () => void) => T,
): T {
  const mine = claim(folder, nowMs, terms);
  const stillMine = (): void => {
    const file = claimFile(folder, mine);
    const claimedMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;
    // nobody passes over a fresh claim whose process lives; half the time is left for what comes after this
    if (nowMs() - claimedMs > STALE_AFTER_MS / 2 || !isMine(file))
      fail(terms.code, {
        where: folder,
        value: process.pid,
        message: `this process was stopped for so long that another may be ${terms.doing} by now; nothing was changed: begin again`,
      });
  };
  try {
    return act(stillMine);
  } finally {
    release(folder, mine);
  }
}

/**
 * As `exclusively`, for work that takes longer than a moment and waits: the claim is kept fresh until the function that
 * is returned gives it back.
 */
export function hold(folder: string, nowMs: () => number, terms: ClaimTerms): () => void {
  const mine = claim(folder, nowMs, terms);
  const file = claimFile(folder, mine);
  const timer = setInterval(() => {
    const now = nowMs() / 1000;
    if (isMine(file)) utimesSync(file, now, now);
  }, STALE_AFTER_MS / 4);
  timer.unref();
  return () => {
    clearInterval(timer);
    release(folder, mine);
  };
}

function release(folder: string, mine: number): void {
  // one of this number may be another's, where this process was passed over
  if (!isMine(claimFile(folder, mine))) return;
  for (const number of claims(folder)) if (number <= mine) rmSync(claimFile(folder, number), { force: true });
}

/**
 * A claim is held by whoever has written the highest number and finds, after that, no living claim under it. Of two who
 * write at once the later to write sees the other's: above its own, and begins again, or below it, and is refused.
 * Numbers come again once they have been given back, so that what was found before writing proves nothing.
 */
function claim(folder: string, nowMs: () => number, terms: ClaimTerms): number {
  for (;;) {
    const before = claims(folder);
    for (const number of before) refuseHeld(claimFile(folder, number), nowMs(), terms);
    const mine = (before.at(-1) ?? 0) + 1;
    const file = claimFile(folder, mine);
    try {
      writeFileSync(file, JSON.stringify({ pid: process.pid, hostname: hostname() }), { flag: 'wx' });
    } catch (error) {
      if (hasCode(error, 'EEXIST')) continue;
      // made, but not written: the disk is full
      rmSync(file, { force: true });
      throw error;
    }
    let isHeld = false;
    try {
      const after = claims(folder);
      for (const number of after) if (number < mine) refuseHeld(claimFile(folder, number), nowMs(), terms);
      isHeld = after.at(-1) === mine;
    } finally {
      if (!isHeld && isMine(file)) rmSync(file, { force: true });
    }
    if (isHeld) return mine;
  }
}

function refuseHeld(file: string, nowMs: number, { code, doing }: ClaimTerms): void {
  const claimedMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  // given back meanwhile, or left behind
  if (claimedMs === undefined || nowMs - claimedMs > STALE_AFTER_MS) return;
  const owner = ownerOf(file);
  if (owner === 'gone') return;
  if (owner !== 'unwritten' && owner.hostname === hostname() && !isAlive(owner.pid)) return;
  fail(code, {
    where: path.dirname(file),
    value: owner === 'unwritten' ? undefined : owner.pid,
    message: `another process is ${doing} at this moment; wait for it, or stop it first`,
  });
}

interface Owner {
  readonly pid: number;
  readonly hostname: string;
}

/** gone: given back meanwhile. unwritten: its owner has not written it to the end yet. */
function ownerOf(file: string): Owner | 'gone' | 'unwritten' {
  try {
    const owner: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (!isTree(owner)) return 'unwritten';
    const { pid, hostname: host } = owner;
    return typeof pid === 'number' && typeof host === 'string' ? { pid, hostname: host } : 'unwritten';
  } catch (error) {
    if (error instanceof SyntaxError) return 'unwritten';
    if (hasCode(error, 'ENOENT')) return 'gone';
    throw error;
  }
}

function isMine(file: string): boolean {
  const owner = ownerOf(file);
  return typeof owner === 'object' && owner.pid === process.pid && owner.hostname === hostname();
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

function claims(folder: string): number[] {
  return readdirSync(folder)
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

const claimFile = (folder: string, number: number): string => path.join(folder, `claim-${number}.lock`);

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else
    return hasCode(error, 'EPERM');
  }
}
