/**
 * A CSV file of minute bars round the clock with its manifest, what a user would import; prints the manifest's path.
 * A process of its own: a child's peak memory begins at that of the process that started it, which must stay small.
 *   node dist/bench/scale/data.js FOLDER COUNT
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { Bars } from '#env/market/bars.js';
import { usShare } from '#env/market/instrument.js';
import { syntheticBars } from '#src/data/synthetic.js';

const MINUTE_MS = 60_000;
const SESSION_BARS = 1440;
const CHUNK_CHARACTERS = 1 << 20;
const INSTRUMENT = usShare('SCALE');

function writeDataset(folder: string, count: number): string {
  const name = `bars-${count}`;
  const bars = syntheticBars({
    name,
    seed: 1,
    from: '2000-01-03',
    sessions: Math.ceil(count / SESSION_BARS),
    start_price: 100,
    regimes: [{ annual_volatility: 0.2, mean_sessions: 20 }],
    overnight_share: 0,
    session_volume: 1_000_000,
    annual_drift: 0,
    instrument: INSTRUMENT,
    interval: { label: '1m', ms: MINUTE_MS },
    calendar: '24x7',
  });
  const sha256 = writeCsv(path.join(folder, `${name}.csv`), bars, count);
  const manifest = path.join(folder, `${name}.yaml`);
  writeFileSync(
    manifest,
    [
      `name: ${name}`,
      'title: SYNTHETIC minute bars of the scale bench',
      'source: bench/scale/data.ts',
      'licence: MIT',
      `file: ${name}.csv`,
      `sha256: ${sha256}`,
      'interval: 1m',
      'calendar: 24x7',
      'instrument: { symbol: SCALE, type: STK }',
      'adjustments: { prices: none }',
      '',
    ].join('\n'),
  );
  return manifest;
}

/** Writes the first `count` bars and returns the file's sha256. */
function writeCsv(file: string, bars: Bars, count: number): string {
  const hash = createHash('sha256');
  const descriptor = openSync(file, 'w');
  let text = 'timestamp,open,high,low,close,volume\n';
  const flush = (): void => {
    hash.update(text);
    writeSync(descriptor, text);
    text = '';
  };
  for (let t = 0; t < count; t++) {
    const stamp = new Date(bars.openTimeMs[t]).toISOString().replace('.000', '');
    text += `${stamp},${bars.open[t]},${bars.high[t]},${bars.low[t]},${bars.close[t]},${bars.volume[t]}\n`;
    if (text.length > CHUNK_CHARACTERS) flush();
  }
  flush();
  closeSync(descriptor);
  return hash.digest('hex');
}

const [into, wanted] = process.argv.slice(2);
process.stdout.write(writeDataset(into, Number(wanted)));
