/** Manifests: what a data set is, where it comes from, and how its file is to be read. One YAML file each. */
import { readFile } from 'node:fs/promises';
import { isMap, isScalar, type Document } from 'yaml';
import { z } from 'zod';
import { CALENDAR_NAMES } from '#env/market/calendar.js';
import { checkInstrument, type Instrument } from '#env/market/instrument.js';
import { nearestName } from '#src/config/suggest.js';
import { isTree, parseYamlDocument } from '#src/config/yaml-source.js';
import { fail } from '#src/errors.js';
import { COLUMN_ROLES } from './csv-columns.js';

const date = z.string().refine(isDate, 'write a date that exists as 2011-03-01');

function isDate(text: string): boolean {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  // February 30th would roll over into March
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

export const formatSchema = z.strictObject({
  columns: z.partialRecord(z.enum(COLUMN_ROLES), z.union([z.string().min(1), z.int().min(1)])).optional(),
  delimiter: z.enum([',', ';', '\t', '|']).optional(),
  decimal: z.enum(['.', ',']).optional(),
  thousands: z.enum([',', '.', "'", ' ', '_']).optional(),
  time: z.enum(['auto', 'iso', 'epoch_s', 'epoch_ms', 'epoch_us', 'epoch_ns']).optional(),
  date_order: z.enum(['mdy', 'dmy']).optional(),
  time_zone: z.string().min(1).optional(),
  stamp: z.enum(['open', 'close']).optional(),
});

const instrumentSchema = z.strictObject({
  symbol: z.string().min(1),
  type: z.enum(['STK', 'CASH', 'IND']).default('STK'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'write a currency as USD')
    .default('USD'),
  exchange: z.string().min(1).default('SMART'),
  /** Left out: those usual for the type. */
  ticks: z
    .array(z.strictObject({ low_edge: z.number().min(0), increment: z.number().positive() }))
    .min(1)
    .optional(),
  lot: z.number().positive().default(1),
});

const segmentsSchema = z.union([
  z.enum(['none', 'month-gap']),
  z.strictObject({ max_gap_sessions: z.int().min(1) }),
  z.array(z.strictObject({ from: z.string(), to: z.string() })).min(1),
]);

export const syntheticSchema = z.strictObject({
  seed: z.int().min(0),
  /** Date of the first session, at the earliest. */
  from: date,
  /** At most eighty years of them: more fill no purpose, and the memory. */
  sessions: z.int().min(1).max(20_000),
  start_price: z.number().positive().default(100),
  annual_drift: z.number().min(-2).max(2).default(0),
  /** Markov chain: each lasts `mean_sessions` on average and is followed by another one, all equally likely. */
  regimes: z
    .array(z.strictObject({ annual_volatility: z.number().positive().max(5), mean_sessions: z.number().positive() }))
    .min(1)
    .default([
      { annual_volatility: 0.14, mean_sessions: 25 },
      { annual_volatility: 0.35, mean_sessions: 6 },
    ]),
  /** Share of a session's variance that falls between its close and the next open. */
  overnight_share: z.number().min(0).max(0.95).default(0.25),
  /** Mean volume of a session, in shares. */
  session_volume: z.number().positive().default(5_000_000),
  /**
   * Instead of drift, regimes and gaps: the log-price returns to that of `start_price`, so that there is an edge, and how
   * large it can be is known. Left out: there is nothing to learn.
   */
  reverting: z
    .strictObject({
      /** Share of the distance that a bar loses. */
      mean_reversion: z.number().gt(0).lt(1),
      /** Standard deviation of a bar's shock, in log-price. */
      shock: z.number().positive().max(0.2),
    })
    .optional(),
});

const manifestSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/, 'use lower case, digits, dots, dashes and underscores'),
  title: z.string().optional(),
  source: z.string().min(1),
  licence: z.string().min(1),
  notes: z.string().optional(),
  /** Relative to the manifest. */
  file: z.string().min(1).optional(),
  /** A file of an installed npm package: "@scope/name/file.csv". */
  package: z.string().min(1).optional(),
  synthetic: syntheticSchema.optional(),
  /** Of the file as it is stored. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'write 64 hexadecimal digits, lower case')
    .optional(),
  interval: z.string(),
  calendar: z.enum(CALENDAR_NAMES),
  instrument: instrumentSchema,
  format: formatSchema.optional(),
  adjustments: z.strictObject({
    /** none: tradable as they stand. adj_close, factor: the file has that column. applied: adjusted already, by a factor not known. */
    prices: z.enum(['none', 'adj_close', 'factor', 'applied']),
    /** Splits for which the file's prices are adjusted already: before `date` the tradable price was `ratio` times the file's. */
    splits: z.array(z.strictObject({ date, ratio: z.number().positive() })).default([]),
    note: z.string().optional(),
  }),
  segments: segmentsSchema.optional(),
  imported_from: z.strictObject({ file: z.string(), sha256: z.string() }).optional(),
});

export type Manifest = z.output<typeof manifestSchema>;
export type SyntheticParameters = z.output<typeof syntheticSchema>;

/** Reads and checks a manifest. Throws DATA_MANIFEST naming file, line, key and value. */
export async function readManifest(file: string): Promise<Manifest> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) =>
    fail('DATA_MANIFEST', {
      where: file,
      message: `the manifest cannot be read (${cause.code ?? 'unknown reason'}): check the path`,
      cause,
    }),
  );
  return parseManifest(text, file);
}

export function parseManifest(text: string, file: string): Manifest {
  const { document, value: tree } = parseYamlDocument(text, (line, why) =>
    fail('DATA_MANIFEST', { where: line === null ? file : `${file}:${line}`, message: `this is not YAML: ${why}` }),
  );
  const result = manifestSchema.safeParse(tree);
  if (!result.success) {
    const issue = result.error.issues[0];
    const key = issue.path.join('.');
    const node = issue.code === 'unrecognized_keys' ? keyNode(document, issue) : document.getIn(issue.path, true);
    const value = issue.code === 'unrecognized_keys' ? issue.keys : document.getIn(issue.path);
    fail('DATA_MANIFEST', {
      where: `${file}:${lineOf(text, node)} ${key === '' ? 'manifest' : key}`,
      value: value instanceof Object && !Array.isArray(value) ? undefined : value,
      message: `${issue.message}; ${remedyOf(issue)}`,
    });
  }
  const manifest = result.data;
  const sources = [manifest.file, manifest.package, manifest.synthetic].filter((given) => given !== undefined);
  if (sources.length !== 1)
    fail('DATA_MANIFEST', { where: file, message: 'give exactly one of file, package and synthetic' });
  const idle = manifest.synthetic?.reverting === undefined ? undefined : IDLE.find((key) => hasKey(tree, key));
  if (idle !== undefined) {
    fail('DATA_MANIFEST', {
      where: `${file}:${lineOf(text, document.getIn(['synthetic', idle], true))} synthetic.${idle}`,
      message: 'says nothing beside `reverting`, which has neither drift nor regimes nor gaps: leave one of them out',
    });
  }
  if ((manifest.sha256 === undefined) !== (manifest.synthetic !== undefined)) {
    fail('DATA_MANIFEST', {
      where: `${file} sha256`,
      message: 'a file or package needs its sha256 (sha256sum FILE); a synthetic set has none',
    });
  }
  checkInstrument(instrumentOf(manifest), `${file} instrument`);
  return manifest;
}

/** What `reverting` takes the place of. */
const IDLE = ['annual_drift', 'regimes', 'overnight_share'] as const;

function hasKey(tree: unknown, key: string): boolean {
  return isTree(tree) && isTree(tree['synthetic']) && Object.hasOwn(tree['synthetic'], key);
}

const KEYS = [
  ...Object.keys(manifestSchema.shape),
  ...Object.keys(formatSchema.shape),
  ...Object.keys(instrumentSchema.shape),
  ...Object.keys(syntheticSchema.shape),
  'mean_reversion',
  'shock',
];

function remedyOf(issue: z.core.$ZodIssue): string {
  const near = issue.code === 'unrecognized_keys' ? nearestName(issue.keys[0], KEYS) : null;
  return near === null ? 'docs/data.md lists the keys of a manifest' : `did you mean "${near}"?`;
}

/** Where an unknown key stands. */
function keyNode(document: Document, { path, keys }: z.core.$ZodIssueUnrecognizedKeys): unknown {
  const map = path.length === 0 ? document.contents : document.getIn(path, true);
  if (!isMap(map)) return map;
  return map.items.find(({ key }) => isScalar(key) && key.value === keys[0])?.key;
}

function lineOf(text: string, node: unknown): number {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return 1;
  return text.slice(0, Number(node.range[0])).split('\n').length;
}

/** Price increments where nobody says otherwise: US equities (sub-penny under a dollar), currency pairs at IDEALPRO. */
export function defaultTicks(type: Instrument['securityType'], currency: string): Instrument['ticks'] {
  if (type === 'CASH') return [{ lowEdge: 0, increment: currency === 'JPY' ? 0.005 : 0.00005 }];
  if (type === 'IND') return [{ lowEdge: 0, increment: 0.01 }];
  return [
    { lowEdge: 0, increment: 0.0001 },
    { lowEdge: 1, increment: 0.01 },
  ];
}

export function instrumentOf({ instrument }: Pick<Manifest, 'instrument'>): Instrument {
  const { symbol, type, currency, exchange, ticks, lot } = instrument;
  return {
    symbol,
    securityType: type,
    currency,
    exchange,
    ticks: ticks?.map(({ low_edge, increment }) => ({ lowEdge: low_edge, increment })) ?? defaultTicks(type, currency),
    lotSize: lot,
  };
}
