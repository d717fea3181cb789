/**
 * Framing: after the hello, every message is a big-endian 32-bit length and that many bytes of NUL-terminated UTF-8
 * fields. Packets may hold part of a frame or many.
 */

/** A client's frame is a request: the longest (an order with every block) is far below this. */
export const MAX_CLIENT_FRAME_BYTES = 0x10000;
/** "API\0" and the length of the version text. */
const HELLO_PREFIX = 'API\0';
const MAX_HELLO_BYTES = 0x400;

/** A stream that cannot be cut into messages: the connection is closed. */
export class FrameError extends Error {}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Cuts a client's byte stream into its hello and its messages. */
export class FrameReader {
  #buffer: Buffer = Buffer.alloc(0);
  #helloSeen = false;

  /**
   * Takes a packet; yields "v100..193" once, then the fields of each complete message. Throws FrameError at the
   * first byte that cannot be right; the reader is of no use after that.
   */
  *push(packet: Uint8Array): Generator<{ readonly hello: string } | { readonly fields: readonly string[] }> {
    this.#buffer = this.#buffer.length === 0 ? Buffer.from(packet) : Buffer.concat([this.#buffer, packet]);
    let at = 0;
    try {
      if (!this.#helloSeen) {
        const hello = readHello(this.#buffer);
        if (hello === null) return;
        this.#helloSeen = true;
        at = hello.end;
        yield { hello: hello.text };
      }
      while (this.#buffer.length - at >= 4) {
        const length = this.#buffer.readUInt32BE(at);
        if (length === 0 || length > MAX_CLIENT_FRAME_BYTES)
          throw new FrameError(`a frame of ${length} bytes; a request has 1 to ${MAX_CLIENT_FRAME_BYTES}`);
        if (this.#buffer.length - at - 4 < length) return;
        const start = at + 4;
        at = start + length;
        yield { fields: splitFields(this.#buffer.subarray(start, at)) };
      }
    } finally {
      this.#buffer = this.#buffer.subarray(at);
    }
  }
}

function readHello(buffer: Buffer): { readonly text: string; readonly end: number } | null {
  const known = Math.min(buffer.length, HELLO_PREFIX.length);
  if (buffer.toString('latin1', 0, known) !== HELLO_PREFIX.slice(0, known))
    throw new FrameError('the connection does not begin with the hello of a TWS client (API and a NUL)');
  if (buffer.length < 8) return null;
  const length = buffer.readUInt32BE(4);
  if (length === 0 || length > MAX_HELLO_BYTES) throw new FrameError(`a hello of ${length} bytes`);
  if (buffer.length < 8 + length) return null;
  return { text: buffer.toString('latin1', 8, 8 + length), end: 8 + length };
}

function splitFields(bytes: Buffer): readonly string[] {
  if (bytes[bytes.length - 1] !== 0) throw new FrameError('a frame that does not end with a NUL');
  let text: string;
  try {
    text = utf8.decode(bytes.subarray(0, bytes.length - 1));
  } catch (error) {
    throw new FrameError('a frame that is not UTF-8', { cause: error });
  }
  return text.split('\0');
}

/** "v100..193", "v157", "v157..178 +PACEAPI": the client's range. Throws FrameError. */
export function parseHello(text: string): { readonly min: number; readonly max: number; readonly options: string } {
  const match = /^v(\d{1,6})(?:\.\.(\d{1,6}))?(?: (.*))?$/.exec(text.replace(/\0+$/, ''));
  if (match === null) throw new FrameError(`a hello that names no versions: ${JSON.stringify(text.slice(0, 40))}`);
  const min = Number(match[1]);
  return { min, max: match[2] === undefined ? min : Number(match[2]), options: match[3] ?? '' };
}

/** Collects messages and hands them out as one buffer: a burst of ticks is one write, not one a tick. */
export class FrameWriter {
  #buffer: Buffer;
  #end = 0;

  constructor(capacityBytes = 0x4000) {
    this.#buffer = Buffer.allocUnsafe(capacityBytes);
  }

  get length(): number {
    return this.#end;
  }

  /** Adds a frame of these NUL-terminated fields. */
  push(fields: string): void {
    this.#reserve(4 + fields.length * 3);
    const bytes = this.#buffer.write(fields, this.#end + 4, 'utf8');
    this.#buffer.writeUInt32BE(bytes, this.#end);
    this.#end += 4 + bytes;
  }

  /** Everything so far; the writer is empty after it. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#end);
    // the socket keeps what it is given: the next burst gets a buffer of its own
    this.#buffer = Buffer.allocUnsafe(Math.max(0x4000, Math.min(this.#end * 2, 0x100000)));
    this.#end = 0;
    return taken;
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#end + bytes));
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
  }
}
