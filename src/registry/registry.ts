/**
 * The registry: bundles by their hash, aliases that move, and a history that only grows.
 *
 *   registry/bundles/<first 16 digits of sha256>.safetensors
 *   registry/aliases.json     { "paper": { "sha256": ... }, ... }: replaced whole, in one step
 *   registry/history.jsonl    one line a change: when, which alias, from what to what, why, on what evidence
 *
 * Changes take turns by a claim that one process holds. A change is written to the history first: an alias never points
 * to where the history does not say.
 */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { nearestName } from '#src/config/suggest.js';
import { fail } from '#src/errors.js';
import { decodeBundle, encodeBundle, readBundle, shortId, type Bundle, type BundleContents } from './bundle.js';
import { exclusively } from './claim.js';
import { writeFileAtomic } from './files.js';

export const ALIASES = ['paper', 'live', 'challenger'] as const;
export type AliasName = (typeof ALIASES)[number];

export interface AliasChange {
  readonly at: string;
  readonly alias: AliasName;
  /** null: the alias did not exist. */
  readonly from: string | null;
  readonly to: string;
  readonly action: 'promote' | 'rollback';
  /** Why, in words. */
  readonly reason: string;
  /** What it rests on: outcomes of gates, reports. */
  readonly evidence: unknown;
  /** The account that was confirmed with it; absent: none was asked for. */
  readonly account?: string;
}

const CHANGE = z.looseObject({
  at: z.string(),
  alias: z.enum(ALIASES),
  from: z.string().nullable(),
  to: z.string(),
  action: z.enum(['promote', 'rollback']),
  reason: z.string(),
  account: z.string().optional(),
});
const POINTERS = z.record(z.string(), z.looseObject({ sha256: z.string() }));

export class Registry {
  readonly folder: string;
  readonly #nowMs: () => number;

  constructor(folder: string, nowMs: () => number = Date.now) {
    this.folder = folder;
    this.#nowMs = nowMs;
  }

  /** Stores a bundle. The same contents twice are one file. */
  store(contents: BundleContents): Bundle {
    const bytes = encodeBundle(contents);
    const bundle = decodeBundle(bytes, contents.manifest.name);
    mkdirSync(path.join(this.folder, 'bundles'), { recursive: true });
    const file = this.bundleFile(bundle.sha256);
    if (existsSync(file)) return readBundle(file, bundle.sha256);
    writeFileAtomic(file, bytes);
    return bundle;
  }

  bundleFile(sha256: string): string {
    return path.join(this.folder, 'bundles', `${shortId(sha256)}.safetensors`);
  }

  /** sha256 by alias. */
  aliases(): Partial<Record<AliasName, string>> {
    const file = path.join(this.folder, 'aliases.json');
    if (!existsSync(file)) return {};
    const parsed = POINTERS.safeParse(parseJson(readFileSync(file, 'utf8'), file));
    if (!parsed.success)
      fail('REGISTRY', { where: file, message: 'is not what the registry writes: restore it from a copy' });
    const found: Partial<Record<AliasName, string>> = {};
    for (const name of ALIASES) if (parsed.data[name] !== undefined) found[name] = parsed.data[name].sha256;
    return found;
  }

  /** The bundle that an alias, an id or a file means, verified. Throws REGISTRY, BUNDLE_CORRUPT, BUNDLE_MISMATCH. */
  load(reference: string): Bundle {
    const aliases = this.aliases();
    const alias = ALIASES.find((name) => name === reference);
    if (alias !== undefined) {
      const sha256 = aliases[alias];
      if (sha256 === undefined)
        fail('REGISTRY', {
          where: this.folder,
          value: reference,
          message: `nothing has been promoted to it yet: openbell promote RUN --to ${reference}`,
        });
      return readBundle(this.bundleFile(sha256), sha256);
    }
    if (reference.endsWith('.safetensors') && existsSync(reference)) return readBundle(reference);
    const ids = this.ids();
    const found = /^[0-9a-f]{4,64}$/.test(reference) ? ids.filter((id) => id.startsWith(reference.slice(0, 16))) : [];
    if (found.length === 1) {
      const bundle = readBundle(this.bundleFile(found[0]));
      if (shortId(bundle.sha256) === found[0] && bundle.sha256.startsWith(reference)) return bundle;
      fail('BUNDLE_CORRUPT', {
        where: this.bundleFile(found[0]),
        value: bundle.sha256,
        message:
          'the file is not the one that its name says: it has been altered; restore it, or promote the run again',
      });
    }
    const near = nearestName(reference, [...ALIASES, ...ids]);
    return fail('REGISTRY', {
      where: this.folder,
      value: reference,
      message: `there is no such bundle or alias${near === null ? '' : `; did you mean "${near}"?`} \`openbell registry list\` shows the ${ids.length} that there are`,
    });
  }

  /** Short ids of all bundles. */
  ids(): string[] {
    const folder = path.join(this.folder, 'bundles');
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .flatMap((name) => /^([0-9a-f]{16})\.safetensors$/.exec(name)?.[1] ?? [])
      .sort();
  }

  /** Oldest first. A torn last line, which a crash left behind, is passed over. */
  history(): AliasChange[] {
    const file = path.join(this.folder, 'history.jsonl');
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').split('\n');
    const whole = lines.slice(0, -1);
    return whole
      .filter((line) => line !== '')
      .map((line, index) => {
        const parsed: unknown = parseJson(line, `${file}:${index + 1}`);
        if (!isChange(parsed))
          fail('REGISTRY', {
            where: `${file}:${index + 1}`,
            message: 'is not what the registry writes: restore it from a copy',
          });
        return parsed;
      });
  }

  /** The change by which an alias points to where it does; null: it points nowhere. Throws REGISTRY. */
  current(alias: AliasName): AliasChange | null {
    const to = this.aliases()[alias];
    return this.history().findLast((change) => change.alias === alias && change.to === to) ?? null;
  }

  /** Moves an alias to a bundle of the registry, which is verified once more. Throws REGISTRY where another process is at it. */
  point(
    alias: AliasName,
    sha256: string,
    change: Pick<AliasChange, 'action' | 'reason' | 'evidence' | 'account'>,
  ): AliasChange {
    readBundle(this.bundleFile(sha256), sha256);
    return this.#exclusively(() => this.#write(alias, sha256, change));
  }

  /** Moves an alias back to what it was before its last change. Throws REGISTRY where it was nothing. */
  rollback(alias: AliasName, reason: string): AliasChange {
    return this.#exclusively(() => {
      const last = this.current(alias);
      if (last === null || last.from === null)
        fail('REGISTRY', { where: this.folder, value: alias, message: 'there is nothing before it to go back to' });
      readBundle(this.bundleFile(last.from), last.from);
      return this.#write(alias, last.from, { action: 'rollback', reason, evidence: null });
    });
  }

  #write(
    alias: AliasName,
    to: string,
    { action, reason, evidence, account }: Pick<AliasChange, 'action' | 'reason' | 'evidence' | 'account'>,
  ): AliasChange {
    const aliases = this.aliases();
    const change: AliasChange = {
      at: new Date(this.#nowMs()).toISOString(),
      alias,
      from: aliases[alias] ?? null,
      to,
      action,
      reason,
      evidence,
      ...(account === undefined ? {} : { account }),
    };
    appendFileSync(path.join(this.folder, 'history.jsonl'), `${JSON.stringify(change)}\n`, { flush: true });
    const pointers = Object.fromEntries(
      Object.entries({ ...aliases, [alias]: to }).map(([name, sha256]) => [name, { sha256 }]),
    );
    writeFileAtomic(path.join(this.folder, 'aliases.json'), `${JSON.stringify(pointers, null, 2)}\n`);
    return change;
  }

  #exclusively<T>(act: () => T): T {
    mkdirSync(this.folder, { recursive: true });
    return exclusively(this.folder, this.#nowMs, { code: 'REGISTRY', doing: 'changing this registry' }, act);
  }
}

function isChange(value: unknown): value is AliasChange {
  return CHANGE.safeParse(value).success;
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    return fail('REGISTRY', { where, message: 'is not JSON: restore it from a copy', cause });
  }
}
