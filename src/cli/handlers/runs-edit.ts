/** What `openbell runs tag`, `untag`, `note`, `archive`, `unarchive` and `delete` do. */
import { createInterface } from 'node:readline/promises';
import { readRuntimeSettings } from '#src/config/runtime.js';
import { fail } from '#src/errors.js';
import { addTags, removeTags, setArchived, setNote } from '#src/lab/store/annotations.js';
import { deleteRun, refuseDeletion, runBytes } from '#src/lab/store/delete-run.js';
import { findStoredRun, type StoredRun } from '#src/lab/store/list-runs.js';

export interface TagArguments {
  run: string;
  tags: string[];
}

export interface NoteArguments {
  run: string;
  text?: string | undefined;
}

export interface RunsArguments {
  runs: string[];
}

export interface DeleteArguments extends RunsArguments {
  yes: boolean;
}

const find = (reference: string): StoredRun => findStoredRun(reference, readRuntimeSettings(process.env).runsDir).run;

const printTags = (run: StoredRun, tags: readonly string[]): void =>
  console.log(`${run.id}  ${tags.length === 0 ? 'no tags' : tags.map((tag) => `#${tag}`).join(' ')}`);

export function tag({ run: reference, tags }: TagArguments): void {
  const run = find(reference);
  printTags(run, addTags(run.path, tags).tags);
}

export function untag({ run: reference, tags }: TagArguments): void {
  const run = find(reference);
  printTags(run, removeTags(run.path, tags).tags);
}

export function note({ run: reference, text }: NoteArguments): void {
  const run = find(reference);
  const note = text === undefined ? run.note : setNote(run.path, text).note;
  if (note !== null) console.log(note);
  else console.error(`${run.id} has no note`);
}

export function archiveRuns({ runs }: RunsArguments): void {
  archive(runs, true);
}

export function unarchiveRuns({ runs }: RunsArguments): void {
  archive(runs, false);
}

function archive(references: readonly string[], isArchived: boolean): void {
  for (const run of references.map(find)) {
    setArchived(run.path, isArchived, Date.now());
    console.log(`${run.id}  ${isArchived ? 'archived' : 'listed again'}`);
  }
}

export async function deleteRuns({ runs: references, yes }: DeleteArguments): Promise<void> {
  const { runsDir } = readRuntimeSettings(process.env);
  const runs = references.map((reference) => {
    const { run, isExact } = findStoredRun(reference, runsDir);
    if (!isExact) {
      const message = `is not the name of one run, and what it means changes: delete ${run.id} by its own name`;
      fail('USAGE', { where: 'openbell runs delete', value: reference, message });
    }
    return run;
  });
  // all or none: nothing is deleted where one is refused
  for (const run of runs) refuseDeletion(run.path);
  if (!yes) await confirm(runs);
  for (const run of runs) {
    deleteRun(run.path);
    console.log(`${run.id}  deleted`);
  }
}

async function confirm(runs: readonly StoredRun[]): Promise<void> {
  for (const { id, path, state, tags, note } of runs) {
    const said = [...tags.map((tag) => `#${tag}`), ...(note === null ? [] : [JSON.stringify(note)])].join(' ');
    console.error(`${id}  ${state}  ${(runBytes(path) / 1e6).toFixed(1)} MB  ${said}`.trimEnd());
  }
  if (!process.stdin.isTTY) {
    const message = 'nobody is there to be asked, and nothing was deleted: give --yes';
    fail('USAGE', { where: 'openbell runs delete', message });
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(
      `Delete ${runs.length === 1 ? 'it' : `these ${runs.length} runs`} for good? [y/N] `,
    );
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    prompt.close();
  }
  fail('USAGE', { where: 'openbell runs delete', message: 'nothing was deleted' });
}
