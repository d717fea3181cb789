/**
 * The history of the aliases, and what aliases.json says of it.
 *
 *   history.jsonl  one line a change; each carries the sha256 of the line before it, so that none can be altered, taken
 *                  out or put in unnoticed
 *   aliases.json   where the aliases point after so many lines of the history, and the sha256 of the last of them
 *
 * The history is the truth: a change has happened when its line is whole, its line feed included. aliases.json follows
 * it, and anchors its last line. Lines that it does not know of yet, which a crash between the two left behind, count;
 * a torn last line, which was never acknowledged to anybody, does not.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { fail } from '#src/errors.js';
import { ALIASES, type AliasName } from './aliases.js';
import { parseIfJson } from './files.js';

/** Who moved it: a person, back, or `openbell retrain` by itself. */
export const ACTIONS = ['promote', 'rollback', 'retrain'] as const;
export type AliasAction = (typeof ACTIONS)[number];

export interface AliasChange {
  /** UTC, ISO 8601. */
  readonly at: string;
  readonly alias: AliasName;
  /** sha256 of the bundle before; null: the alias did not exist. */
  readonly from: string | null;
  readonly to: string;
  readonly action: AliasAction;
  /** Why, in words. */
  readonly reason: string;
  /** The account that the change was confirmed for; null where none is asked for. */
  readonly account: string | null;
  /** Gates were passed over for it, or for the change that it goes back to. */
  readonly forced: boolean;
  /** What it rests on: the report of the gates, of paper trading. JSON. */
  readonly evidence: unknown;
  /** sha256 of the line before, without its line feed; null: this is the first. */
  readonly previous: string | null;
}

/** A history is read by people, a line a change. */
export const REASON_CHARACTERS_AT_MOST = 2000;

/** Throws USAGE where a reason is longer than anybody reads. */
export function checkReason(reason: string, where: string): void {
  if (reason.length > REASON_CHARACTERS_AT_MOST)
    fail('USAGE', {
      where,
      value: `${reason.slice(0, 40)}...`,
      message: `has ${reason.length} characters, and the history keeps at most ${REASON_CHARACTERS_AT_MOST}: say it shorter`,
    });
}

export type Pointers = Partial<Record<AliasName, string>>;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a sha256 in 64 hexadecimal digits');
const changeSchema: z.ZodType<AliasChange> = z.strictObject({
  at: z.iso.datetime(),
  alias: z.enum(ALIASES),
  from: sha256.nullable(),
  to: sha256,
  action: z.enum(ACTIONS),
  reason: z.string(),
  account: z.string().nullable(),
  forced: z.boolean(),
  evidence: z.unknown(),
  previous: sha256.nullable(),
});

const ALIASES_FORMAT = 'openbell-aliases 1';
const anchorSchema = z.strictObject({
  format: z.literal(ALIASES_FORMAT),
  /** Of the history, when this was written. */
  history: z.strictObject({ lines: z.int().min(0), sha256: sha256.nullable() }),
  aliases: z.partialRecord(z.enum(ALIASES), sha256),
});
export type Anchor = z.infer<typeof anchorSchema>;

export interface History {
  /** Oldest first. */
  readonly changes: readonly AliasChange[];
  /** sha256 of each line. */
  readonly hashes: readonly string[];
  /** Bytes of the whole lines: what comes after is torn. */
  readonly bytes: number;
}

export const EMPTY_HISTORY: History = { changes: [], hashes: [], bytes: 0 };

const RESTORE = 'restore the file from a copy, or put the registry aside and import its bundles into a new one';

/** Reads the whole lines and checks their chain. Throws REGISTRY naming the line. */
export function parseHistory(contents: Uint8Array, file: string): History {
  const changes: AliasChange[] = [];
  const hashes: string[] = [];
  const pointers: Pointers = {};
  let begin = 0;
  for (;;) {
    const feed = contents.indexOf(10, begin);
    if (feed < 0) return { changes, hashes, bytes: begin };
    const line = contents.subarray(begin, feed);
    const where = `${file}:${changes.length + 1}`;
    const change = parseChange(line, where);
    const expected = hashes.at(-1) ?? null;
    if (change.previous !== expected)
      fail('REGISTRY', {
        where,
        value: change.previous,
        message: `the line before it has the sha256 ${expected ?? 'of nothing: this is the first'}: the history has been altered; ${RESTORE}`,
      });
    const before = pointers[change.alias] ?? null;
    if (change.from !== before)
      fail('REGISTRY', {
        where,
        value: change.from,
        message: `${change.alias} pointed to ${before ?? 'nothing'} before it: the history has been altered; ${RESTORE}`,
      });
    pointers[change.alias] = change.to;
    changes.push(change);
    hashes.push(createHash('sha256').update(line).digest('hex'));
    begin = feed + 1;
  }
}

function parseChange(line: Uint8Array, where: string): AliasChange {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line));
  } catch (cause) {
    fail('REGISTRY', { where, message: `is not JSON: the history has been altered; ${RESTORE}`, cause });
  }
  const change = changeSchema.safeParse(parsed);
  if (change.success) return change.data;
  const [{ path, message }] = change.error.issues;
  return fail('REGISTRY', {
    where,
    value: path.map(String).join('.'),
    message: `is not what this version of the registry writes (${message}); ${RESTORE}`,
  });
}

/** Where the aliases point after these changes. */
export function pointersAfter(changes: readonly AliasChange[]): Pointers {
  const pointers: Pointers = {};
  for (const { alias, to } of changes) pointers[alias] = to;
  return pointers;
}

/** The line of a change that follows `history`, line feed included. */
export const changeLine = (change: AliasChange): string => `${JSON.stringify(change)}\n`;

export function anchorText({ changes, hashes }: Pick<History, 'changes' | 'hashes'>): string {
  const anchor: Anchor = {
    format: ALIASES_FORMAT,
    history: { lines: changes.length, sha256: hashes.at(-1) ?? null },
    aliases: pointersAfter(changes),
  };
  return `${JSON.stringify(anchor, null, 2)}\n`;
}

const REPAIR = '`openbell registry repair` writes it anew from the history, where that is whole';

/** What `anchorText` wrote; null where the text is torn, altered or of another version. */
export function readAnchor(text: string): Anchor | null {
  return anchorSchema.safeParse(parseIfJson(text)).data ?? null;
}

/** Throws REGISTRY where the text is not what `anchorText` wrote. */
export function parseAnchor(text: string, file: string): Anchor {
  return (
    readAnchor(text) ??
    fail('REGISTRY', {
      where: file,
      message: `is torn or altered, or not of this version: ${REPAIR}`,
    })
  );
}

/** Whether the history is the one that aliases.json knew. Throws REGISTRY where it was cut or is another. */
export function checkHistory({ history: known }: Anchor, history: History, file: string): void {
  const { lines, sha256: last } = known;
  if (history.changes.length < lines)
    fail('REGISTRY', {
      where: file,
      value: history.changes.length,
      message: `has fewer whole lines than aliases.json knows of (${lines}): it has been cut; ${RESTORE}`,
    });
  const found = lines === 0 ? null : history.hashes[lines - 1];
  if (found !== last)
    fail('REGISTRY', {
      where: `${file}:${lines}`,
      value: found,
      message: `aliases.json says that this line has the sha256 ${last ?? 'of nothing'}: one of the two has been altered; ${RESTORE}`,
    });
}

/** Whether aliases.json points to where the history says, as far as it knows that. Throws REGISTRY. */
export function checkPointers(anchor: Anchor, history: History, file: string): void {
  const pointers = pointersAfter(history.changes.slice(0, anchor.history.lines));
  const differs = ALIASES.find((name) => pointers[name] !== anchor.aliases[name]);
  if (differs !== undefined)
    fail('REGISTRY', {
      where: file,
      value: anchor.aliases[differs] ?? null,
      message: `the history says that ${differs} points to ${pointers[differs] ?? 'nothing'}: aliases.json has been altered; ${REPAIR}`,
    });
}
