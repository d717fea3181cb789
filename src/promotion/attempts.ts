/**
 * Every attempt to promote, refused ones included: registry/attempts.jsonl, a line each. Whoever tries policy after policy
 * on the same test bars until one gets through has made as many trials, and the deflated Sharpe ratio counts them.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { makeFolder } from '#src/config/make-folder.js';
import { fail } from '#src/errors.js';
import { parseIfJson } from '#src/registry/files.js';

const attemptSchema = z.strictObject({
  /** UTC, ISO 8601. */
  at: z.iso.datetime(),
  to: z.string(),
  /** "experiment/run" */
  run: z.string(),
  checkpoint: z.string(),
  weights_sha256: z.string(),
  /** Hash of its configuration without windows, seed and names. */
  experiment: z.string(),
  /** Names the bars that it was judged on; null: none were set apart. */
  test: z.string().nullable(),
  moved: z.boolean(),
  /** Gates that did not pass, passed over or not. */
  not_passed: z.array(z.string()),
  force_reason: z.string().nullable(),
});

export type Attempt = z.infer<typeof attemptSchema>;

const fileIn = (registryFolder: string): string => path.join(registryFolder, 'attempts.jsonl');

/** Oldest first. A torn last line, which a crash left, is no attempt. Throws REGISTRY where the file was altered. */
export function readAttempts(registryFolder: string): Attempt[] {
  const file = fileIn(registryFolder);
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .flatMap((line, index) => {
      const found = attemptSchema.safeParse(parseIfJson(line));
      // what a crash tore stands alone on its line, once another attempt has followed
      if (!found.success && line.startsWith('{') && !line.endsWith('}')) return [];
      if (!found.success)
        fail('REGISTRY', {
          where: `${file}:${index + 1}`,
          message: 'is no attempt to promote: the file was altered; restore it from a copy',
        });
      return [found.data];
    });
}

export function recordAttempt(registryFolder: string, attempt: Attempt): void {
  makeFolder(registryFolder);
  const file = fileIn(registryFolder);
  const torn = existsSync(file) && !/(^|\n)$/.test(readFileSync(file, 'utf8'));
  appendFileSync(file, `${torn ? '\n' : ''}${JSON.stringify(attempt)}\n`, { flush: true });
}

export interface EarlierAttempts {
  /** Other weights that were judged on the same test bars. */
  readonly policies: number;
  /** Other configurations among them. */
  readonly experiments: number;
}

export function earlierAttempts(
  attempts: readonly Attempt[],
  { test, weights_sha256: weights, experiment }: Pick<Attempt, 'test' | 'weights_sha256' | 'experiment'>,
): EarlierAttempts {
  const others = test === null ? [] : attempts.filter((own) => own.test === test && own.weights_sha256 !== weights);
  const configurations = others.filter((own) => own.experiment !== experiment);
  return {
    policies: new Set(others.map((own) => own.weights_sha256)).size,
    experiments: new Set(configurations.map((own) => own.experiment)).size,
  };
}
