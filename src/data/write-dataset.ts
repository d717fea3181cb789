/** The two files of a data set, each whole or not at all. */
import { createHash } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import type { Bars } from '#env/market/bars.js';
import { timeText } from './interval.js';

export type BarColumns = Pick<
  Bars,
  'length' | 'interval' | 'openTimeMs' | 'open' | 'high' | 'low' | 'close' | 'volume' | 'factor'
>;

/** Writes opens in UTC, prices as they stood, and the factor; returns the sha256. Numbers keep every bit. */
export async function writeNormalised(file: string, columns: BarColumns): Promise<string> {
  const { openTimeMs, open: opens, high, low, close, volume, factor, interval } = columns;
  const hash = createHash('sha256');
  const temporary = `${file}.part`;
  const handle = await open(temporary, 'w');
  let chunk = `time,open,high,low,close,volume${factor === null ? '' : ',factor'}\n`;
  for (let t = 0; t < columns.length; t++) {
    const time = timeText(interval, openTimeMs[t]);
    chunk += `${time},${opens[t]},${high[t]},${low[t]},${close[t]},${volume[t]}${factor === null ? '' : `,${factor[t]}`}\n`;
    if (chunk.length > 1 << 20 || t === columns.length - 1) {
      hash.update(chunk);
      await handle.write(chunk);
      chunk = '';
    }
  }
  await handle.close();
  await rename(temporary, file);
  return hash.digest('hex');
}

export async function writeWhole(file: string, text: string): Promise<void> {
  const handle = await open(`${file}.part`, 'w');
  await handle.writeFile(text);
  await handle.close();
  await rename(`${file}.part`, file);
}
