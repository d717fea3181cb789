/**
 * safetensors: a format that holds tensors and text, and can execute nothing.
 * https://github.com/huggingface/safetensors#format
 *
 *   8 bytes   length of the header, little-endian
 *   header    JSON: {"__metadata__": {text: text}, name: {dtype, shape, data_offsets: [begin, end]}, ...}, padded with spaces
 *   data      the tensors, without a gap
 *
 * A nested state (env/state.ts) becomes tensors under dotted names ("ppo.engine.parameters") and, in the metadata's
 * "state", JSON in which {"$tensor": name} stands for each. The metadata's "sha256" is the hash of header and data
 * with that hash's own 64 digits written as zeros, so that a torn or altered file is always found out.
 */
import { createHash } from 'node:crypto';
import type { StateArray, StateDict, StateValue } from '#env/state.js';
import { fail } from '#src/errors.js';

const DTYPES = {
  F64: { bytes: 8, make: (buffer: ArrayBuffer): StateArray => new Float64Array(buffer) },
  F32: { bytes: 4, make: (buffer: ArrayBuffer): StateArray => new Float32Array(buffer) },
  I32: { bytes: 4, make: (buffer: ArrayBuffer): StateArray => new Int32Array(buffer) },
  U32: { bytes: 4, make: (buffer: ArrayBuffer): StateArray => new Uint32Array(buffer) },
  U8: { bytes: 1, make: (buffer: ArrayBuffer): StateArray => new Uint8Array(buffer) },
} as const;
type Dtype = keyof typeof DTYPES;

/** The format itself allows 100 MB of header. */
const MAX_HEADER_BYTES = 100_000_000;
const ZERO_HASH = '0'.repeat(64);
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Texts that the file's metadata carries beside the state. */
export type Metadata = Readonly<Record<string, string>>;

export interface DecodedState {
  readonly state: StateDict;
  /** Without "state" and "sha256". */
  readonly metadata: Metadata;
}

/**
 * The file's bytes. The same state gives the same bytes. `shapes` gives tensors more than their one dimension, by
 * dotted name. Throws POLICY_STATE for keys and shapes that cannot be stored.
 */
export function encodeState(
  state: StateDict,
  metadata: Metadata = {},
  shapes: Readonly<Record<string, readonly number[]>> = {},
): Uint8Array {
  const tensors = new Map<string, StateArray>();
  const json = JSON.stringify(flatten(state, '', tensors));
  // widest first, then by name: every tensor is aligned to its own width
  const sorted = [...tensors].sort(([a, x], [b, y]) => y.BYTES_PER_ELEMENT - x.BYTES_PER_ELEMENT || (a < b ? -1 : 1));
  const header: Record<string, unknown> = { __metadata__: { ...metadata, sha256: ZERO_HASH, state: json } };
  let offset = 0;
  for (const [name, array] of sorted) {
    const shape = shapes[name] ?? [array.length];
    if (shape.reduce((product, size) => product * size, 1) !== array.length) {
      fail('POLICY_STATE', { where: name, value: shape, message: `this shape does not hold ${array.length} numbers` });
    }
    header[name] = { dtype: dtypeOf(array), shape, data_offsets: [offset, offset + array.byteLength] };
    offset += array.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header), 'utf8');
  const headerBytes = Math.ceil(text.length / 8) * 8;
  const file = Buffer.alloc(8 + headerBytes + offset, 0x20);
  file.writeBigUInt64LE(BigInt(headerBytes), 0);
  text.copy(file, 8);
  let at = 8 + headerBytes;
  for (const [, array] of sorted) {
    file.set(littleEndianBytes(array), at);
    at += array.byteLength;
  }
  const hash = createHash('sha256').update(file.subarray(8)).digest('hex');
  file.write(hash, hashPosition(file.subarray(8, 8 + headerBytes)) + 8, 'latin1');
  return file;
}

/**
 * Reads what `encodeState` wrote. Throws CHECKPOINT_CORRUPT naming the file, what is wrong, and `remedy` (asked for only
 * then where it is a function).
 */
export function decodeState(
  bytes: Uint8Array,
  file: string,
  remedy: string | (() => string) = 'restore it from a copy',
): DecodedState {
  const refuse = (what: string): never =>
    fail('CHECKPOINT_CORRUPT', {
      where: file,
      message: `${what}: the file is torn or altered; ${typeof remedy === 'string' ? remedy : remedy()}`,
    });
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < 8) return refuse(`${buffer.length} bytes hold no header`);
  const headerBytes = Number(buffer.readBigUInt64LE(0));
  if (headerBytes > Math.min(buffer.length - 8, MAX_HEADER_BYTES)) {
    return refuse(`its header should have ${headerBytes} bytes, but the file has ${buffer.length}`);
  }
  const headerText = buffer.subarray(8, 8 + headerBytes);
  let header: unknown;
  try {
    header = JSON.parse(headerText.toString('utf8'));
  } catch {
    return refuse('its header is not JSON');
  }
  if (!isRecord(header)) return refuse('its header is not a map');
  const metadata = header['__metadata__'];
  if (!isRecord(metadata)) return refuse('it has no metadata');
  const { sha256, state: stateText, ...others } = metadata;
  if (typeof sha256 !== 'string' || typeof stateText !== 'string') return refuse('it holds no state of OpenBell');
  const position = hashPosition(headerText);
  const hash = createHash('sha256');
  hash
    .update(headerText.subarray(0, position))
    .update(ZERO_HASH)
    .update(headerText.subarray(position + 64));
  hash.update(buffer.subarray(8 + headerBytes));
  if (position < 0 || hash.digest('hex') !== sha256) return refuse('its contents do not match its sha256');

  // from here on the file is what was written; the checks below guard against a faulty writer
  const tensors = new Map<string, StateArray>();
  const data = buffer.subarray(8 + headerBytes);
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const array = isRecord(entry) ? readTensor(entry, data) : null;
    if (array === null) return refuse(`tensor ${name} lies outside the file`);
    tensors.set(name, array);
  }
  const state = restore(JSON.parse(stateText), tensors);
  if (!isDict(state)) return refuse('its state is not a map');
  const texts: Record<string, string> = {};
  for (const [key, text] of Object.entries(others)) if (typeof text === 'string') texts[key] = text;
  return { state, metadata: texts };
}

/** Where the 64 digits of the metadata's sha256 begin in the header, or -1. It stands before any user's text. */
function hashPosition(header: Buffer): number {
  const marker = '"sha256":"';
  const found = header.lastIndexOf(`${marker}`, header.indexOf('","state":"'));
  return found < 0 ? -1 : found + marker.length;
}

/** A state's key inside a tensor's name, whose levels dots part: a dot of its own is written otherwise. */
export function tensorKey(key: string): string {
  return key.replaceAll('%', '%25').replaceAll('.', '%2E');
}

function flatten(value: StateValue, name: string, tensors: Map<string, StateArray>): unknown {
  if (typeof value === 'number') {
    // JSON knows neither NaN nor infinity nor minus zero
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { $number: Object.is(value, -0) ? '-0' : String(value) };
  }
  if (value === null || typeof value !== 'object') return value;
  if (ArrayBuffer.isView(value)) {
    tensors.set(name, value);
    return { $tensor: name };
  }
  const child = (key: string): string => (name === '' ? key : `${name}.${key}`);
  if (Array.isArray(value)) return value.map((item, index) => flatten(item, child(String(index)), tensors));
  const plain: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (key.startsWith('$') || key === '__proto__' || (name === '' && key === '__metadata__')) {
      fail('POLICY_STATE', { where: child(key), message: 'a state must not use this key; rename it' });
    }
    plain[key] = flatten(item, child(tensorKey(key)), tensors);
  }
  return plain;
}

function restore(value: unknown, tensors: ReadonlyMap<string, StateArray>): StateValue {
  if (Array.isArray(value)) return value.map((item: unknown) => restore(item, tensors));
  if (isRecord(value)) {
    const tensor = value['$tensor'];
    if (typeof tensor === 'string') return tensors.get(tensor) ?? null;
    const number = value['$number'];
    if (typeof number === 'string') return Number(number);
    const dict: StateDict = {};
    for (const [key, item] of Object.entries(value)) dict[key] = restore(item, tensors);
    return dict;
  }
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' ? value : null;
}

function readTensor(entry: Record<string, unknown>, data: Buffer): StateArray | null {
  const { dtype, data_offsets: offsets, shape } = entry;
  if (typeof dtype !== 'string' || !isDtype(dtype) || !Array.isArray(offsets) || !Array.isArray(shape)) return null;
  const begin = Number(offsets[0]);
  const end = Number(offsets[1]);
  const elements = shape.reduce<number>((product, size) => product * Number(size), 1);
  const { bytes, make } = DTYPES[dtype];
  if (!(begin >= 0 && end <= data.length && end - begin === elements * bytes)) return null;
  const copy = new Uint8Array(end - begin);
  copy.set(data.subarray(begin, end));
  if (!LITTLE_ENDIAN && bytes > 1) swapBytes(copy, bytes);
  return make(copy.buffer);
}

/** The array's bytes, little-endian on every machine: a view of it where the machine is so itself. */
export function littleEndianBytes(array: StateArray): Uint8Array {
  const raw = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  if (LITTLE_ENDIAN) return raw;
  const copy = raw.slice();
  swapBytes(copy, array.BYTES_PER_ELEMENT);
  return copy;
}

function swapBytes(bytes: Uint8Array, width: number): void {
  for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse();
}

function dtypeOf(array: StateArray): Dtype {
  if (array instanceof Float64Array) return 'F64';
  if (array instanceof Float32Array) return 'F32';
  if (array instanceof Int32Array) return 'I32';
  return array instanceof Uint32Array ? 'U32' : 'U8';
}

function isDtype(name: string): name is Dtype {
  return Object.hasOwn(DTYPES, name);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDict(value: StateValue): value is StateDict {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}
