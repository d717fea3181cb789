/**
 * A run's event file, `events.out.tfevents.<seconds>.openbell`, beside metrics.jsonl: what TensorBoard shows. It is made
 * of metrics.jsonl and timings.jsonl, holds nothing of its own, and is made again from them when a run is resumed, under
 * a later name; the one before it stays behind, empty. Wall times stand in it, so that it does not reproduce.
 */
import { closeSync, openSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { isTree } from '#src/config/yaml-source.js';
import { fail } from '#src/errors.js';
import { writeAll } from '#src/registry/files.js';
import { scalarsRecord, startRecord, versionRecord } from './event-records.js';
import { evaluationScalars, updateScalars, type LogEntry, type LossWeights } from './scalars.js';

const NAME = /^events\.out\.tfevents\.(\d+)\.openbell$/;

export interface EventLogOptions {
  readonly weights: LossWeights;
  readonly nowMs: number;
  /** Cut back to where the run goes on; a line of the one belongs to the same line of the other. */
  readonly metricsFile: string;
  readonly timingsFile: string;
}

/** Event files of a run, oldest first. */
export const eventFiles = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => NAME.test(name))
    .sort();

export class EventLog {
  readonly file: string;
  readonly #descriptor: number;
  readonly #weights: LossWeights;
  #timesteps = 0;
  /** When the last update ended. */
  #wallTimeMs: number;

  /** Makes the file of what the logs hold, in the place of those before it. Throws RUN_STATE where a log is damaged. */
  constructor(folder: string, { weights, nowMs, metricsFile, timingsFile }: EventLogOptions) {
    const timings = readLines(timingsFile);
    const entries = readLines(metricsFile);
    const before = eventFiles(folder);
    const latest = Math.max(0, ...before.map((name) => Number(NAME.exec(name)?.[1])));
    // TensorBoard reads files in the order of their names
    const seconds = Math.max(Math.floor(nowMs / 1000), latest + 1);
    this.file = path.join(folder, `events.out.tfevents.${String(seconds).padStart(10, '0')}.openbell`);
    this.#weights = weights;
    this.#wallTimeMs = nowMs;
    // one that is gone, or cut short and grown again, stops a TensorBoard that reads it; an empty one lets it go on
    for (const name of before.slice(0, -1)) rmSync(path.join(folder, name));
    for (const name of before.slice(-1)) truncateSync(path.join(folder, name));
    this.#descriptor = openSync(this.file, 'wx');
    const startMs = wallTimeOf(timings[0]) ?? nowMs;
    const records = [versionRecord(startMs), startRecord(startMs, 0)];
    for (const [k, entry] of entries.entries()) records.push(this.#record(entry, timings[k] ?? {}));
    writeAll(this.#descriptor, Buffer.concat(records), this.file);
  }

  /** A line of metrics.jsonl and the same line of timings.jsonl. */
  append(entry: LogEntry, timing: LogEntry): void {
    writeAll(this.#descriptor, this.#record(entry, timing), this.file);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #record(entry: LogEntry, timing: LogEntry): Buffer {
    const timesteps = numberOf(entry['timesteps']);
    if (entry['kind'] !== 'update') {
      this.#wallTimeMs += numberOf(timing['evaluationMs']);
      return scalarsRecord(this.#wallTimeMs, timesteps, evaluationScalars(entry));
    }
    const tookMs = ['actMs', 'envMs', 'collectMs', 'updateMs', 'fingerprintMs'].reduce(
      (sum, phase) => sum + numberOf(timing[phase]),
      0,
    );
    const stepsPerSecond = ((timesteps - this.#timesteps) * 1000) / Math.max(tookMs, 1e-3);
    this.#timesteps = timesteps;
    this.#wallTimeMs = (wallTimeOf(timing) ?? this.#wallTimeMs) + tookMs;
    return scalarsRecord(this.#wallTimeMs, timesteps, updateScalars(entry, this.#weights, stepsPerSecond));
  }
}

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** When an update began; null: the line does not say. */
function wallTimeOf(timing: LogEntry | undefined): number | null {
  const timeMs = Date.parse(String(timing?.['at']));
  return Number.isNaN(timeMs) ? null : timeMs;
}

function readLines(file: string): LogEntry[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line, index) => {
      const where = `${file}:${index + 1}`;
      const value = line.slice(0, 60);
      const message = 'is no entry of this log: it was edited or damaged; restore it from a copy';
      let entry: unknown;
      try {
        entry = JSON.parse(line);
      } catch (cause) {
        fail('RUN_STATE', { where, value, message, cause });
      }
      return isTree(entry) ? entry : fail('RUN_STATE', { where, value, message });
    });
}
