import { closeSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { makeClassicVector } from '#env/classic/index.js';
import { parseExperiment } from '#src/config/load.js';
import { CLOSE, ERROR, HEAD_BYTES, HELLO, RESET, STATE, STEP } from './env-frames.js';
import { pipeChannel, serveEnv } from './env-server.js';
import { makeWindowWorld } from './world.js';

interface Frame {
  readonly kind: number;
  readonly body: Buffer;
}

function frame(kind: number, body: Uint8Array = new Uint8Array(0)): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(kind, 0);
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

const reset = (seed: number): Buffer => frame(RESET, new Uint8Array(Float64Array.of(seed).buffer));
const step = (...actions: number[]): Buffer => frame(STEP, new Uint8Array(Int32Array.from(actions).buffer));

/** Serves CartPole to a client that sends these bytes and then goes away. */
function serve(sent: Uint8Array, numEnvs = 2): Frame[] {
  const input = Buffer.from(sent);
  let at = 0;
  const written: Buffer[] = [];
  serveEnv(
    makeClassicVector('CartPole-v1', numEnvs),
    { name: 'cartpole', version: '0' },
    {
      read(bytes) {
        if (at === input.length) return false;
        // as pipeChannel has it: an end within the bytes is no end
        if (at + bytes.length > input.length) throw new Error('cut');
        bytes.set(input.subarray(at, at + bytes.length));
        at += bytes.length;
        return true;
      },
      write: (bytes) => written.push(Buffer.from(bytes)) > 0,
    },
  );
  return written.map((bytes) => {
    expect(bytes.readUInt32LE(4)).toBe(bytes.length - HEAD_BYTES);
    return { kind: bytes.readUInt32LE(0), body: bytes.subarray(HEAD_BYTES) };
  });
}

const jsonOf = ({ body }: Frame): Record<string, unknown> => JSON.parse(body.toString('utf8'));

describe('serveEnv', () => {
  it('says what it serves, with null for an infinite bound', () => {
    const [hello] = serve(frame(CLOSE));
    expect(hello.kind).toBe(HELLO);
    expect(jsonOf(hello)).toMatchObject({
      protocol: 1,
      name: 'cartpole',
      num_envs: 2,
      action_space: { kind: 'discrete', n: 2 },
      masked: false,
    });
    expect(JSON.stringify(jsonOf(hello)['observation_space'])).toContain('null');
  });

  it('answers a step with the arrays of the environment, byte by byte', () => {
    const twin = makeClassicVector('CartPole-v1', 2);
    const frames = serve(Buffer.concat([reset(5), step(0, 1), step(1, 1)]));
    twin.reset({ seed: 5 });
    for (const [at, actions] of [
      [0, 1],
      [1, 1],
    ].entries()) {
      twin.step(Int32Array.from(actions));
      const { kind, body } = frames[2 + at];
      expect(kind).toBe(STATE);
      const arrays = [
        twin.rewards,
        twin.episodeReturns,
        twin.observations,
        twin.finalObservations,
        twin.episodeLengths,
        twin.terminations,
        twin.truncations,
      ].map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength));
      expect(body.equals(Buffer.concat(arrays))).toBe(true);
    }
  });

  it('goes on with the random streams where the seed is NaN', () => {
    const [, first, second] = serve(Buffer.concat([reset(5), reset(Number.NaN)]));
    const [, again, alike] = serve(Buffer.concat([reset(5), reset(Number.NaN)]));
    expect(second.body.equals(first.body)).toBe(false);
    expect(again.body.equals(first.body)).toBe(true);
    expect(alike.body.equals(second.body)).toBe(true);
  });

  it('answers what the environment refuses with its code, and nothing has changed', () => {
    const [, , refused, then] = serve(Buffer.concat([reset(5), step(0, 2), step(0, 1)]));
    expect(refused.kind).toBe(ERROR);
    expect(jsonOf(refused)).toMatchObject({ code: 'ENV_CONTRACT' });
    const [, , unspoilt] = serve(Buffer.concat([reset(5), step(0, 1)]));
    expect(then.body.equals(unspoilt.body)).toBe(true);
    const codes = serve(Buffer.concat([step(0, 0), reset(-1), reset(0.5)]))
      .slice(1)
      .map(jsonOf);
    for (const error of codes) expect(error['code']).toMatch(/^ENV_/);
  });

  it.each([
    [frame(99), /ENV_SERVER.*99: no frame has this kind/],
    [frame(RESET, new Uint8Array(4)), /ENV_SERVER env-server, RESET 4: the body of this frame has 8 bytes/],
    [frame(STEP, new Uint8Array(12)), /ENV_SERVER env-server, STEP 12: the body of this frame has 8 bytes/],
    [frame(CLOSE, new Uint8Array(1)), /ENV_SERVER env-server, CLOSE 1/],
    [reset(1).subarray(0, HEAD_BYTES), /ENV_SERVER env-server: the stream ended within a frame/],
  ])('gives up where a frame cannot be one: %#', (sent, message) => {
    expect(() => serve(sent)).toThrow(message);
  });
});

it('tells an end between frames from one within', () => {
  const empty = openSync('/dev/null', 'r');
  try {
    expect(pipeChannel(empty, empty).read(new Uint8Array(8))).toBe(false);
  } finally {
    closeSync(empty);
  }
});

it('serves another window of the data, and refuses one that is not set apart', async () => {
  const yaml =
    'env: { id: market }\ndata: { datasets: [aapl-daily], train: { to: 2016-01-01 }, test: { from: 2017-01-01 } }\n';
  const { config } = parseExperiment(`name: windows\n${yaml}`, 'windows.yaml');
  const [train, test] = [await makeWindowWorld(config, 'train'), await makeWindowWorld(config, 'test')];
  for (const { env } of [train, test]) env.reset({ seed: 1 });
  expect(test.env.observations).not.toEqual(train.env.observations);
  await expect(makeWindowWorld(config, 'validation')).rejects.toThrow(/DATA_WINDOW data.validation null/);
});
