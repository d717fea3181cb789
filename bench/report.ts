/** Tables to read, JSON to keep, and the generated sections of docs/performance.md. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { reached, type Verdict } from './targets.js';

/** What one part of the bench has found. */
export interface Section {
  readonly name: string;
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Sentences below the table. */
  readonly notes: readonly string[];
  readonly verdicts: readonly Verdict[];
  /** All samples, for the JSON. */
  readonly samples: unknown;
}

/** The repository, seen from dist/bench. */
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly platform: string;
  readonly node: string;
}

export function thisMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unnamed processor',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
  };
}

export function machineText({ processor, cores, memoryGb, platform, node }: Machine): string {
  return `${processor}, ${cores} logical cores, ${memoryGb} GB, ${platform}, Node ${node}`;
}

/** A Markdown table whose columns are padded, so that it reads well as plain text too. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((name, k) => Math.max(name.length, 3, ...rows.map((row) => row[k].length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, k) => (k === 0 ? cell.padEnd(widths[k]) : cell.padStart(widths[k]))).join(' | ')} |`;
  const rule = `| ${widths.map((width, k) => (k === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(columns), rule, ...rows.map(line)].join('\n');
}

export function sectionText({ title, columns, rows, notes }: Section): string {
  return [`### ${title}`, table(columns, rows), ...notes].join('\n\n');
}

export function verdictText(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map((verdict) => {
    const { what, target, unit, sense, measured, why } = verdict;
    return [
      what,
      `${sense} ${quantity(target, unit)}`,
      measured === null ? `not measured: ${why ?? 'no reason given'}` : quantity(measured, unit),
      reached(verdict) ? 'reached' : 'MISSED',
    ];
  });
  return `### Targets\n\n${table(['what', 'target', 'measured', ''], rows)}`;
}

const quantity = (value: number, unit: Verdict['unit']): string => {
  const digits = unit === '%' ? 0 : value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const number = value.toFixed(digits).replace(/\.0+$/, '');
  return unit === 'x' || unit === '%' ? `${number}${unit}` : `${number} ${unit}`;
};

/** 12345.6 as 12,346. */
export const whole = (value: number): string => Math.round(value).toLocaleString('en');
export const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

/** Writes bench/results/NAME.json and returns its place. */
export function writeResults(name: string, results: unknown): string {
  const folder = path.join(ROOT, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${name}.json`);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  return file;
}

/** Writes a picture beside a page and returns its name. */
export function writePicture(page: string, name: string, svg: string): string {
  writeFileSync(path.join(path.dirname(page), name), svg);
  return name;
}

/** Replaces what stands between the marks of a section in a Markdown file. Throws where the marks are missing. */
export function writeIntoPage(file: string, section: string, text: string): void {
  const begin = `<!-- ${section}: begin -->`;
  const end = `<!-- ${section}: end -->`;
  const page = readFileSync(file, 'utf8');
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from)
    throw new Error(`${file}: write the lines "${begin}" and "${end}" where the tables belong`);
  writeFileSync(file, `${page.slice(0, from)}${begin}\n\n${text}\n\n${page.slice(to)}`);
}
