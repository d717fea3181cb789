/** Which column of a file holds what: by the user's mapping, or by the names that exports use. */
import { fail } from '#src/errors.js';

export const COLUMN_ROLES = ['time', 'date', 'open', 'high', 'low', 'close', 'volume', 'adj_close', 'factor'] as const;
export type ColumnRole = (typeof COLUMN_ROLES)[number];

/** Role to column name, to its position (from 1, for files without a header), or 'none' (volume only: zeros). */
export type ColumnMapping = Partial<Record<ColumnRole, string | number>>;

/** Role to column index from 0; -1 where the file has none. */
export type ColumnIndices = Record<ColumnRole, number>;

/** Lower case. Interactive Brokers, Yahoo, NinjaTrader, MetaTrader, Binance, Dukascopy and our own names. */
const NAMES: Readonly<Record<ColumnRole, readonly string[]>> = {
  time: [
    'time',
    'timestamp',
    'datetime',
    'date time',
    'date_time',
    'open time',
    'open_time',
    'opentime',
    'unix',
    'gmt time',
    'ts',
    't',
  ],
  date: ['date', 'day'],
  open: ['open', 'o'],
  high: ['high', 'h'],
  low: ['low', 'l'],
  close: ['close', 'c', 'last'],
  volume: ['volume', 'vol', 'v'],
  adj_close: ['adj close', 'adj_close', 'adjclose', 'adjusted close', 'adjusted_close', 'adj. close'],
  factor: ['factor'],
};

const REQUIRED: readonly ColumnRole[] = ['open', 'high', 'low', 'close', 'volume'];

/** Whether a mapping speaks of positions, that is, of a file without a header. */
export function isHeaderless(mapping: ColumnMapping): boolean {
  return Object.values(mapping).some((column) => typeof column === 'number');
}

/** What exports call the column that says of which instrument a row is. */
const SYMBOL_NAMES = ['symbol', 'ticker', 'tic', 'instrument', 'ric', 'isin'];

/** Index of the column that names the instrument, or -1. */
export function symbolColumn(header: readonly string[]): number {
  return header.findIndex((name) => SYMBOL_NAMES.includes(plainName(name)));
}

const plainName = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replace(/^<(.*)>$/, '$1');

/** 'none' stands for zeros, which only a volume can be. */
function checkNone(file: string, mapping: ColumnMapping): void {
  for (const role of COLUMN_ROLES) {
    if (mapping[role] !== 'none' || role === 'volume') continue;
    fail('DATA_COLUMN', {
      where: file,
      value: `${role}=none`,
      message: 'only volume can be none: name the column, or leave it out of the mapping',
    });
  }
}

/** Throws DATA_COLUMN where a column is missing, twice there, or cannot be told from another. */
export function resolveColumns(
  file: string,
  header: readonly string[],
  mapping: ColumnMapping,
  delimiter: string,
): ColumnIndices {
  checkNone(file, mapping);
  const indices = noColumns();
  const names = header.map(plainName);
  for (const role of COLUMN_ROLES) {
    const wanted = mapping[role];
    if (wanted === 'none') continue;
    indices[role] =
      wanted === undefined ? findByName(file, header, names, role) : findWanted(file, header, names, role, wanted);
  }
  // a time that the user named stands alone, unless a date is named with it
  if (mapping.time !== undefined && mapping.date === undefined) indices.date = -1;
  if (mapping.date !== undefined && mapping.time === undefined) indices.time = -1;
  if (indices.time < 0 && indices.date < 0) missing(file, header, 'time', delimiter);
  for (const role of REQUIRED)
    if (indices[role] < 0 && mapping[role] !== 'none') missing(file, header, role, delimiter);
  return indices;
}

/** Every role without a column, until one is found for it. */
function noColumns(): ColumnIndices {
  return { time: -1, date: -1, open: -1, high: -1, low: -1, close: -1, volume: -1, adj_close: -1, factor: -1 };
}

/** By positions, for a file without a header: all roles that are wanted must be given. */
export function positionColumns(file: string, width: number, mapping: ColumnMapping): ColumnIndices {
  checkNone(file, mapping);
  const indices = noColumns();
  for (const role of COLUMN_ROLES) {
    const position = mapping[role];
    if (position === undefined || position === 'none') continue;
    if (typeof position !== 'number' || !Number.isInteger(position) || position < 1 || position > width) {
      fail('DATA_COLUMN', {
        where: `${file}:1`,
        value: position,
        message: `column ${role}: with positions, every column is a number from 1 to ${width}`,
      });
    }
    indices[role] = position - 1;
  }
  if (indices.time < 0 && indices.date < 0) missing(file, [], 'time', ',');
  for (const role of REQUIRED) if (indices[role] < 0 && mapping[role] !== 'none') missing(file, [], role, ',');
  return indices;
}

function findByName(file: string, header: readonly string[], names: readonly string[], role: ColumnRole): number {
  const found = names.flatMap((name, i) => (NAMES[role].includes(name) ? [i] : []));
  if (found.length > 1) {
    const which = found.map((i) => header[i]);
    fail('DATA_COLUMN', {
      where: `${file}:1`,
      value: which,
      message: `more than one column could be ${role}: say which (--columns ${role}=NAME)`,
    });
  }
  return found[0] ?? -1;
}

function findWanted(
  file: string,
  header: readonly string[],
  names: readonly string[],
  role: ColumnRole,
  wanted: string | number,
): number {
  const exact = header.flatMap((name, i) => (name === wanted ? [i] : []));
  const found =
    exact.length > 0 ? exact : names.flatMap((name, i) => (name === String(wanted).toLowerCase() ? [i] : []));
  if (found.length !== 1) {
    const problem = found.length === 0 ? 'there is no such column' : 'there is more than one such column';
    fail('DATA_COLUMN', {
      where: `${file}:1`,
      value: wanted,
      message: `${problem} for ${role}; the file has ${header.join(', ')}`,
    });
  }
  return found[0];
}

function missing(file: string, header: readonly string[], role: ColumnRole, delimiter: string): never {
  const looksLikeData = header.length > 0 && header.every((name) => name === '' || /^[-+\d.,:/TZ ]+$/.test(name));
  const known = header.some((name) => COLUMN_ROLES.some((any) => NAMES[any].includes(plainName(name))));
  const hint = looksLikeData
    ? 'the first line looks like data: for a file without a header give positions (--columns time=1,open=2,high=3,low=4,close=5,volume=6)'
    : !known && header.length > 0
      ? `no name of this line is known: delete what stands above the header, or say which column is which (--columns time=NAME,open=NAME,...)`
      : role === 'volume'
        ? 'say which (--columns volume=NAME), or --columns volume=none for zeros'
        : `say which (--columns ${role}=NAME)`;
  fail('DATA_COLUMN', { where: `${file}:1`, value: header.join(delimiter), message: `no column for ${role}: ${hint}` });
}
