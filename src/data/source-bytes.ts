/** A file's bytes as UTF-8 text: compression and encoding are recognised by their signatures, never guessed. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { fail } from '#src/errors.js';

export interface SourceBytes {
  /** UTF-8, decompressed, without a byte order mark. */
  readonly bytes: Uint8Array;
  /** Of the file as it is stored. */
  readonly sha256: string;
}

/** Throws DATA_FILE (missing, a directory, unreadable), DATA_EMPTY, DATA_FORMAT (not text). */
export async function readSourceBytes(file: string): Promise<SourceBytes> {
  const info = await stat(file).catch((cause: NodeJS.ErrnoException) => {
    const message =
      cause.code === 'ENOENT'
        ? 'there is no such file: check the path'
        : `cannot be read (${cause.code ?? 'unknown reason'})`;
    return fail('DATA_FILE', { where: file, message, cause });
  });
  if (info.isDirectory()) fail('DATA_FILE', { where: file, message: 'this is a directory: name one CSV file in it' });
  const stored = await readFile(file).catch((cause: NodeJS.ErrnoException) =>
    fail('DATA_FILE', { where: file, message: `cannot be read (${cause.code ?? 'unknown reason'})`, cause }),
  );
  if (stored.length === 0) fail('DATA_EMPTY', { where: file, message: 'the file is empty (0 bytes): export it again' });
  const sha256 = createHash('sha256').update(stored).digest('hex');
  const unpacked = stored[0] === 0x1f && stored[1] === 0x8b ? await unpack(file, stored) : stored;
  return { bytes: toUtf8(file, unpacked), sha256 };
}

async function unpack(file: string, stored: Uint8Array): Promise<Uint8Array> {
  return promisify(gunzip)(stored).catch((cause: Error) =>
    fail('DATA_FORMAT', {
      where: file,
      message: `the gzip archive is damaged or cut off (${cause.message}): fetch it again`,
      cause,
    }),
  );
}

const SIGNATURES: readonly (readonly [readonly number[], string])[] = [
  [[0x50, 0x4b, 0x03, 0x04], 'a zip archive (an .xlsx workbook is one): unpack it, or export the sheet as CSV'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'compressed with zstd: decompress it first (gzip is read directly)'],
  [[0x42, 0x5a, 0x68], 'compressed with bzip2: decompress it first (gzip is read directly)'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'compressed with xz: decompress it first (gzip is read directly)'],
  [[0x50, 0x41, 0x52, 0x31], 'a Parquet file: export it as CSV'],
  [[0x1f, 0x8b], 'compressed with gzip twice: decompress it once'],
  // before UTF-16, whose little-endian mark begins alike
  [[0xff, 0xfe, 0x00, 0x00], 'UTF-32: save it as UTF-8'],
  [[0x00, 0x00, 0xfe, 0xff], 'UTF-32: save it as UTF-8'],
];

function toUtf8(file: string, raw: Uint8Array): Uint8Array {
  for (const [signature, what] of SIGNATURES) {
    if (signature.every((byte, i) => raw[i] === byte))
      fail('DATA_FORMAT', { where: file, message: `this is not text but ${what}` });
  }
  if (raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf) return raw.subarray(3);
  const bigEndian = raw[0] === 0xfe && raw[1] === 0xff;
  if ((bigEndian || (raw[0] === 0xff && raw[1] === 0xfe)) && raw.length % 2 === 1) {
    fail('DATA_FORMAT', {
      where: file,
      value: `${raw.length} bytes`,
      message: 'UTF-16 has two bytes a character: the file was cut off within one; fetch it again',
    });
  }
  if (raw[0] === 0xff && raw[1] === 0xfe) return Buffer.from(new TextDecoder('utf-16le').decode(raw));
  if (bigEndian) {
    const swapped = Buffer.from(raw).swap16();
    return Buffer.from(new TextDecoder('utf-16le').decode(swapped));
  }
  const nul = raw.indexOf(0);
  if (nul >= 0) {
    fail('DATA_FORMAT', {
      where: file,
      value: `byte ${nul} is 0`,
      message: 'this is not UTF-8 text (a binary file, or UTF-16 without a byte order mark): save it as UTF-8',
    });
  }
  return raw;
}
