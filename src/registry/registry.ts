/**
 * The registry: bundles by their hash, aliases that move, and a history that only grows.
 *
 *   registry/bundles/<first 16 digits of sha256>.safetensors
 *   registry/history.jsonl    one line a change: when, which alias, from what to what, why, on what evidence
 *   registry/aliases.json     where the aliases point: follows the history, and anchors its end (history.ts)
 *
 * Changes take turns by a claim that one process holds. A change has happened when its line is in the history.
 */
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  type BigIntStats,
} from 'node:fs';
import path from 'node:path';
import { makeFolder } from '#src/config/make-folder.js';
import { nearestName } from '#src/config/suggest.js';
import { fail, OpenBellError } from '#src/errors.js';
import {
  decodeBundle,
  encodeBundle,
  readBundle,
  readBundleBytes,
  shortId,
  type Bundle,
  type BundleContents,
} from './bundle.js';
import { exclusively } from './claim.js';
import { fileSize, writeFileAtomic } from './files.js';
import {
  anchorText,
  changeLine,
  checkHistory,
  checkPointers,
  EMPTY_HISTORY,
  parseAnchor,
  parseHistory,
  pointersAfter,
  readAnchor,
  type AliasChange,
  type History,
  type Pointers,
} from './history.js';
import { ALIASES, type AliasName } from './aliases.js';
import type { BundleManifest } from './manifest.js';
import { promotionsInForce } from './rollback.js';

export type { AliasChange, Pointers } from './history.js';

/** What a change is made with; `account` and `forced` where they apply. */
export interface PointOptions
  extends Pick<AliasChange, 'action' | 'reason' | 'evidence'>, Partial<Pick<AliasChange, 'account' | 'forced'>> {
  /** Only where the alias still points there (null: to nothing): what was judged against it is out of date otherwise. */
  readonly expectedFrom?: string | null;
}

export interface RollbackOptions {
  readonly reason: string;
  /** sha256, or its first digits, of the bundle to go back to; default: the one before. */
  readonly to?: string;
  /** For live: the account whose runner will follow. */
  readonly account?: string | null;
}

type ChangeDraft = Omit<AliasChange, 'at' | 'previous'>;

/** Which bundle is meant: that of this run's checkpoint. */
export type RunIdentity = Pick<BundleManifest['run'], 'path' | 'checkpoint' | 'weights_sha256' | 'config_hash'>;

/** A bundle's file as it stands in the folder: the bundle, or what is wrong with it. */
export type StoredBundle =
  | { readonly id: string; readonly file: string; readonly bundle: Bundle; readonly error: null }
  | { readonly id: string; readonly file: string; readonly bundle: null; readonly error: OpenBellError };

export class Registry {
  readonly folder: string;
  readonly #nowMs: () => number;
  #cache: { readonly stamp: string; readonly history: History } | null = null;

  constructor(folder: string, nowMs: () => number = Date.now) {
    this.folder = folder;
    this.#nowMs = nowMs;
  }

  get historyFile(): string {
    return path.join(this.folder, 'history.jsonl');
  }

  get aliasesFile(): string {
    return path.join(this.folder, 'aliases.json');
  }

  bundleFile(sha256: string): string {
    return path.join(this.folder, 'bundles', `${shortId(sha256)}.safetensors`);
  }

  /** Stores a bundle. The same contents twice are one file. */
  store(contents: BundleContents): Bundle {
    return this.#keep(encodeBundle(contents), contents.manifest.name);
  }

  /** Takes a bundle's file from elsewhere in, verified. Throws BUNDLE_CORRUPT, BUNDLE_MISMATCH. */
  add(file: string): Bundle {
    return this.#keep(readBundleBytes(file), file);
  }

  #keep(bytes: Uint8Array, where: string): Bundle {
    const bundle = decodeBundle(bytes, where);
    makeFolder(path.join(this.folder, 'bundles'));
    const file = this.bundleFile(bundle.sha256);
    // a damaged file under its name is restored by it
    if (existsSync(file) && Buffer.compare(readFileSync(file), bytes) === 0) return bundle;
    writeFileAtomic(file, bytes);
    return bundle;
  }

  /** sha256 by alias. Throws REGISTRY where history or aliases.json have been altered. */
  aliases(): Pointers {
    return pointersAfter(this.#read().changes);
  }

  /** The last change of an alias; null: nothing has been promoted to it. */
  current(alias: AliasName): AliasChange | null {
    return this.#read().changes.findLast((change) => change.alias === alias) ?? null;
  }

  /** Oldest first, its chain verified. Throws REGISTRY where history or aliases.json have been altered. */
  history(): readonly AliasChange[] {
    return this.#read().changes;
  }

  /** sha256 of the history's last line: whoever keeps it elsewhere can tell later whether the history still holds it. */
  head(): { readonly lines: number; readonly sha256: string | null } {
    const { hashes } = this.#read();
    return { lines: hashes.length, sha256: hashes.at(-1) ?? null };
  }

  /** Which line of the history has this sha256, counted from 1; null: none. */
  lineOf(sha256: string): number | null {
    const at = this.#read().hashes.indexOf(sha256);
    return at < 0 ? null : at + 1;
  }

  /** Bytes after the history's last whole line: what a crash left of a change that never happened. */
  tornBytes(): number {
    return (fileSize(this.historyFile) ?? 0) - this.#read().bytes;
  }

  /** The bundle that an alias, an id or a file means, verified. Throws REGISTRY, BUNDLE_CORRUPT, BUNDLE_MISMATCH. */
  load(reference: string): Bundle {
    const alias = ALIASES.find((name) => name === reference);
    if (alias !== undefined) {
      const sha256 = this.aliases()[alias];
      if (sha256 === undefined)
        fail('REGISTRY', {
          where: this.folder,
          value: reference,
          message: `nothing has been promoted to it yet: openbell promote RUN --to ${reference}`,
        });
      return readBundle(this.bundleFile(sha256), sha256);
    }
    if (isFile(reference)) return readBundle(reference);
    const ids = this.ids();
    const found = /^[0-9a-f]{4,64}$/.test(reference) ? ids.filter((id) => id.startsWith(reference.slice(0, 16))) : [];
    if (found.length === 1) {
      const bundle = this.#stored(found[0]);
      if (bundle.sha256.startsWith(reference)) return bundle;
    }
    if (found.length > 1)
      fail('REGISTRY', {
        where: this.folder,
        value: reference,
        message: `${found.length} bundles begin so (${found.join(', ')}): write more digits`,
      });
    const near = nearestName(reference, [...ALIASES, ...ids]);
    return fail('REGISTRY', {
      where: this.folder,
      value: reference,
      message: `there is no such bundle, alias or file${near === null ? ';' : `; did you mean "${near}"?`} \`openbell registry list\` shows the ${ids.length} that there are`,
    });
  }

  /** The file that a reference means: as it is named, or in the registry. Throws as `load`. */
  fileOf(reference: string): string {
    const isAlias = ALIASES.some((name) => name === reference);
    return !isAlias && isFile(reference) ? reference : this.bundleFile(this.load(reference).sha256);
  }

  #stored(id: string): Bundle {
    const file = path.join(this.folder, 'bundles', `${id}.safetensors`);
    const bundle = readBundle(file);
    if (shortId(bundle.sha256) !== id)
      fail('BUNDLE_CORRUPT', {
        where: file,
        value: bundle.sha256,
        message:
          'the file is not the one that its name says: it has been altered; restore it, or promote the run again',
      });
    return bundle;
  }

  /** Short ids of all bundles. */
  ids(): string[] {
    const folder = path.join(this.folder, 'bundles');
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .flatMap((name) => /^([0-9a-f]{16})\.safetensors$/.exec(name)?.[1] ?? [])
      .sort();
  }

  /** All bundles, verified; one that is damaged, with its error. */
  scan(): StoredBundle[] {
    return this.ids().map((id) => {
      const file = path.join(this.folder, 'bundles', `${id}.safetensors`);
      try {
        return { id, file, bundle: this.#stored(id), error: null };
      } catch (error) {
        if (error instanceof OpenBellError) return { id, file, bundle: null, error };
        throw error;
      }
    });
  }

  /**
   * The newest bundle of this run's checkpoint that `accepts` takes; null: there is none. Damaged ones are passed over: another bundle of the
   * run takes their place, and `openbell registry verify` names them.
   */
  find(
    { path: run, checkpoint, weights_sha256, config_hash }: RunIdentity,
    accepts: (bundle: Bundle) => boolean = () => true,
  ): Bundle | null {
    const found = this.scan().flatMap(({ bundle }) => {
      if (bundle === null) return [];
      const own = bundle.manifest.run;
      return own.path === run &&
        own.checkpoint === checkpoint &&
        own.weights_sha256 === weights_sha256 &&
        own.config_hash === config_hash &&
        accepts(bundle)
        ? [bundle]
        : [];
    });
    return found.sort((a, b) => (a.manifest.created_at < b.manifest.created_at ? -1 : 1)).at(-1) ?? null;
  }

  /**
   * Moves an alias to a bundle of the registry, which is verified once more. Throws REGISTRY where another process is at
   * it, or where the alias does not point to `expectedFrom` any more; BUNDLE_CORRUPT.
   */
  point(alias: AliasName, sha256: string, options: PointOptions): AliasChange {
    readBundle(this.bundleFile(sha256), sha256);
    const { action, reason, evidence, account = null, forced = false, expectedFrom } = options;
    return this.#exclusively((history, append) => {
      const from = pointersAfter(history.changes)[alias] ?? null;
      if (expectedFrom !== undefined && from !== expectedFrom)
        fail('REGISTRY', {
          where: this.folder,
          value: from,
          message: `${alias} has been moved meanwhile; what was found for the bundle before it is out of date: begin again`,
        });
      return append({ alias, from, to: sha256, action, reason, account, forced, evidence });
    });
  }

  /**
   * Moves an alias back: to the bundle before, or to one further back. Again and again it walks through the promotions
   * (rollback.ts). Throws REGISTRY where there is nothing to go back to, where it was never there, or where the account
   * is not the one that the bundle had been confirmed for; BUNDLE_CORRUPT.
   */
  rollback(alias: AliasName, { reason, to, account = null }: RollbackOptions): AliasChange {
    return this.#exclusively((history, append) => {
      const stack = promotionsInForce(history.changes, alias);
      const current = stack.at(-1) ?? null;
      const earlier = stack.slice(0, -1);
      const target = to === undefined ? earlier.at(-1) : earlier.findLast((change) => change.to.startsWith(to));
      if (current === null || target === undefined)
        return fail('REGISTRY', {
          where: this.folder,
          value: to ?? alias,
          message: nothingBefore(alias, to, earlier),
        });
      if (alias === 'live' && (account === null || (target.account ?? account) !== account))
        fail('REGISTRY', {
          where: this.folder,
          value: account,
          message:
            account === null
              ? `the runner of an account will follow: name it with --confirm=${target.account ?? 'ACCOUNT'}`
              : `${shortId(target.to)} was confirmed for account ${target.account}: roll back with --confirm=${target.account}, or promote it for yours`,
        });
      readBundle(this.bundleFile(target.to), target.to);
      return append({
        alias,
        from: current.to,
        to: target.to,
        action: 'rollback',
        reason,
        account: target.account ?? account,
        forced: target.forced,
        evidence: { promoted_at: target.at, reason: target.reason },
      });
    });
  }

  /**
   * Writes aliases.json anew from the history. Throws REGISTRY where the history is not whole, or not the one that
   * aliases.json knew, as far as that can still be read: then a copy must be restored.
   */
  repair(): { readonly aliases: Pointers; readonly lines: number } {
    makeFolder(this.folder);
    return exclusively(this.folder, this.#nowMs, CHANGING, () => {
      const history = this.#parse();
      const known = existsSync(this.aliasesFile) ? readAnchor(readFileSync(this.aliasesFile, 'utf8')) : null;
      if (known !== null) checkHistory(known, history, this.historyFile);
      this.#cutTorn(history);
      writeFileAtomic(this.aliasesFile, anchorText(history));
      this.#cache = null;
      return { aliases: pointersAfter(history.changes), lines: history.changes.length };
    });
  }

  #exclusively<T>(act: (history: History, append: (draft: ChangeDraft) => AliasChange) => T): T {
    makeFolder(this.folder);
    return exclusively(this.folder, this.#nowMs, CHANGING, (stillMine) => {
      this.#cache = null;
      if (!existsSync(this.historyFile) && !existsSync(this.aliasesFile))
        writeFileAtomic(this.aliasesFile, anchorText(EMPTY_HISTORY));
      const history = this.#read();
      return act(history, (draft) => {
        stillMine();
        return this.#append(history, draft);
      });
    });
  }

  #append(history: History, draft: ChangeDraft): AliasChange {
    const change: AliasChange = {
      at: new Date(this.#nowMs()).toISOString(),
      ...draft,
      previous: history.hashes.at(-1) ?? null,
    };
    this.#cutTorn(history);
    appendFileSync(this.historyFile, changeLine(change), { flush: true });
    this.#cache = null;
    writeFileAtomic(this.aliasesFile, anchorText(this.#parse()));
    return change;
  }

  /** What a crash left of a line was never acknowledged, and would spoil the next. */
  #cutTorn({ bytes }: History): void {
    if ((fileSize(this.historyFile) ?? 0) > bytes) truncateSync(this.historyFile, bytes);
  }

  /** The history, its chain and aliases.json verified; anew only where a file has changed. */
  #read(): History {
    const stamp = this.#stamp();
    if (this.#cache?.stamp === stamp) return this.#cache.history;
    // in this order: the history may grow between the two, and aliases.json only follows it
    const text = existsSync(this.aliasesFile) ? readFileSync(this.aliasesFile, 'utf8') : null;
    const history = this.#parse();
    if (text !== null) {
      const anchor = parseAnchor(text, this.aliasesFile);
      checkHistory(anchor, history, this.historyFile);
      checkPointers(anchor, history, this.aliasesFile);
    } else if (history.bytes > 0 && !existsSync(this.aliasesFile))
      fail('REGISTRY', {
        where: this.aliasesFile,
        message:
          'is lost, though there is a history: `openbell registry repair` writes it anew from it, where that is whole',
      });
    this.#cache = { stamp, history };
    return history;
  }

  #parse(): History {
    return existsSync(this.historyFile)
      ? parseHistory(readFileSync(this.historyFile), this.historyFile)
      : EMPTY_HISTORY;
  }

  #stamp(): string {
    return [this.aliasesFile, this.historyFile].map((file) => stampOf(statOf(file))).join(' ');
  }
}

const CHANGING = { code: 'REGISTRY', doing: 'changing this registry' } as const;

const isFile = (reference: string): boolean => statSync(reference, { throwIfNoEntry: false })?.isFile() === true;
const statOf = (file: string): BigIntStats | undefined => statSync(file, { bigint: true, throwIfNoEntry: false });
const stampOf = (stat: BigIntStats | undefined): string =>
  stat === undefined ? '-' : `${stat.ino}:${stat.size}:${stat.mtimeNs}`;

function nothingBefore(alias: AliasName, to: string | undefined, earlier: readonly AliasChange[]): string {
  const known = [...new Set(earlier.map((change) => shortId(change.to)))].reverse();
  if (known.length === 0)
    return `there is nothing before it to go back to: \`openbell registry history\` shows what was`;
  return `${alias} cannot go back to it: it can to ${known.join(', ')}; another bundle is promoted to it`.concat(
    to === undefined ? '' : ` (openbell promote ${to} --to ${alias})`,
  );
}
