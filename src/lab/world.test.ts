import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadTogether } from './world.js';

const DAYS = ['2024-01-02', '2024-01-03', '2024-01-04', '2024-01-05'];
const csv = (days: readonly string[]): string =>
  ['time,open,high,low,close,volume', ...days.map((day) => `${day},10,11,9,10.5,100`)].join('\n');

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'openbell-world-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function place(name: string, days: readonly string[]): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, csv(days));
  return file;
}

it('refuses two data sets of one symbol in overlapping time: its returns would count twice', async () => {
  const first = await place('abc-1.csv', DAYS);
  const same = await place('abc-2.csv', DAYS.slice(3).concat('2024-01-08'));
  await expect(loadTogether([first, first], 'data.datasets')).rejects.toThrow(
    /^DATA_WINDOW data\.datasets .*both hold bars of ABC in overlapping time/,
  );
  await expect(loadTogether([first, same], '--data')).rejects.toThrow(/^DATA_WINDOW --data /);
});

it('takes one symbol in separate times, and two symbols in the same time', async () => {
  const early = await place('abc-early.csv', DAYS.slice(0, 2));
  const late = await place('abc-late.csv', DAYS.slice(2));
  const other = await place('xyz.csv', DAYS);
  const bars = await loadTogether([early, late, other], 'data.datasets');
  expect(bars.map(({ instrument }) => instrument.symbol)).toEqual(['ABC', 'ABC', 'XYZ']);
});
