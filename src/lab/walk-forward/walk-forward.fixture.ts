/** Bars on disk for tests of windows: a seeded random walk of business days, and ways to change some of them. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { exp } from '#env/math/index.js';
import { RandomStream } from '#env/seeding.js';
import { parseExperiment } from '#src/config/load.js';
import type { ExperimentConfig } from '#src/config/schema.js';

export interface Row {
  readonly date: string;
  readonly close: number;
  readonly volume: number;
}

/** Weekdays from 2015-01-01 on, closed holidays included: no calendar is asked for. */
export function walkRows(count: number, seed = 1): Row[] {
  const stream = new RandomStream(seed, 'test/walk-forward');
  const rows: Row[] = [];
  let close = 100;
  for (let day = Date.UTC(2015, 0, 1); rows.length < count; day += 86_400_000) {
    const weekday = new Date(day).getUTCDay();
    if (weekday === 0 || weekday === 6) continue;
    close *= exp(0.01 * stream.normal());
    rows.push({
      date: new Date(day).toISOString().slice(0, 10),
      close,
      volume: 1000 + Math.floor(500 * stream.uniform()),
    });
  }
  return rows;
}

/** Every bar for which `isChanged` is true becomes another: another price, another volume. */
export function changed(rows: readonly Row[], isChanged: (timeMs: number) => boolean): Row[] {
  return rows.map((row, k) =>
    isChanged(Date.parse(row.date))
      ? { ...row, close: row.close * (k % 2 === 0 ? 3 : 0.4), volume: row.volume * 7 }
      : row,
  );
}

/** WALK.csv and its manifest WALK.yaml. */
export function writeRows(folder: string, rows: readonly Row[]): void {
  const lines = rows.map(({ date, close, volume }) => {
    const price = (factor: number): string => (close * factor).toFixed(4);
    return [date, price(1), price(1.01), price(0.99), price(1), volume].join(',');
  });
  const text = `time,open,high,low,close,volume\n${lines.join('\n')}\n`;
  writeFileSync(path.join(folder, 'WALK.csv'), text);
  const sha256 = createHash('sha256').update(text).digest('hex');
  writeFileSync(
    path.join(folder, 'WALK.yaml'),
    `name: walk
title: A random walk
source: made by a test
licence: none
notes: none
file: WALK.csv
sha256: ${sha256}
interval: 1d
calendar: 24x7
instrument: { symbol: WALK, type: STK, currency: USD, exchange: TEST }
adjustments: { prices: none, note: none }
segments: none
`,
  );
}

/** A small, quick experiment over `folder`/WALK.yaml. */
export function walkExperiment(folder: string, walkForward: string, more = ''): ExperimentConfig {
  return parseExperiment(
    `
name: walk
env: { id: market, episode: { length: 40 } }
data: { datasets: [${JSON.stringify(path.join(folder, 'WALK.yaml'))}] }
observation: { warmup: 60 }
agent: { n_steps: 32, batch_size: 64, n_epochs: 2, net_arch: { pi: [8], vf: [8] }, normalize: {} }
training: { total_timesteps: 512, n_envs: 4, evaluate_every: 256, checkpoint_every: 512 }
walk_forward: ${walkForward}
${more}`,
    'walk.yaml',
  ).config;
}
