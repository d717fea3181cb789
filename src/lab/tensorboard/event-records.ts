/**
 * Records of a TensorBoard event file. Framing (TFRecord): uint64 length, masked CRC32C of it, the bytes, masked CRC32C
 * of them, all little-endian. Bytes: the protobuf messages Event and Summary of tensorflow/core/util/event.proto and
 * tensorflow/core/framework/summary.proto, of which only what scalars need is written.
 */

/** One value in the column `tag`. */
export interface Scalar {
  readonly tag: string;
  readonly value: number;
}

/** The first record of a file: which version its records are of. */
export function versionRecord(wallTimeMs: number): Buffer {
  return frame(Buffer.concat([wallTime(wallTimeMs), bytesField(3, Buffer.from('brain.Event:2'))]));
}

/** Says that a log begins at `step`: a TensorBoard that is running forgets what it has read from there on. */
export function startRecord(wallTimeMs: number, step: number): Buffer {
  // SessionLog { status: START }
  return frame(Buffer.concat([wallTime(wallTimeMs), varintField(2, step), bytesField(7, varintField(1, 1))]));
}

/** Values of one step. Values are float32 there. */
export function scalarsRecord(wallTimeMs: number, step: number, scalars: readonly Scalar[]): Buffer {
  const values = scalars.map(({ tag, value }) =>
    bytesField(1, Buffer.concat([bytesField(1, Buffer.from(tag)), floatField(2, value)])),
  );
  return frame(Buffer.concat([wallTime(wallTimeMs), varintField(2, step), bytesField(5, Buffer.concat(values))]));
}

function frame(bytes: Buffer): Buffer {
  const record = Buffer.alloc(bytes.length + 16);
  record.writeBigUInt64LE(BigInt(bytes.length), 0);
  record.writeUInt32LE(maskedCrc32c(record.subarray(0, 8)), 8);
  bytes.copy(record, 12);
  record.writeUInt32LE(maskedCrc32c(bytes), 12 + bytes.length);
  return record;
}

/** Field 1 of Event, in seconds. */
function wallTime(timeMs: number): Buffer {
  const field = Buffer.alloc(9);
  field[0] = (1 << 3) | 1;
  field.writeDoubleLE(timeMs / 1000, 1);
  return field;
}

function floatField(number: number, value: number): Buffer {
  const field = Buffer.alloc(5);
  field[0] = (number << 3) | 5;
  field.writeFloatLE(value, 1);
  return field;
}

const bytesField = (number: number, bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes]);

const varintField = (number: number, value: number): Buffer => Buffer.from([number << 3, ...varint(value)]);

/** Of a whole number, 0 or more, seven bits a byte, the lowest first. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return bytes;
}

/** Reflected Castagnoli polynomial. */
const POLYNOMIAL = 0x82f63b78;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
});

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** As TFRecord stores it, so that a checksum of a checksum is no trap. */
function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
