/**
 * The frames in which an environment is served to another process (docs/env-server.md). Little-endian; a frame is
 * a head of two u32, kind and length of the body in bytes, and the body.
 */
import type { ActionSpace, BoxSpace } from '#env/spaces.js';
import { spaceSize } from '#env/spaces.js';
import type { VectorEnv } from '#env/vector-env.js';

/** Raised where a frame changes: a client refuses another one. */
export const FRAME_PROTOCOL = 1;
export const HEAD_BYTES = 8;

/** Client to server. */
export const RESET = 1;
export const STEP = 2;
export const CLOSE = 3;
/** Server to client. */
export const HELLO = 16;
export const STATE = 17;
export const ERROR = 18;

/** Body of HELLO, as JSON; an infinite bound is null. */
export interface Hello {
  readonly protocol: number;
  readonly version: string;
  readonly name: string;
  readonly num_envs: number;
  readonly observation_space: { readonly low: readonly (number | null)[]; readonly high: readonly (number | null)[] };
  readonly action_space:
    | { readonly kind: 'discrete'; readonly n: number }
    | { readonly kind: 'box'; readonly low: readonly (number | null)[]; readonly high: readonly (number | null)[] };
  /** Whether STATE ends with masks. */
  readonly masked: boolean;
}

export function helloOf(env: VectorEnv, name: string, version: string): Hello {
  const { numEnvs, singleObservationSpace, singleActionSpace, actionMasks } = env;
  return {
    protocol: FRAME_PROTOCOL,
    version,
    name,
    num_envs: numEnvs,
    observation_space: bounds(singleObservationSpace),
    action_space:
      singleActionSpace.kind === 'discrete'
        ? { kind: 'discrete', n: singleActionSpace.n }
        : { kind: 'box', ...bounds(singleActionSpace) },
    masked: actionMasks !== null,
  };
}

const finiteOrNull = (bound: number): number | null => (Number.isFinite(bound) ? bound : null);
const bounds = ({ low, high }: BoxSpace): { low: (number | null)[]; high: (number | null)[] } => ({
  low: Array.from(low, finiteOrNull),
  high: Array.from(high, finiteOrNull),
});

/** Bytes of STEP's body: int32 (N) for Discrete, float32 (N,A) for Box. */
export const stepBytes = (space: ActionSpace, numEnvs: number): number => 4 * numEnvs * spaceSize(space);

/**
 * Body of STATE, in this order: rewards float64 (N); episode returns float64 (N); observations float32 (N,O); final
 * observations float32 (N,O); episode lengths int32 (N); terminations, truncations uint8 (N); masks uint8 (N,A)
 * where there are any. Rows of what belongs to an ended episode hold something only where one has ended. The arrays
 * are views of the environment, so that a frame copies bytes and allocates nothing.
 */
export class StateFrame {
  /** Head and body: the same bytes for every state. */
  readonly bytes: Buffer;
  readonly #parts: readonly Uint8Array[];

  constructor(env: VectorEnv) {
    const arrays = [
      env.rewards,
      env.episodeReturns,
      env.observations,
      env.finalObservations,
      env.episodeLengths,
      env.terminations,
      env.truncations,
      ...(env.actionMasks === null ? [] : [env.actionMasks]),
    ];
    this.#parts = arrays.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
    const length = this.#parts.reduce((sum, part) => sum + part.length, 0);
    this.bytes = Buffer.alloc(HEAD_BYTES + length);
    this.bytes.writeUInt32LE(STATE, 0);
    this.bytes.writeUInt32LE(length, 4);
  }

  /** Takes the environment's arrays as they stand. */
  refresh(): Buffer {
    let at = HEAD_BYTES;
    for (const part of this.#parts) {
      this.bytes.set(part, at);
      at += part.length;
    }
    return this.bytes;
  }
}

/** A frame of JSON or of nothing. */
export function jsonFrame(kind: number, body: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(body), 'utf8');
  const frame = Buffer.alloc(HEAD_BYTES + text.length);
  frame.writeUInt32LE(kind, 0);
  frame.writeUInt32LE(text.length, 4);
  text.copy(frame, HEAD_BYTES);
  return frame;
}
