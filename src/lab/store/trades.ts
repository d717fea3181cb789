/** The round trips of a run's evaluation, as evaluation/<name>/trades.csv holds them (evaluate-outputs.ts). */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { nearestName } from '#src/config/suggest.js';
import { fail } from '#src/errors.js';

export interface StoredTrade {
  readonly symbol: string;
  readonly side: string;
  /** ISO 8601, UTC. */
  readonly entry_time: string;
  readonly entry_price: number;
  readonly exit_time: string;
  readonly exit_price: number;
  readonly quantity: number;
  /** Account currency, costs included. */
  readonly pnl: number;
  readonly costs: number;
  readonly return: number;
  readonly bars_held: number;
  readonly exits: number;
  readonly exit_reason: string;
}

const HEADER =
  'symbol,side,entry_time,entry_price,exit_time,exit_price,quantity,pnl,costs,return,bars_held,exits,exit_reason';

/**
 * `evaluation` names a folder under evaluation/; default `test`. Throws RUN_STATE where the run has no such evaluation,
 * or the file is not as it was written.
 */
export function readTrades(directory: string, evaluation = 'test'): StoredTrade[] {
  const folder = path.join(directory, 'evaluation');
  const file = path.join(folder, evaluation, 'trades.csv');
  if (!existsSync(file)) {
    const names = existsSync(folder)
      ? readdirSync(folder).filter((name) => existsSync(path.join(folder, name, 'trades.csv')))
      : [];
    const near = nearestName(evaluation, names);
    const there = names.length === 0 ? `evaluate it: openbell evaluate ${directory}` : `there is: ${names.join(', ')}`;
    const message = `this run has no such evaluation with trades; ${near === null ? there : `did you mean "${near}"?`}`;
    fail('RUN_STATE', { where: directory, value: evaluation, message });
  }
  const [header, ...lines] = readFileSync(file, 'utf8').split('\n');
  const refuse = (line: number, value: string): never =>
    fail('RUN_STATE', {
      where: `${file}:${line}`,
      value,
      message: 'is not as openbell evaluate writes it: evaluate the run again',
    });
  if (header !== HEADER) refuse(1, header);
  // the last line ends too: a torn one is no trade
  if (lines.pop() !== '') refuse(lines.length + 2, 'no line feed at the end');
  return lines.map((line, index) => {
    const cells = line.split(',');
    if (cells.length !== HEADER.split(',').length) refuse(index + 2, line);
    const number = (k: number): number => (cells[k] === '' ? NaN : Number(cells[k]));
    const trade: StoredTrade = {
      symbol: cells[0],
      side: cells[1],
      entry_time: cells[2],
      entry_price: number(3),
      exit_time: cells[4],
      exit_price: number(5),
      quantity: number(6),
      pnl: number(7),
      costs: number(8),
      return: number(9),
      bars_held: number(10),
      exits: number(11),
      exit_reason: cells[12],
    };
    const isWhole = Object.values(trade).every((value) => typeof value === 'string' || Number.isFinite(value));
    return isWhole ? trade : refuse(index + 2, line);
  });
}
