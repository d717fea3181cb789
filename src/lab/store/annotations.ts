/**
 * What people say about a run: tags, a note, and that it is archived. In a file of its own, so that a training which
 * writes run.json at the same moment cannot lose them, and so that they never change what reproduces.
 *
 *   annotations/annotations.json   {"format":"openbell-annotations 1","tags":["paper"],"note":"...","archived_at":null}
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { nearestName } from '#src/config/suggest.js';
import { isTree } from '#src/config/yaml-source.js';
import { makeFolder } from '#src/config/make-folder.js';
import { fail, OpenBellError } from '#src/errors.js';
import { exclusively } from '#src/registry/claim.js';
import { writeFileAtomic } from '#src/registry/files.js';

const FORMAT = 'openbell-annotations 1';
const TAG = /^[\p{L}\p{N}][\p{L}\p{N}_.:/=+-]{0,63}$/u;
const LONGEST_NOTE = 10_000;

export interface Annotations {
  /** Sorted, each once. */
  readonly tags: readonly string[];
  readonly note: string | null;
  /** null: not archived. */
  readonly archived_at: string | null;
}

const NONE: Annotations = { tags: [], note: null, archived_at: null };

export const annotationsFile = (run: string): string => path.join(run, 'annotations', 'annotations.json');

/** Throws RUN_STATE where the file is there and cannot be read. */
export function readAnnotations(run: string): Annotations {
  const file = annotationsFile(run);
  if (!existsSync(file)) return NONE;
  let read: unknown;
  try {
    read = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    fail('RUN_STATE', { where: file, message: 'is not JSON: mend it, or delete it, and tags and note with it', cause });
  }
  if (!isTree(read) || read['format'] !== FORMAT) {
    fail('RUN_STATE', {
      where: file,
      value: isTree(read) ? read['format'] : read,
      message: `was not written by this version of OpenBell (${FORMAT}): use the version that wrote it, or delete the file`,
    });
  }
  const { tags, note, archived_at: archivedAt } = read;
  if (!Array.isArray(tags) || !tags.every(isText) || !isTextOrNull(note) || !isTextOrNull(archivedAt))
    fail('RUN_STATE', { where: file, message: 'holds other than tags, note and archived_at: mend it, or delete it' });
  return { tags, note, archived_at: archivedAt };
}

/** Annotations that cannot be read archive nothing. */
export function isArchived(run: string): boolean {
  try {
    return readAnnotations(run).archived_at !== null;
  } catch (error) {
    if (!(error instanceof OpenBellError)) throw error;
    return false;
  }
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isTextOrNull = (value: unknown): value is string | null => value === null || isText(value);

/** Throws USAGE where one is no tag. */
export function addTags(run: string, tags: readonly string[]): Annotations {
  for (const tag of tags) {
    if (TAG.test(tag)) continue;
    fail('USAGE', {
      where: 'tag',
      value: tag,
      message: 'a tag begins with a letter or digit and has at most 64 letters, digits and _ . : / = + -',
    });
  }
  return change(run, (before) => ({ ...before, tags: [...new Set([...before.tags, ...tags])].sort() }));
}

/** Throws USAGE where the run has no such tag. */
export function removeTags(run: string, tags: readonly string[]): Annotations {
  return change(run, (before) => {
    for (const tag of tags) {
      if (before.tags.includes(tag)) continue;
      const near = nearestName(tag, before.tags);
      const has = before.tags.length === 0 ? 'this run has no tags' : `this run has: ${before.tags.join(', ')}`;
      fail('USAGE', { where: run, value: tag, message: near === null ? has : `did you mean "${near}"? ${has}` });
    }
    return { ...before, tags: before.tags.filter((tag) => !tags.includes(tag)) };
  });
}

/** In the place of the note before it; an empty text removes it. Throws USAGE where it is too long. */
export function setNote(run: string, text: string): Annotations {
  const note = text.trim();
  if (note.length > LONGEST_NOTE)
    fail('USAGE', { where: 'note', value: note.length, message: `a note has at most ${LONGEST_NOTE} characters` });
  return change(run, (before) => ({ ...before, note: note === '' ? null : note }));
}

/** An archived run stays where it is and whole: lists and "latest" pass it over. */
export function setArchived(run: string, isArchived: boolean, nowMs: number): Annotations {
  return change(run, (before) => {
    const since = before.archived_at ?? new Date(nowMs).toISOString();
    return { ...before, archived_at: isArchived ? since : null };
  });
}

const EDITING = { code: 'RUN_STATE', doing: 'changing tags or note of this run' } as const;

function change(run: string, edit: (before: Annotations) => Annotations): Annotations {
  if (!existsSync(path.join(run, 'run.json')))
    fail('RUN_NOT_FOUND', { where: run, message: 'there is no run.json: this folder is no run' });
  const folder = path.dirname(annotationsFile(run));
  makeFolder(folder);
  return patiently(() =>
    exclusively(folder, Date.now, EDITING, () => {
      const before = readAnnotations(run);
      const after = edit(before);
      if (JSON.stringify(after) !== JSON.stringify(before))
        writeFileAtomic(annotationsFile(run), `${JSON.stringify({ format: FORMAT, ...after }, null, 2)}\n`);
      return after;
    }),
  );
}

const PATIENCE_MS = 5_000;
const PAUSE_MS = 20;

/** An edit takes milliseconds: whoever finds another one under way waits for it instead of failing. */
function patiently<T>(act: () => T): T {
  const untilMs = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return act();
    } catch (error) {
      const isHeld = error instanceof OpenBellError && error.message.includes(EDITING.doing);
      if (!isHeld || performance.now() > untilMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}
