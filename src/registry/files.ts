/** Files that survive a crash: either the old contents or the new, never half of them. */
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';

/** null: there is no such file. */
export function readTextIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** undefined: it is not JSON, which has no such value. */
export function parseIfJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Writes to a temporary file beside it, syncs, renames, and syncs the folder. Where that fails, nothing is left behind. */
export function writeFileAtomic(file: string, contents: Uint8Array | string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  const descriptor = openSync(temporary, 'w');
  let isWritten = false;
  try {
    writeAll(descriptor, typeof contents === 'string' ? Buffer.from(contents, 'utf8') : contents, file);
    fsyncSync(descriptor);
    isWritten = true;
  } finally {
    closeSync(descriptor);
    // half a file on a full disk would take the room that is wanting
    if (!isWritten) rmSync(temporary, { force: true });
  }
  renameSync(temporary, file);
  syncFolder(path.dirname(file));
}

/** The system's error does not say which file it was. */
export function writeAll(descriptor: number, bytes: Uint8Array, file: string): void {
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
  } catch (error) {
    throw error instanceof Error ? Object.assign(error, { path: file }) : error;
  }
}

/** Makes renames in the folder durable. */
export function syncFolder(folder: string): void {
  // Windows cannot open a folder; there the rename is journalled by the file system
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A log of one JSON object a line, which can be cut back to where a checkpoint was written. */
export class JsonLines {
  readonly file: string;
  readonly #descriptor: number;
  #bytes: number;
  #lines: number;

  constructor(file: string) {
    this.file = file;
    this.#descriptor = openSync(file, 'a+');
    const contents = readFileSync(file);
    this.#bytes = contents.length;
    this.#lines = countLines(contents);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get lines(): number {
    return this.#lines;
  }

  append(entry: Readonly<Record<string, unknown>>): void {
    const line = Buffer.from(`${JSON.stringify(entry)}\n`, 'utf8');
    writeAll(this.#descriptor, line, this.file);
    this.#bytes += line.length;
    this.#lines++;
  }

  /** Where its first `lines` lines end; null where it has fewer. */
  bytesOfLines(lines: number): number | null {
    const contents = readFileSync(this.file);
    let end = 0;
    for (let line = 0; line < lines; line++) {
      const feed = contents.indexOf(10, end);
      if (feed < 0) return null;
      end = feed + 1;
    }
    return end;
  }

  /** Cuts the log back to its first `lines` lines. False where it has fewer. */
  truncateLines(lines: number): boolean {
    const end = this.bytesOfLines(lines);
    if (end === null) return false;
    ftruncateSync(this.#descriptor, end);
    this.#bytes = end;
    this.#lines = lines;
    return true;
  }

  sync(): void {
    fsyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function countLines(contents: Buffer): number {
  let lines = 0;
  for (const byte of contents) if (byte === 10) lines++;
  return lines;
}

export function fileSize(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.size ?? null;
}
