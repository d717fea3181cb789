import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeBars, type Bars } from '#env/market/bars.js';
import { checkDataset, findIn } from './check.js';
import { describeDataset } from './describe.js';
import { importCsv } from './import.js';
import { listDatasets } from './list.js';
import { loadDataset, loadDatasetInFull } from './load.js';
import { parseManifest } from './manifest.js';
import { manifestFiles } from './places.js';

const SHARED = fileURLToPath(new URL('../../../shared/datasets/', import.meta.url));
const shared = existsSync(`${SHARED}spy-1m.csv`);
if (!shared) process.stderr.write(`${SHARED} is absent: tests on it are skipped\n`);

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'openbell-load-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function place(name: string, text: string): Promise<string> {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const DAILY = [
  'time,open,high,low,close,volume',
  ...['2024-01-02', '2024-01-03', '2024-01-04', '2024-02-01', '2024-02-02'].map((day) => `${day},10,11,9,10.5,100`),
].join('\n');
const manifestText = (more: string, text = DAILY): string =>
  `name: test\nsource: made up\nlicence: MIT\nfile: bars.csv\nsha256: ${sha256(text)}\ninterval: 1d\ncalendar: XNYS\ninstrument: { symbol: T }\n${more}`;
const NONE = 'adjustments: { prices: none }\n';

describe('the embedded Apple set', () => {
  it('carries tradable prices: the close of 2013-05-13 was 454.74 dollars, before the 7:1 split', async () => {
    const bars = await loadDataset('aapl-daily');
    expect(bars).toMatchObject({ length: 1260, calendar: 'XNYS', source: 'aapl-daily', synthetic: false });
    const { factor, close, openTimeMs } = bars;
    if (factor === null) throw new Error('the set has a factor');
    const tradable = (day: string): number => {
      const t = openTimeMs.indexOf(Date.parse(day));
      return close[t] / factor[t];
    };
    expect(tradable('2013-05-13')).toBeCloseTo(454.74, 3);
    expect(tradable('2014-06-06')).toBeCloseTo(645.57, 3);
    expect(tradable('2014-06-09')).toBeCloseTo(93.7, 3);
    // adjusted closes are Yahoo's
    expect(close[0]).toBeCloseTo(50.961628, 9);
    expect(close[1259]).toBe(188.589996);
    // the split is no return
    const t = openTimeMs.indexOf(Date.parse('2014-06-09'));
    expect(close[t] / close[t - 1]).toBeCloseTo(1.016, 3);
  });
});

describe('manifests', () => {
  it('resolve their file beside them, and cut segments at gaps', async () => {
    await place('a/bars.csv', DAILY);
    const byDefault = await loadDataset(await place('a/default.yaml', manifestText(NONE)));
    expect(byDefault.segments).toEqual([
      { start: 0, end: 3 },
      { start: 3, end: 5 },
    ]);
    expect(byDefault.sha256).toBe(sha256(DAILY));
    const segmentsOf = async (rule: string): Promise<number[]> =>
      (await loadDataset(await place('a/rule.yaml', `${manifestText(NONE)}segments: ${rule}\n`))).segments.map(
        ({ end }) => end,
      );
    expect(await segmentsOf('none')).toEqual([5]);
    expect(await segmentsOf('month-gap')).toEqual([3, 5]);
    expect(await segmentsOf('{ max_gap_sessions: 17 }')).toEqual([3, 5]);
    expect(await segmentsOf('{ max_gap_sessions: 18 }')).toEqual([5]);
    expect(await segmentsOf('[{ from: 2024-01-01, to: 2024-01-04 }, { from: 2024-01-04, to: 2024-03-01 }]')).toEqual([
      2, 5,
    ]);
    await expect(segmentsOf('[{ from: 2024-01-01, to: 2024-02-02 }]')).rejects.toThrow(
      /DATA_WINDOW .*lies after the last segment/,
    );
    await expect(segmentsOf('[{ from: 2024-01-03, to: 2024-03-02 }]')).rejects.toThrow(
      /DATA_WINDOW .*lies before the segment/,
    );
    await expect(
      segmentsOf('[{ from: 2024-01-01, to: 2024-03-01 }, { from: 2025-01-01, to: 2026-01-01 }]'),
    ).rejects.toThrow(/DATA_WINDOW .*no bar lies in this segment/);
  });

  it('compute the factor from splits', async () => {
    await place('b/bars.csv', DAILY);
    const bars = await loadDataset(
      await place(
        'b/m.yaml',
        manifestText(
          'adjustments: { prices: none, splits: [{ date: 2024-01-04, ratio: 2 }, { date: 2024-02-02, ratio: 5 }] }\n',
        ),
      ),
    );
    expect([...(bars.factor ?? [])]).toEqual([0.1, 0.1, 0.2, 0.2, 1]);
    for (let t = 0; t < 5; t++) expect(bars.close[t]).toBeCloseTo(10.5, 12);
  });

  it('refuse another file than theirs, and name one that is not there', async () => {
    await place('c/bars.csv', `${DAILY}\n2024-02-05,10,11,9,10.5,100`);
    await expect(loadDataset(await place('c/m.yaml', manifestText(NONE)))).rejects.toThrow(
      /DATA_HASH .*bars.csv ".{64}": .*m.yaml says sha256/,
    );
    await expect(loadDataset(await place('d/m.yaml', manifestText(NONE)))).rejects.toThrow(
      /DATA_FILE .*bars.csv: there is no such file; .*m.yaml names it/,
    );
    await expect(loadDataset(path.join(folder, 'nowhere.yaml'))).rejects.toThrow(
      /DATA_MANIFEST .*nowhere.yaml: the manifest cannot be read/,
    );
    await expect(loadDataset('aapl-dialy')).rejects.toThrow(
      /DATA_MANIFEST data set "aapl-dialy": .*did you mean "aapl-daily"\?/,
    );
    await expect(loadDatasetInFull('aapl-daily', { interval: '1d' })).rejects.toThrow(
      /USAGE aapl-daily: .* says how this data set is read/,
    );
  });

  it.each<[string, string, RegExp]>([
    [
      'an unknown key',
      `${manifestText(NONE)}calender: XNYS\n`,
      /DATA_MANIFEST m.yaml:10 manifest \["calender"\]: .*did you mean "calendar"\?/,
    ],
    ['an unknown calendar', manifestText(NONE).replace('XNYS', 'LSE'), /DATA_MANIFEST m.yaml:7 calendar "LSE"/],
    [
      'a wrong type',
      manifestText(NONE).replace('symbol: T', 'symbol: 7'),
      /DATA_MANIFEST m.yaml:8 instrument.symbol 7/,
    ],
    [
      'no hash',
      manifestText(NONE).replace(/sha256.*\n/, ''),
      /DATA_MANIFEST m.yaml sha256: a file or package needs its sha256/,
    ],
    [
      'two sources',
      `${manifestText(NONE)}package: x/y.csv\n`,
      /DATA_MANIFEST m.yaml: give exactly one of file, package and synthetic/,
    ],
    ['broken YAML', 'name: [', /DATA_MANIFEST m.yaml:\d+: this is not YAML/],
    ['nothing', '', /DATA_MANIFEST m.yaml:1 manifest/],
  ])('refuse %s', (_, text, message) => expect(() => parseManifest(text, 'm.yaml')).toThrow(message));

  it('refuse dates that do not exist: a split on one would be passed over', () => {
    const split = 'adjustments: { prices: none, splits: [{ date: 2024-02-30, ratio: 2 }] }\n';
    expect(() => parseManifest(manifestText(split), 'x.yaml')).toThrow(
      /^DATA_MANIFEST x\.yaml:9 adjustments\.splits\.0\.date "2024-02-30": write a date that exists/,
    );
  });

  it('refuse aliases of nothing, and aliases that multiply', () => {
    expect(() => parseManifest(manifestText('adjustments: *none\n'), 'x.yaml')).toThrow(
      /^DATA_MANIFEST x\.yaml:9: this is not YAML: \*none names no anchor/,
    );
    const row = (name: string, of: string): string => `${name}: &${name} [${Array(9).fill(of).join(', ')}]\n`;
    const bomb = ['1', '*a', '*b', '*c', '*d', '*e'].map((of, i) => row('abcdef'[i], of)).join('');
    expect(() => parseManifest(bomb, 'x.yaml')).toThrow(/^DATA_MANIFEST x\.yaml: .*aliases cannot be resolved/);
  });

  it('name the line of an unknown key, and the file of tick bands that make no sense', () => {
    expect(() => parseManifest(manifestText(`${NONE}intervall: 5m\n`), 'x.yaml')).toThrow(
      /^DATA_MANIFEST x\.yaml:10 manifest \["intervall"\]: .*did you mean "interval"/,
    );
    const ticks = manifestText(NONE).replace('symbol: T', 'symbol: T, ticks: [{ low_edge: 1, increment: 1 }]');
    expect(() => parseManifest(ticks, 'x.yaml')).toThrow(/^DATA_MANIFEST x\.yaml instrument .*must begin at price 0/);
  });

  it('refuse segments that overlap', async () => {
    await place('over/bars.csv', DAILY);
    const list = 'segments: [{ from: 2024-01-01, to: 2024-01-05 }, { from: 2024-01-04, to: 2024-03-01 }]\n';
    const file = await place('over/over.yaml', manifestText(`${NONE}${list}`));
    await expect(loadDataset(file)).rejects.toThrow(
      /^DATA_WINDOW .*segments\[1\] .*begin where the one before it ends/,
    );
  });

  it('are found once, also where a link leads back to their folder', async () => {
    const file = await place('linked/datasets/zz/one.yaml', manifestText(NONE));
    await symlink(path.join(folder, 'linked/datasets'), path.join(folder, 'linked/datasets/again'));
    const found = await manifestFiles(path.join(folder, 'linked'));
    expect(found.filter((entry) => entry.startsWith(folder))).toEqual([file]);
  });

  it('are listed, broken ones with their problem', async () => {
    const entries = await listDatasets();
    expect(entries.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['aapl-daily', 'synthetic-intraday', 'spy-1m']),
    );
    expect(entries.filter(({ problem }) => problem !== null)).toEqual([]);
    expect(entries.find(({ name }) => name === 'spy-1m')?.available).toBe(shared);
  });
});

describe('import', () => {
  it('never replaces its own source, not even through a link and by force', async () => {
    const source = await place('own/bars.csv', DAILY);
    await symlink(path.join(folder, 'own'), path.join(folder, 'link'));
    const options = { file: source, name: 'bars', out: path.join(folder, 'link'), force: true };
    await expect(importCsv(options)).rejects.toThrow(/^USAGE .*would replace its own source/);
    expect(await readFile(source, 'utf8')).toBe(DAILY);
  });

  it('says where it cannot write', async () => {
    const source = await place('bars.csv', DAILY);
    await expect(importCsv({ file: source, name: 'x', out: source })).rejects.toThrow(
      /^DATA_FILE .*bars\.csv: cannot be written to \(E\w+\)/,
    );
  });

  it('writes a data set that loads to the same bits', async () => {
    const original = fileURLToPath(import.meta.resolve('@observablehq/sample-datasets/aapl.csv'));
    const out = path.join(folder, 'imported');
    const { bars, csvFile, manifestFile } = await importCsv({ file: original, name: 'apple', out, symbol: 'AAPL' });
    const direct = await loadDataset(original);
    for (const column of ['openTimeMs', 'open', 'high', 'low', 'close', 'volume', 'factor'] as const)
      expect(bars[column]).toEqual(direct[column]);
    expect(bars.sha256).toBe(sha256(await readFile(csvFile, 'utf8')));
    expect(await readFile(manifestFile, 'utf8')).toMatch(
      /imported_from:\n {2}file: aapl.csv\n {2}sha256: 18dc8bf6542da266/,
    );
    await expect(importCsv({ file: original, name: 'apple', out })).rejects.toThrow(
      /USAGE .*apple.csv: this file is there already/,
    );
    await expect(importCsv({ file: original, name: 'Apple Inc', out })).rejects.toThrow(
      /DATA_MANIFEST .*name "Apple Inc"/,
    );
    expect(existsSync(path.join(out, 'Apple Inc.csv'))).toBe(false);
  });

  it.skipIf(!shared)('keeps every bit of intraday bars, and says their calendar', async () => {
    const { bars, inferred } = await importCsv({
      file: `${SHARED}eurusd-1h.csv`,
      name: 'eurusd',
      out: path.join(folder, 'imported'),
    });
    const direct = await loadDataset(`${SHARED}eurusd-1h.csv`);
    for (const column of ['openTimeMs', 'open', 'high', 'low', 'close', 'volume'] as const)
      expect(bars[column]).toEqual(direct[column]);
    expect(bars).toMatchObject({
      calendar: 'FX',
      instrument: { symbol: 'EURUSD', securityType: 'CASH', currency: 'USD' },
    });
    expect(inferred.join(' ')).toMatch(/calendar FX/);
  });
});

describe.skipIf(!shared)('the shared sets', () => {
  it.each([
    ['spy-1m', 16_770, 2, 'XNYS'],
    ['aapl-1m', 8190, 1, 'XNYS'],
    ['msft-1m', 8190, 1, 'XNYS'],
    ['eurusd-1h', 6225, 1, 'FX'],
    ['aapl-1d-2000', 3270, 1, 'XNYS'],
  ])('%s has %i bars', async (name, length, segments, calendar) => {
    const bars = await loadDataset(name);
    expect(bars).toMatchObject({ length, calendar, source: name, factor: null });
    expect(bars.segments).toHaveLength(segments);
    expect(await checkDataset(name)).toMatchObject({
      usable: true,
      findings: { off_calendar: { count: 0 }, overlapping: { count: 0 } },
    });
  });

  it('spy-1m lacks the 19 sessions of February 2011 and nothing else', async () => {
    const report = await checkDataset('spy-1m');
    expect(report.findings?.coverage).toMatchObject({ sessions: 62, complete: 43, empty: 19 });
    expect(report.findings?.gaps.listed).toEqual([
      {
        after: '2011-01-31T20:59:00Z',
        before: '2011-03-01T14:30:00Z',
        missing_bars: 19 * 390,
        missing_sessions: 19,
        between_segments: true,
      },
    ]);
  });

  it('a bare CSV file is read the same way as its manifest says', async () => {
    const [bare, named] = [await loadDataset(`${SHARED}spy-1m.csv`), await loadDataset('spy-1m')];
    expect(bare.segments).toEqual(named.segments);
    expect(bare.calendar).toBe(named.calendar);
    expect(bare.close).toEqual(named.close);
  });

  it('describe counts what is there', async () => {
    expect(await describeDataset('spy-1m')).toMatchObject({
      bars: 16_770,
      sessions: 43,
      returns: { count: 16_768 },
      zero_volume: 0,
      calendar: 'XNYS',
    });
  });
});

describe('check', () => {
  /** Thirty sessions of five-minute bars, changed, and without the bars of `drop`. */
  async function fiveMinutes(
    change: (columns: Record<'open' | 'high' | 'low' | 'close' | 'volume', Float64Array>) => void,
    drop: readonly number[] = [],
  ): Promise<ReturnType<typeof findIn>> {
    const base: Bars = await loadDataset(
      await place(
        'five.yaml',
        'name: five\nsource: x\nlicence: MIT\nsynthetic: { seed: 5, from: 2024-01-02, sessions: 30, overnight_share: 0 }\ninterval: 5m\ncalendar: XNYS\ninstrument: { symbol: F }\nadjustments: { prices: none }\n',
      ),
    );
    change(base);
    const keep = Array.from({ length: base.length }, (_, t) => t).filter((t) => !drop.includes(t));
    const pick = (column: Float64Array): Float64Array => Float64Array.from(keep, (t) => column[t]);
    return findIn(
      makeBars({
        ...base,
        openTimeMs: pick(base.openTimeMs),
        open: pick(base.open),
        high: pick(base.high),
        low: pick(base.low),
        close: pick(base.close),
        volume: pick(base.volume),
        segments: undefined,
      }),
      5,
      12,
    );
  }
  const scale = (columns: Record<string, Float64Array>, from: number, by: number): void => {
    for (const name of ['open', 'high', 'low', 'close'])
      for (let t = from; t < columns[name].length; t++) columns[name][t] *= by;
  };

  it('finds nothing in clean bars', async () => {
    expect(await fiveMinutes(() => {})).toMatchObject({
      bars: 30 * 78,
      gaps: { count: 0 },
      coverage: { sessions: 30, complete: 30, share: 1 },
      zero_volume: { count: 0 },
      stale_runs: { count: 0 },
      outliers: { count: 0 },
      split_like: { count: 0 },
    });
  });

  it('counts what is missing by the calendar: bars, ends of sessions, whole sessions', async () => {
    const drop = [
      10,
      11,
      12,
      ...Array.from({ length: 4 }, (_, i) => 78 + 74 + i),
      ...Array.from({ length: 78 }, (_, i) => 78 * 5 + i),
    ];
    const { gaps, coverage } = await fiveMinutes(() => {}, drop);
    expect(gaps.listed.map((gap) => [gap.missing_bars, gap.missing_sessions])).toEqual([
      [78, 1],
      [4, 0],
      [3, 0],
    ]);
    expect(coverage).toMatchObject({ sessions: 30, complete: 27, empty: 1, partial: { count: 2 } });
    expect(coverage.share).toBeCloseTo(1 - drop.length / (30 * 78), 12);
  });

  it.each([
    [0.5, '2:1'],
    [1 / 7, '7:1'],
    [2 / 3, '3:2'],
    [10, '1:10'],
    [1 / 3, '3:1'],
  ])('sees a split that multiplies prices by %f as %s', async (by, near) => {
    const { split_like, outliers } = await fiveMinutes((columns) => scale(columns, 78 * 9, by));
    expect(split_like).toMatchObject({ count: 1, listed: [{ bar: 78 * 9, near }] });
    expect(outliers.listed[0]).toMatchObject({ bar: 78 * 9, kind: 'overnight' });
  });

  it('finds a bad tick, zero volume and a feed that stopped', async () => {
    const found = await fiveMinutes((columns) => {
      columns.close[500] *= 1.05;
      columns.high[500] = Math.max(columns.high[500], columns.close[500]);
      columns.volume.fill(0, 700, 712);
      for (const name of ['open', 'high', 'low', 'close'] as const) columns[name].fill(columns.close[900], 901, 921);
    });
    expect(found.outliers.listed.map(({ bar }) => bar).sort()).toEqual([500, 501]);
    expect(found.zero_volume).toEqual({ count: 12, longest_run: 12 });
    expect(found.stale_runs).toMatchObject({ count: 1, listed: [{ bar: 901, bars: 20 }] });
  });

  it('finds bars off the calendar', async () => {
    const file = await place('holiday.csv', DAILY.replace('2024-01-04', '2024-01-06'));
    const report = await checkDataset(file, { calendar: 'XNYS' });
    expect(report.findings?.off_calendar).toEqual({ count: 1, listed: ['2024-01-06'] });
    expect(report.findings?.gaps.listed.map(({ missing_sessions }) => missing_sessions)).toEqual([17, 2]);
  });
});
