/** Reports on data as plain text. */
import type { Description, Range } from './describe.js';
import type { Findings, Gap, QualityReport } from './check.js';
import type { DatasetEntry } from './list.js';

export function listText(entries: readonly DatasetEntry[]): string {
  const rows = entries.map(({ name, symbol, interval, calendar, kind, available, title, problem }) => [
    name,
    symbol,
    interval,
    calendar,
    kind,
    problem ?? (available ? title : `(file absent) ${title}`),
  ]);
  return table([['name', 'symbol', 'interval', 'calendar', 'kind', 'title'], ...rows]);
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, c) => Math.max(...rows.map((row) => row[c].length)));
  return rows
    .map((row) => row.map((cell, c) => (c === row.length - 1 ? cell : cell.padEnd(widths[c]))).join('  '))
    .join('\n');
}

export function describeText(d: Description): string {
  const { instrument: i, returns: r } = d;
  const ticks = i.ticks
    .map(({ lowEdge, increment }) => (lowEdge === 0 ? `${increment}` : `${increment} from ${lowEdge}`))
    .join(', ');
  const rows: [string, string | null][] = [
    ['name', d.synthetic ? `${d.name}  ** SYNTHETIC: no real market **` : d.name],
    ['title', d.title],
    ['source', d.source],
    ['licence', d.licence],
    ['file', d.file],
    ['sha256', d.sha256],
    ['instrument', `${i.symbol} ${i.securityType} ${i.currency} ${i.exchange}, ticks ${ticks}, lot ${i.lotSize}`],
    ['interval', `${d.interval}, calendar ${d.calendar}`],
    ['range', `${d.from} .. ${d.to}`],
    [
      'bars',
      `${d.bars} in ${d.sessions} sessions and ${d.segments.length} segment${d.segments.length === 1 ? '' : 's'}`,
    ],
    ...d.segments.map((s): [string, string] => ['', `${s.from} .. ${s.to}, ${s.bars} bars`]),
    ['adjusted', d.adjustments],
    ['factor', d.factor === null ? null : rangeText(d.factor)],
    ['close', rangeText(d.close)],
    ['volume', `${rangeText(d.volume)}; ${d.zero_volume} bars without`],
    [
      'returns',
      `${r.count} log returns, mean ${figure(r.mean)}, deviation ${figure(r.deviation)} (${(r.annual_deviation * 100).toFixed(1)}% a year)`,
    ],
    [
      '',
      `skewness ${figure(r.skewness)}, excess kurtosis ${figure(r.excess_kurtosis)}, least ${figure(r.least)}, greatest ${figure(r.greatest)}`,
    ],
    ...d.inferred.map((text): [string, string] => ['inferred', text]),
    ['notes', d.notes],
  ];
  return rows.flatMap(([key, text]) => (text === null ? [] : [`${key.padEnd(11)} ${text}`])).join('\n');
}

const figure = (value: number): string => String(Number(value.toPrecision(4)));
const rangeText = ({ least, median, greatest }: Range): string =>
  `${figure(least)} .. ${figure(greatest)}, median ${figure(median)}`;

export function checkText(report: QualityReport): string {
  const lines = [
    `${report.source}${report.synthetic ? '  ** SYNTHETIC: no real market **' : ''}${report.file === null ? '' : `  (${report.file})`}`,
  ];
  const { violations, findings } = report;
  lines.push(
    violations.count === 0
      ? 'usable: no violations'
      : `NOT USABLE: ${violations.count} violation${violations.count === 1 ? '' : 's'}; loading stops at the first`,
  );
  for (const { code, line, value, message } of violations.listed) {
    const shown = value === undefined ? '' : ` ${typeof value === 'number' ? value : JSON.stringify(value)}`;
    lines.push(`  ${line === null ? '' : `line ${line} `}${code}${shown}: ${message}`);
  }
  more(lines, violations.count - violations.listed.length);
  for (const text of report.inferred) lines.push(`inferred: ${text}`);
  if (findings !== null) findingsText(lines, findings, violations.count > 0);
  return lines.join('\n');
}

function findingsText(lines: string[], f: Findings, partial: boolean): void {
  lines.push(
    '',
    `${f.bars} ${partial ? 'good ' : ''}bars of ${f.interval}, calendar ${f.calendar}, ${f.from} .. ${f.to}, ${f.segments} segment${f.segments === 1 ? '' : 's'}`,
    `coverage      ${(f.coverage.share * 100).toFixed(2)}% of the calendar's bars; ${f.coverage.complete} of ${f.coverage.sessions} sessions complete, ${f.coverage.partial.count} partial, ${f.coverage.empty} empty`,
  );
  for (const { date, bars, expected } of f.coverage.partial.listed)
    lines.push(`  ${date}  ${bars} of ${expected} bars`);
  more(lines, f.coverage.partial.count - f.coverage.partial.listed.length);
  section(lines, 'gaps', f.gaps, gapText);
  section(lines, 'off calendar', f.off_calendar, (time) => time);
  section(lines, 'overlapping', f.overlapping, (time) => `${time} begins before the bar before it ends`);
  lines.push(
    `zero volume   ${f.zero_volume.count}${f.zero_volume.count === 0 ? '' : `, longest run ${f.zero_volume.longest_run}`}`,
  );
  section(lines, 'stale runs', f.stale_runs, (s) => `${s.from}  ${s.bars} bars at ${s.price}`);
  section(
    lines,
    'outliers',
    f.outliers,
    (o) => `${o.time}  log return ${figure(o.log_return)}, robust z ${o.z.toFixed(1)}, ${o.kind}`,
  );
  section(
    lines,
    'split-like',
    f.split_like,
    (s) => `${s.time}  close before / open ${figure(s.ratio)}, near ${s.near}`,
  );
}

function gapText(gap: Gap): string {
  const sessions = gap.missing_sessions > 0 ? `, ${counted(gap.missing_sessions, 'whole session')}` : '';
  return `${gap.after} .. ${gap.before}  ${counted(gap.missing_bars, 'bar')}${sessions}${gap.between_segments ? ' (between segments)' : ''}`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

function section<Item>(
  lines: string[],
  title: string,
  finding: { count: number; listed: readonly Item[] },
  text: (item: Item) => string,
): void {
  lines.push(`${title.padEnd(13)} ${finding.count}`);
  for (const item of finding.listed) lines.push(`  ${text(item)}`);
  more(lines, finding.count - finding.listed.length);
}

function more(lines: string[], count: number): void {
  if (count > 0) lines.push(`  ... and ${count} more (--limit)`);
}
