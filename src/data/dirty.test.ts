/**
 * Every dirty file that we know of is read correctly or refused with file, line, value and remedy. The table in
 * docs/data.md is this table with the answers really given: `UPDATE_DOCS=1 npx vitest run src/data/dirty.test.ts`
 * writes it anew, and without that the test fails where the page has fallen behind.
 */
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OpenBellError } from '#src/errors.js';
import { checkDataset } from './check.js';
import { loadDatasetInFull, type CsvHints } from './load.js';

const HEADER = 'timestamp,open,high,low,close,volume';
const ROWS = [
  '2024-01-02T14:30:00Z,10,11,9,10.5,100',
  '2024-01-02T14:31:00Z,10.5,11.5,9.5,11,200',
  '2024-01-02T14:32:00Z,11,12,10,11.5,300',
  '2024-01-02T14:33:00Z,11.5,12.5,10.5,12,400',
];
const GOOD = [HEADER, ...ROWS].join('\n');
const [R1, R2, R3, R4] = ROWS;
/** The good file with line `line` (from 1) replaced; several lines take its place where there are several. */
const withLine = (line: number, ...replacement: string[]): string =>
  [HEADER, ...ROWS].toSpliced(line - 1, 1, ...replacement).join('\n');
const local = (date: string, ...times: string[]): string =>
  [HEADER, ...times.map((time) => `${date} ${time},10,11,9,10.5,100`)].join('\n');
const utf16be = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le').swap16();

interface Case {
  readonly what: string;
  /** null: the path is a directory; undefined: there is nothing. */
  readonly content: string | Uint8Array | null | undefined;
  readonly hints?: CsvHints;
  /** Shown in the table where hints are given. */
  readonly told?: string;
  /** Opens and closes that must come out; or what the refusal must say. */
  readonly answer: { readonly closes: number[]; readonly opens?: string[]; readonly volumes?: number[] } | RegExp;
}

const READ = {
  closes: [10.5, 11, 11.5, 12],
  opens: ['2024-01-02T14:30:00.000Z', '2024-01-02T14:31:00.000Z'],
  volumes: [100, 200, 300, 400],
};
const NEW_YORK = { format: { time_zone: 'America/New_York' } };

const CASES: readonly Case[] = [
  { what: 'clean file', content: GOOD, answer: READ },
  { what: 'UTF-8 byte order mark', content: `\ufeff${GOOD}`, answer: READ },
  { what: 'CRLF line ends', content: GOOD.replaceAll('\n', '\r\n'), answer: READ },
  { what: 'CR line ends (old Macintosh)', content: GOOD.replaceAll('\n', '\r'), answer: READ },
  { what: 'blank lines at the end', content: `${GOOD}\n\n\r\n\n`, answer: READ },
  { what: 'gzip', content: gzipSync(GOOD), answer: READ },
  {
    what: 'gzip, cut off',
    content: gzipSync(GOOD).subarray(0, 60),
    answer: /DATA_FORMAT dirty.csv: the gzip archive is damaged/,
  },
  { what: 'UTF-16 little endian with mark', content: Buffer.from(`\ufeff${GOOD}`, 'utf16le'), answer: READ },
  { what: 'UTF-16 big endian with mark', content: utf16be(GOOD), answer: READ },
  { what: 'UTF-16 without mark', content: Buffer.from(GOOD, 'utf16le'), answer: /DATA_FORMAT dirty.csv "byte 1 is 0"/ },
  {
    what: 'zip or .xlsx',
    content: Buffer.from('PK\u0003\u0004....'),
    answer: /DATA_FORMAT dirty.csv: this is not text but a zip archive/,
  },
  {
    what: 'UTF-16, cut off within a character',
    content: utf16be(GOOD).subarray(0, -1),
    answer: /DATA_FORMAT dirty.csv "\d+ bytes": UTF-16 has two bytes a character: the file was cut off within one/,
  },
  {
    what: 'UTF-32',
    content: Buffer.from([0xff, 0xfe, 0, 0, 0x74, 0, 0, 0]),
    answer: /DATA_FORMAT dirty.csv: this is not text but UTF-32/,
  },
  {
    what: 'gzip of gzip',
    content: gzipSync(gzipSync(GOOD)),
    answer: /DATA_FORMAT dirty.csv: this is not text but compressed with gzip twice/,
  },
  {
    what: 'a web page',
    content: '<!DOCTYPE html>\n<html></html>',
    answer: /DATA_FORMAT dirty.csv:1 "<": this looks like a web page/,
  },
  { what: 'no such file', content: undefined, answer: /DATA_FILE dirty.csv: there is no such file/ },
  { what: 'a directory', content: null, answer: /DATA_FILE dirty.csv: this is a directory/ },
  { what: 'empty (0 bytes)', content: '', answer: /DATA_EMPTY dirty.csv: the file is empty/ },
  {
    what: 'nothing but blank lines',
    content: '\n\n',
    answer: /DATA_EMPTY dirty.csv: the file holds nothing but blank lines/,
  },
  { what: 'header only', content: `${HEADER}\n`, answer: /DATA_EMPTY dirty.csv: the file has a header and no rows/ },
  { what: 'one row', content: `${HEADER}\n${R1}`, answer: /DATA_TIME dirty.csv: one bar does not tell its interval/ },
  {
    what: 'one row, interval said',
    content: `${HEADER}\n${R1}`,
    hints: { interval: '1m' },
    told: '--interval 1m',
    answer: { closes: [10.5] },
  },
  { what: 'no header', content: ROWS.join('\n'), answer: /DATA_COLUMN dirty.csv:1 .*the first line looks like data/ },
  {
    what: 'no header, positions said',
    content: ROWS.join('\n'),
    hints: { format: { columns: { time: 1, open: 2, high: 3, low: 4, close: 5, volume: 6 } } },
    told: '--columns time=1,open=2,...',
    answer: READ,
  },
  {
    what: 'a missing column',
    content: GOOD.replace(',close', ',price'),
    answer: /DATA_COLUMN dirty.csv:1 .*no column for close: say which \(--columns close=NAME\)/,
  },
  {
    what: 'a missing column, named',
    content: GOOD.replace(',close', ',price'),
    hints: { format: { columns: { close: 'price' } } },
    told: '--columns close=price',
    answer: READ,
  },
  {
    what: 'no volume',
    content: GOOD.replace(/,[^,]*$/gm, ''),
    answer: /DATA_COLUMN dirty.csv:1 .*no column for volume.*volume=none/,
  },
  {
    what: 'no volume, said so',
    content: GOOD.replace(/,[^,]*$/gm, ''),
    hints: { format: { columns: { volume: 'none' } } },
    told: '--columns volume=none',
    answer: { closes: READ.closes, volumes: [0, 0, 0, 0] },
  },
  {
    what: 'a column twice',
    content: GOOD.replace('high', 'close'),
    answer: /DATA_COLUMN dirty.csv:1 \["close","close"\]|DATA_COLUMN dirty.csv:1 .*no column for high/,
  },
  { what: 'semicolons', content: GOOD.replaceAll(',', ';'), answer: READ },
  { what: 'tabs', content: GOOD.replaceAll(',', '\t'), answer: READ },
  {
    what: 'semicolons and decimal commas',
    content: GOOD.replaceAll(',', ';').replaceAll('.', ','),
    answer: /DATA_VALUE dirty.csv:2 "10,5": close is not a number: .*--decimal ","/,
  },
  {
    what: 'semicolons and decimal commas, said',
    content: GOOD.replaceAll(',', ';').replaceAll('.', ','),
    hints: { format: { decimal: ',' } },
    told: '--decimal ,',
    answer: READ,
  },
  { what: 'quoted cells', content: GOOD.replace(/[^,\n]+/g, '"$&"'), answer: READ },
  { what: 'spaces around cells', content: GOOD.replaceAll(',', ' , '), answer: READ },
  {
    what: 'a quote never closed',
    content: withLine(3, R2.replace('10.5', '"10.5')),
    answer: /DATA_FORMAT dirty.csv:3: a quote is opened here and never closed/,
  },
  {
    what: 'thousands separators',
    content: withLine(4, R3.replace(',300', ',"1,300"')),
    answer:
      /DATA_VALUE dirty.csv:4 "1,300": volume is not a number: if "," groups thousands, say so \(--thousands ","\)/,
  },
  {
    what: 'thousands separators, said',
    content: withLine(4, R3.replace(',300', ',"1,300"')),
    hints: { format: { thousands: ',' } },
    told: '--thousands ,',
    answer: { closes: READ.closes, volumes: [100, 200, 1300, 400] },
  },
  {
    what: 'a short row',
    content: withLine(3, '2024-01-02T14:31:00Z,10.5,11'),
    answer: /DATA_FORMAT dirty.csv:3 ".*": the row has 3 cells where the first line has 6/,
  },
  {
    what: 'a long row',
    content: withLine(3, `${R2},7`),
    answer: /DATA_FORMAT dirty.csv:3 ".*": the row has 7 cells where the first line has 6/,
  },
  {
    what: 'cut off in the last row',
    content: GOOD.slice(0, -8),
    answer: /DATA_FORMAT dirty.csv:5 ".*": the row has [45] cells/,
  },
  {
    what: 'a blank line within the data',
    content: withLine(3, '', R2),
    answer: /DATA_FORMAT dirty.csv:3 "": a blank line stands between rows/,
  },
  {
    what: 'the header again within the data',
    content: withLine(3, HEADER, R2),
    answer: /DATA_TIME dirty.csv:3 "timestamp": this is no time that can be read/,
  },
  {
    what: 'an empty cell',
    content: withLine(3, R2.replace(',11,', ',,')),
    answer: /DATA_VALUE dirty.csv:3 "": close is empty: fill it in or delete the row/,
  },
  {
    what: 'NaN',
    content: withLine(3, R2.replace(',11,', ',NaN,')),
    answer: /DATA_VALUE dirty.csv:3 "NaN": close is not a number/,
  },
  {
    what: "null (Yahoo's days without trades)",
    content: withLine(3, R2.replace(',11,', ',null,')),
    answer: /DATA_VALUE dirty.csv:3 "null": close is not a number/,
  },
  {
    what: 'a currency sign',
    content: withLine(3, R2.replace(',11,', ',$11,')),
    answer: /DATA_VALUE dirty.csv:3 "\$11": close is not a number/,
  },
  {
    what: 'a negative price',
    content: withLine(3, R2.replace(',9.5,', ',-9.5,')),
    answer: /DATA_VALUE dirty.csv:3 -9.5: low must be positive/,
  },
  {
    what: 'a zero price',
    content: withLine(3, R2.replace(',9.5,', ',0,')),
    answer: /DATA_VALUE dirty.csv:3 0: low must be positive/,
  },
  {
    what: 'high < low',
    content: withLine(3, R2.replace(',11.5,', ',9.4,')),
    answer: /DATA_VALUE dirty.csv:3 9.4: high is below low, which is 9.5/,
  },
  {
    what: 'close above high',
    content: withLine(3, R2.replace(',11,', ',12,')),
    answer: /DATA_VALUE dirty.csv:3 11.5: high is below close, which is 12/,
  },
  {
    what: 'a negative volume',
    content: withLine(3, R2.replace(',200', ',-200')),
    answer: /DATA_VALUE dirty.csv:3 -200: volume must not be negative/,
  },
  {
    what: 'volume -1 (Interactive Brokers: none)',
    content: withLine(3, R2.replace(',200', ',-1')),
    answer: /DATA_VALUE dirty.csv:3 -1: .*--columns volume=none/,
  },
  {
    what: 'unsorted rows',
    content: withLine(3, R3, R2).replace(`${R3}\n${R4}`, R4),
    answer: /DATA_ORDER dirty.csv:4 "2024-01-02T14:31:00.000Z": earlier than line 3/,
  },
  {
    what: 'newest first',
    content: [HEADER, R4, R3, R2, R1].join('\n'),
    answer: /DATA_ORDER dirty.csv:3 ".*": the file runs from the newest bar to the oldest/,
  },
  {
    what: 'the same time twice',
    content: withLine(3, R2, R2),
    answer: /DATA_ORDER dirty.csv:4 "2024-01-02T14:31:00.000Z": the same time as line 3/,
  },
  {
    what: 'no time zone',
    content: local('2024-01-02', '09:30', '09:31', '09:32'),
    answer: /DATA_TIME dirty.csv:2 "2024-01-02 09:30:00": the stamps name no time zone/,
  },
  {
    what: 'no time zone, said',
    content: local('2024-01-02', '09:30', '09:31', '09:32'),
    hints: NEW_YORK,
    told: '--time-zone America/New_York',
    answer: { closes: [10.5, 10.5, 10.5], opens: READ.opens },
  },
  {
    what: 'some stamps with a zone, some without',
    content: withLine(4, R3.replace('Z', '')),
    hints: NEW_YORK,
    told: '--time-zone America/New_York',
    answer:
      /DATA_TIME dirty.csv:4 "2024-01-02T14:32:00": this stamp has a time of day without a zone, that of line 2 says its offset from UTC/,
  },
  {
    what: 'two named zones',
    content: `${HEADER}\n20240102 09:30:00 US/Eastern,10,11,9,10.5,100\n20240102 08:31:00 US/Central,10,11,9,10.5,100`,
    answer:
      /DATA_TIME dirty.csv:3 "20240102 08:31:00 US\/Central": this stamp names the zone US\/Central, that of line 2 names the zone US\/Eastern/,
  },
  {
    what: 'an offset on each stamp, changing',
    content: GOOD.replace('14:30:00Z', '09:30:00-05:00').replace('14:31:00Z', '16:31:00+02:00'),
    answer: READ,
  },
  {
    what: 'an abbreviated zone',
    content: local('2024-01-02', '09:30', '09:31'),
    hints: { format: { time_zone: 'EST' } },
    told: '--time-zone EST',
    answer: /DATA_TIME dirty.csv "EST": this names no zone without doubt/,
  },
  {
    what: 'a local time that does not exist',
    content: local('2024-03-10', '01:58', '01:59', '02:30', '03:00'),
    hints: NEW_YORK,
    told: '--time-zone America/New_York',
    answer: /DATA_TIME dirty.csv:4 "2024-03-10 02:30:00": this local time of America\/New_York does not exist/,
  },
  {
    what: 'a local time that happens twice',
    content: local('2024-11-03', '00:59', '01:00', '01:01'),
    hints: NEW_YORK,
    told: '--time-zone America/New_York',
    answer: /DATA_TIME dirty.csv:3 "2024-11-03 01:00:00": this local time of America\/New_York happens twice/,
  },
  {
    what: '02/01/2024',
    content: `${HEADER}\n02/01/2024,10,11,9,10.5,100\n03/01/2024,10,11,9,10.5,100`,
    answer: /DATA_TIME dirty.csv:2 "02\/01\/2024": day and month cannot be told apart: say the order/,
  },
  {
    what: '02/01/2024, order said',
    content: `${HEADER}\n02/01/2024,10,11,9,10.5,100\n03/01/2024,10,11,9,10.5,100`,
    hints: { format: { date_order: 'dmy' } },
    told: '--date-order dmy',
    answer: { closes: [10.5, 10.5], opens: ['2024-01-02T00:00:00.000Z', '2024-01-03T00:00:00.000Z'] },
  },
  {
    what: 'February 30th',
    content: withLine(3, R2.replace('01-02', '02-30')),
    answer: /DATA_TIME dirty.csv:3 "2024-02-30T14:31:00Z": there is no such date/,
  },
  {
    what: 'seconds and milliseconds mixed',
    content: `${HEADER}\n1704205800,10,11,9,10.5,100\n1704205860000,10,11,9,10.5,100`,
    answer: /DATA_TIME dirty.csv:3 "1704205860000": this stamp .*\(epoch_ms\), that of line 2 .*\(epoch_s\)/,
  },
  {
    what: 'stamps at the ends of bars',
    content: [
      HEADER,
      ...Array.from(
        { length: 390 },
        (_, m) => `${new Date(Date.UTC(2024, 0, 2, 14, 31 + m)).toISOString()},10,11,9,10.5,100`,
      ),
    ].join('\n'),
    answer: /DATA_TIME dirty.csv "2024-01-02T14:31:00.000Z": the stamps look like the ENDS of bars/,
  },
  {
    what: 'a time of twelve hours',
    content: `${HEADER}\n2024-01-02 09:30:00 AM,10,11,9,10.5,100\n2024-01-02 09:31:00 PM,10,11,9,10.5,100`,
    answer: /DATA_TIME dirty.csv:2 "2024-01-02 09:30:00 AM": this is a time of twelve hours/,
  },
  {
    what: '02/01/24',
    content: `${HEADER}\n02/01/24,10,11,9,10.5,100`,
    answer: /DATA_TIME dirty.csv:2 "02\/01\/24": the year has not four digits/,
  },
  {
    what: 'an epoch that a spreadsheet has rounded',
    content: `${HEADER}\n1.7042E+09,10,11,9,10.5,100`,
    answer: /DATA_TIME dirty.csv:2 "1.7042E\+09": this is no time that can be read/,
  },
  {
    what: 'milliseconds, said to be seconds',
    content: `${HEADER}\n1704205800000,10,11,9,10.5,100\n1704205860000,10,11,9,10.5,100`,
    hints: { format: { time: 'epoch_s' } },
    told: '--time epoch_s',
    answer: /DATA_TIME dirty.csv:2 "1704205800000": no plausible time in seconds/,
  },
  {
    what: 'stamps that name an abbreviated zone',
    content: `${HEADER}\n2024-01-02 09:30:00 EST,10,11,9,10.5,100`,
    answer: /DATA_TIME dirty.csv:2 "EST": this names no zone without doubt/,
  },
  {
    what: 'minutes, said to be five',
    content: GOOD,
    hints: { interval: '5m' },
    told: '--interval 5m',
    answer: /DATA_TIME dirty.csv "5m": 3 of 3 bars begin before the one before them would end/,
  },
  {
    what: 'hours, said to be minutes',
    content: local('2024-01-02', '10:00', '11:00', '12:00', '13:00'),
    hints: { ...NEW_YORK, interval: '1m' },
    told: '--time-zone America/New_York --interval 1m',
    answer: /DATA_TIME dirty.csv "1m": no two bars begin so close to each other, the closest 60 minutes apart/,
  },
  {
    what: 'months',
    content: [HEADER, ...['01', '02', '03', '04'].map((month) => `2024-${month}-01,10,11,9,10.5,100`)].join('\n'),
    answer: /DATA_TIME dirty.csv "31d": bars longer than a week are not supported/,
  },
  {
    what: 'years that the calendar does not know',
    content: `${HEADER}\n1990-01-02,10,11,9,10.5,100\n1990-01-03,10,11,9,10.5,100`,
    hints: { calendar: 'XNYS' },
    told: '--calendar XNYS',
    answer: /DATA_TIME dirty.csv "1990-01-02T00:00:00.000Z": XNYS: this calendar knows the years 2000 to 2030/,
  },
  {
    what: 'two instruments in one file',
    content: `symbol,${HEADER}\nA,${R1}\nA,${R2}\nB,${R3}\nB,${R4}`,
    answer: /DATA_VALUE dirty.csv:4 "B": this row is of another instrument than line 2, which is of A/,
  },
  {
    what: 'a dividend among the rows (Yahoo)',
    content: `${HEADER}\n2024-01-02,10,11,9,10.5,100\n2024-01-03,0.24 Dividend\n2024-01-03,10,11,9,10.5,100`,
    answer: /DATA_FORMAT dirty.csv:3 "2024-01-03,0.24 Dividend": the row has 2 cells where the first line has 6/,
  },
  {
    what: 'a remark above the header',
    content: `# exported by hand\n${GOOD}`,
    answer: /DATA_COLUMN dirty.csv:1 "# exported by hand": no column for time: no name of this line is known: delete/,
  },
  {
    what: 'a remark below the data',
    content: `${GOOD}\n# end of file`,
    answer: /DATA_FORMAT dirty.csv:6 "# end of file": the row has 1 cells where the first line has 6/,
  },
  {
    what: 'a line that tells a spreadsheet the delimiter',
    content: `sep=;\n${GOOD.replaceAll(',', ';')}`,
    answer: /DATA_COLUMN dirty.csv:1 "sep=;": no column for time/,
  },
  {
    what: 'closes left out on purpose',
    content: GOOD,
    hints: { format: { columns: { close: 'none' } } },
    told: '--columns close=none',
    answer: /DATA_COLUMN dirty.csv "close=none": only volume can be none/,
  },
  {
    what: 'an infinite price',
    content: withLine(3, R2.replace(',11.5,', ',1e999,')),
    answer: /DATA_VALUE dirty.csv:3 Infinity: high must be a finite number/,
  },
  {
    what: 'steps of no one interval',
    content: local('2024-01-02', '09:30', '09:31', '09:33', '09:36', '09:40'),
    hints: NEW_YORK,
    told: '--time-zone America/New_York',
    answer: /DATA_TIME dirty.csv "1.00 minutes in 1 of 4 steps"/,
  },
];

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'openbell-dirty-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** The answer as a user sees it, with the folder left out. */
async function answerTo({
  content,
  hints = {},
}: Case): Promise<{ text: string; closes?: number[]; opens?: string[]; volumes?: number[] }> {
  const place = await mkdtemp(path.join(folder, 'case-'));
  const file = path.join(place, 'dirty.csv');
  if (content === null) await mkdir(file);
  else if (content !== undefined) await writeFile(file, content);
  try {
    const { bars } = await loadDatasetInFull(file, hints);
    const opens = Array.from(bars.openTimeMs, (time) => new Date(time).toISOString());
    return {
      text: `read: ${bars.length} bar${bars.length === 1 ? '' : 's'} of ${bars.interval.label} from ${opens[0]}`,
      closes: [...bars.close],
      opens,
      volumes: [...bars.volume],
    };
  } catch (error) {
    if (!(error instanceof OpenBellError)) throw error;
    if (error.exitCode !== 2) throw error;
    return { text: error.message.replaceAll(`${place}${path.sep}`, '') };
  }
}

const isRefused = ({ answer }: Case): boolean => answer instanceof RegExp;

it.each(CASES.filter(isRefused))('refuses $what', async (dirty) => {
  expect((await answerTo(dirty)).text).toMatch(dirty.answer as RegExp);
});

it.each(CASES.filter((dirty) => !isRefused(dirty)))('reads $what', async (dirty) => {
  const { opens, ...read } = await answerTo(dirty);
  const wanted = { opens: [], ...dirty.answer };
  expect({ ...read, opens: opens?.slice(0, wanted.opens.length) }).toMatchObject(wanted);
});

it('says in docs/data.md what it answers', async () => {
  const page = new URL('../../docs/data.md', import.meta.url);
  const rows = ['| file | told | answer |', '|---|---|---|'];
  for (const dirty of CASES) {
    const { text } = await answerTo(dirty);
    rows.push(
      `| ${dirty.what} | ${dirty.told === undefined ? '' : `\`${dirty.told}\``} | ${text.replaceAll('|', '\\|').replaceAll('<', '&lt;')} |`,
    );
  }
  const before = await readFile(page, 'utf8');
  const after = before.replace(
    /(<!-- dirty:begin -->\n)[\s\S]*(<!-- dirty:end -->)/,
    (_, begin: string, end: string) => `${begin}${rows.join('\n')}\n${end}`,
  );
  if (process.env['UPDATE_DOCS'] === '1') await writeFile(page, after);
  expect(await readFile(page, 'utf8')).toBe(after);
});

it('check reports all violations with their lines where loading stops at the first', async () => {
  const file = path.join(folder, 'many.csv');
  const bad = [HEADER, R1, R2.replace(',11,', ',NaN,'), R3.replace(',12,', ',1,'), R3, R3, R2, R4.replace(',400', ',')];
  await writeFile(file, [...bad, R4].join('\n'));
  const report = await checkDataset(file, { limit: 3 });
  expect(report.usable).toBe(false);
  expect(report.violations.count).toBe(5);
  expect(report.violations.listed.map(({ line, code }) => [line, code])).toEqual([
    [3, 'DATA_VALUE'],
    [4, 'DATA_VALUE'],
    [8, 'DATA_VALUE'],
  ]);
  expect(report.findings?.bars).toBe(3);
  const all = await checkDataset(file, { limit: 100 });
  expect(all.violations.listed.map(({ line }) => line)).toEqual([3, 4, 6, 7, 8]);
});

it('check answers to files of which nothing can be used', async () => {
  const file = path.join(folder, 'hopeless.csv');
  await writeFile(file, `${HEADER}\n${R1.replace('10.5', 'x')}\n`);
  const report = await checkDataset(file);
  expect(report).toMatchObject({ usable: false, findings: null });
  expect(report.violations.listed[0]).toMatchObject({ line: 2, code: 'DATA_VALUE', value: 'x' });
  await writeFile(file, HEADER.replace('open', 'opening'));
  expect((await checkDataset(file)).violations.listed[0]).toMatchObject({ line: 1, code: 'DATA_COLUMN' });
});

it('check refuses limits that are none', async () => {
  const file = path.join(folder, 'limits.csv');
  await writeFile(file, GOOD);
  for (const limit of [NaN, -1, 1.5]) {
    await expect(checkDataset(file, { limit })).rejects.toThrow(/^USAGE --limit .*give a whole number/);
  }
  await expect(checkDataset(file, { outlierZ: NaN })).rejects.toThrow(/^USAGE --outlier-z/);
});
