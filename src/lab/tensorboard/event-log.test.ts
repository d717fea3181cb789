import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseExperiment } from '#src/config/load.js';
import { configHash } from '#src/config/show.js';
import { resumeTraining, train } from '../train.js';
import type { TrainOutcome } from '../training-run.js';
import { crc32c } from './event-records.js';
import { eventFiles } from './event-log.js';

interface Field {
  readonly number: number;
  readonly value: number | Buffer;
}

/** Any protobuf message: varints and floats as numbers, the rest as bytes. */
function fieldsOf(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes.readUInt8(at++);
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const number = key >> 3;
    const wire = key & 7;
    if (wire === 0) fields.push({ number, value: varint() });
    else if (wire === 1) fields.push({ number, value: bytes.readDoubleLE((at += 8) - 8) });
    else if (wire === 5) fields.push({ number, value: bytes.readFloatLE((at += 4) - 4) });
    else if (wire === 2) {
      const length = varint();
      fields.push({ number, value: bytes.subarray(at, (at += length)) });
    } else throw new Error(`wire type ${wire}`);
  }
  return fields;
}

const bytesOf = (value: number | Buffer): Buffer => (Buffer.isBuffer(value) ? value : Buffer.alloc(0));
const first = (fields: readonly Field[], number: number) => fields.find((field) => field.number === number)?.value;

interface DecodedEvent {
  readonly wallTime: number;
  readonly step: number;
  readonly version: string | null;
  readonly scalars: Readonly<Record<string, number>>;
}

/** Bit by bit, as no table-driven CRC does it. */
function slowMaskedCrc(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  const plain = ~crc >>> 0;
  return Number((BigInt(((plain >>> 15) | (plain << 17)) >>> 0) + 0xa282ead8n) & 0xffffffffn);
}

function decode(file: string): DecodedEvent[] {
  const contents = readFileSync(file);
  const events: DecodedEvent[] = [];
  for (let at = 0; at < contents.length;) {
    const length = Number(contents.readBigUInt64LE(at));
    expect(contents.readUInt32LE(at + 8)).toBe(slowMaskedCrc(contents.subarray(at, at + 8)));
    const bytes = contents.subarray(at + 12, at + 12 + length);
    expect(contents.readUInt32LE(at + 12 + length)).toBe(slowMaskedCrc(bytes));
    at += length + 16;
    const fields = fieldsOf(bytes);
    const summary = fieldsOf(bytesOf(first(fields, 5) ?? 0));
    events.push({
      wallTime: Number(first(fields, 1)),
      step: Number(first(fields, 2) ?? 0),
      version: first(fields, 3)?.toString() ?? null,
      scalars: Object.fromEntries(
        summary.map(({ value }) => {
          const scalar = fieldsOf(bytesOf(value));
          return [String(first(scalar, 1)), Number(first(scalar, 2))];
        }),
      ),
    });
  }
  return events;
}

const YAML = `
name: cart
seed: 5
env: { id: CartPole-v1 }
agent: { n_steps: 32, batch_size: 64, n_epochs: 2 }
training: { n_envs: 4, total_timesteps: 1280, evaluate_every: 256, evaluate_episodes: 2, checkpoint_every: 384 }
`;
const { config } = parseExperiment(YAML, 'cart.yaml');
let runsDir = '';
let whole: TrainOutcome;
beforeAll(async () => {
  runsDir = mkdtempSync(path.join(tmpdir(), 'openbell-events-'));
  whole = await train({ config, runsDir });
});
afterAll(() => rmSync(runsDir, { recursive: true }));

const onlyFile = (run: string): string => {
  // the one before it, if any, is empty
  const files = eventFiles(run).filter((name) => statSync(path.join(run, name)).size > 0);
  expect(files).toHaveLength(1);
  return path.join(run, files[0]);
};
const metricsOf = (run: string): Record<string, number | null>[] =>
  readFileSync(path.join(run, 'metrics.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
/** All but what the clock says. */
const reproducible = (run: string) =>
  decode(onlyFile(run)).map(({ step, scalars, version }) => ({ step, version, ...scalars, 'time/fps': 0 }));

describe('the event file of a run', () => {
  it('has a checksum that the standard knows', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });

  it('holds every line of the metrics under the names of stable-baselines3, in order of time', () => {
    const [version, start, ...events] = decode(onlyFile(whole.directory));
    expect(version.version).toBe('brain.Event:2');
    expect(start).toMatchObject({ step: 0, scalars: {} });
    const lines = metricsOf(whole.directory);
    expect(events.map(({ step }) => step)).toEqual(lines.map(({ timesteps }) => timesteps));
    const update = lines.findLastIndex(({ kind }) => String(kind) === 'update');
    const { scalars } = events[update];
    const line = lines[update];
    const { ent_coef: entCoef, vf_coef: vfCoef } = config.agent;
    const expected = {
      'rollout/ep_rew_mean': line['episodeReturnMean'],
      'rollout/ep_len_mean': line['episodeLengthMean'],
      'train/approx_kl': line['approxKl'],
      'train/clip_fraction': line['clipFraction'],
      'train/entropy_loss': -Number(line['entropy']),
      'train/learning_rate': line['learningRate'],
      'train/value_loss': line['valueLoss'],
      'train/loss': Number(line['policyLoss']) - entCoef * Number(line['entropy']) + vfCoef * Number(line['valueLoss']),
    };
    for (const [tag, value] of Object.entries(expected)) expect(scalars[tag]).toBe(Math.fround(Number(value)));
    expect(scalars['time/fps']).toBeGreaterThan(0);
    const evaluation = lines.findIndex(({ kind }) => String(kind) === 'evaluation');
    expect(events[evaluation].scalars['eval/mean_reward']).toBe(Math.fround(Number(lines[evaluation]['score'])));
    for (let k = 1; k < events.length; k++) expect(events[k].wallTime).toBeGreaterThanOrEqual(events[k - 1].wallTime);
  });

  it('is cut back with the other logs where a run is resumed, and made again where it was torn or lost', async () => {
    const stop = new AbortController();
    const part = await train({
      config,
      runsDir,
      signal: stop.signal,
      onEvent: (event) => {
        if (event.kind === 'update' && event.report.update === 3) stop.abort();
      },
    });
    expect(part.status).toBe('interrupted');
    // as kill -9 leaves it: lines and half a record after the last checkpoint
    const late = { kind: 'update', update: 4, timesteps: 512, approxKl: 9 };
    for (const log of ['metrics', 'timings'])
      appendFileSync(path.join(part.directory, `${log}.jsonl`), `${JSON.stringify(late)}\n`);
    const torn = onlyFile(part.directory);
    truncateSync(torn, readFileSync(torn).length - 7);
    const lost = `${part.directory}-lost`;
    cpSync(part.directory, lost, { recursive: true });
    rmSync(path.join(lost, path.basename(torn)));
    for (const directory of [part.directory, lost]) {
      await resumeTraining({ directory });
      expect(reproducible(directory)).toEqual(reproducible(whole.directory));
    }
    expect(path.basename(onlyFile(part.directory)) > path.basename(torn)).toBe(true);
  });

  it('is not written where the configuration says so, and changes no bit and no hash', async () => {
    const without = { ...config, training: { ...config.training, tensorboard: false } };
    expect(configHash(without)).toBe(configHash(config));
    const { directory, result } = await train({ config: without, runsDir });
    expect(eventFiles(directory)).toEqual([]);
    expect(result.weights_sha256).toBe(whole.result.weights_sha256);
    for (const log of ['metrics.jsonl', 'fingerprints.jsonl'])
      expect(readFileSync(path.join(directory, log))).toEqual(readFileSync(path.join(whole.directory, log)));
  });

  it('names the line of a damaged log', async () => {
    const stop = new AbortController();
    const { directory } = await train({
      config,
      runsDir,
      signal: stop.signal,
      onEvent: ({ kind }) => {
        if (kind === 'update') stop.abort();
      },
    });
    const file = path.join(directory, 'timings.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^.*$/m, 'no JSON'));
    await expect(resumeTraining({ directory })).rejects.toThrow(/^RUN_STATE .*timings\.jsonl:1 "no JSON"/);
  });
});
