/**
 * Serves an experiment's environment to another process over two pipes, one frame a step of all its environments
 * (env-frames.ts): how Python trains in the very market that OpenBell trains in. Reads and writes block, since
 * there is nothing else to do: a step costs some microseconds more than in this process.
 */
import { readSync, writeSync } from 'node:fs';
import type { VectorEnv } from '#env/vector-env.js';
import { fail, OpenBellError } from '#src/errors.js';
import {
  CLOSE,
  ERROR,
  HEAD_BYTES,
  HELLO,
  helloOf,
  jsonFrame,
  RESET,
  StateFrame,
  STEP,
  stepBytes,
} from './env-frames.js';

/** A pair of byte streams that block. */
export interface FrameChannel {
  /** Fills `bytes` wholly; false where the stream has ended before the first of them. Throws ENV_SERVER within a frame. */
  readonly read: (bytes: Uint8Array) => boolean;
  /** False where nobody reads any more. */
  readonly write: (bytes: Uint8Array) => boolean;
}

const WHERE = 'env-server';
const SEED_BYTES = 8;

/**
 * Answers resets and steps until the client closes or goes away. A request that the environment refuses (an action
 * outside its space, a seed that is none) is answered with an error and changes nothing; a frame that cannot be
 * one throws ENV_SERVER, for what follows it cannot be understood.
 */
export function serveEnv(
  env: VectorEnv,
  { name, version }: { name: string; version: string },
  channel: FrameChannel,
): void {
  const state = new StateFrame(env);
  const head = Buffer.alloc(HEAD_BYTES);
  const seedBody = Buffer.alloc(SEED_BYTES);
  const actions =
    env.singleActionSpace.kind === 'discrete'
      ? new Int32Array(stepBytes(env.singleActionSpace, env.numEnvs) / 4)
      : new Float32Array(stepBytes(env.singleActionSpace, env.numEnvs) / 4);
  const actionBytes = new Uint8Array(actions.buffer);

  if (!channel.write(jsonFrame(HELLO, helloOf(env, name, version)))) return;
  while (channel.read(head)) {
    const kind = head.readUInt32LE(0);
    const length = head.readUInt32LE(4);
    let answer: Buffer;
    if (kind === CLOSE) {
      requireLength('CLOSE', length, 0);
      return;
    } else if (kind === RESET) {
      requireLength('RESET', length, SEED_BYTES);
      requireBody(channel, seedBody);
      answer = answered(state, () => reset(env, seedBody.readDoubleLE(0)));
    } else if (kind === STEP) {
      requireLength('STEP', length, actionBytes.length);
      requireBody(channel, actionBytes);
      answer = answered(state, () => env.step(actions));
    } else {
      fail('ENV_SERVER', { where: WHERE, value: kind, message: 'no frame has this kind (docs/env-server.md)' });
    }
    if (!channel.write(answer)) return;
  }
}

/** NaN: no seed. */
function reset(env: VectorEnv, seed: number): void {
  env.reset({ seed: Number.isNaN(seed) ? null : seed });
}

function answered(state: StateFrame, act: () => void): Buffer {
  try {
    act();
    return state.refresh();
  } catch (error) {
    if (!(error instanceof OpenBellError)) throw error;
    return jsonFrame(ERROR, { code: error.code, message: error.message });
  }
}

function requireLength(frame: string, length: number, wanted: number): void {
  if (length === wanted) return;
  fail('ENV_SERVER', {
    where: `${WHERE}, ${frame}`,
    value: length,
    message: `the body of this frame has ${wanted} bytes here (docs/env-server.md)`,
  });
}

function requireBody(channel: FrameChannel, bytes: Uint8Array): void {
  if (!channel.read(bytes)) fail('ENV_SERVER', { where: WHERE, message: 'the stream ended within a frame' });
}

/** File descriptors as a channel, e.g. 0 and 1. */
export function pipeChannel(input: number, output: number): FrameChannel {
  return {
    read(bytes) {
      for (let at = 0; at < bytes.length;) {
        const count = patiently(() => readSync(input, bytes, at, bytes.length - at, null));
        if (count === null || count === 0) {
          if (at === 0) return false;
          fail('ENV_SERVER', { where: WHERE, value: at, message: 'the stream ended within a frame' });
        }
        at += count;
      }
      return true;
    },
    write(bytes) {
      for (let at = 0; at < bytes.length;) {
        const count = patiently(() => writeSync(output, bytes, at, bytes.length - at));
        if (count === null) return false;
        at += count;
      }
      return true;
    },
  };
}

const nothing = new Int32Array(new SharedArrayBuffer(4));

/** Tries again where a pipe does not block by itself; null where the other side is gone. */
function patiently(act: () => number): number | null {
  for (;;) {
    try {
      return act();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null;
      if (code === 'EPIPE' || code === 'EOF') return null;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(nothing, 0, 0, 1);
    }
  }
}
