/** `openbell registry` and `openbell rollback`, as a user types them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { usShare } from '#env/market/instrument.js';
import { shortId } from '#src/registry/bundle.js';
import { Registry } from '#src/registry/registry.js';
import { bundleThatAlways, BUY } from '../support/bundles.js';
import { evaluatedBundle } from '../support/evaluated.js';
import { openbell, type Answer } from './openbell.js';

let folder = '';
let registry: Registry;
let ids: string[];
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'openbell-registry-'));
  registry = new Registry(path.join(folder, 'registry'));
  ids = [
    bundleThatAlways(BUY, usShare('TEST'), {}, 'first'),
    evaluatedBundle(bundleThatAlways(BUY, usShare('TEST'))),
  ].map((contents) => registry.store(contents).sha256);
  for (const [k, sha256] of ids.entries())
    registry.point('live', sha256, {
      action: 'promote',
      reason: `${k}`,
      evidence: null,
      account: 'U1',
      forced: k === 1,
    });
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (args: readonly string[], into = 'registry'): Answer =>
  openbell(args, folder, { OPENBELL_REGISTRY_DIR: path.join(folder, into) });

it('lists, shows and compares', () => {
  const list = run(['registry', 'list']);
  expect(list.stdout).toMatch(new RegExp(`${shortId(ids[1])} +live +always seed 1 +2024.* d ago +no edge +FORCED`));
  const shown = run(['registry', 'show', 'live']);
  expect(shown.stdout).toContain(`sha256  ${ids[1]}`);
  expect(shown.stdout).toMatch(/promote live: .* account U1 {2}FORCED/);
  expect(shown.stdout).toContain('library_name: openbell');
  const diff = run(['registry', 'diff', shortId(ids[0]), 'live', '--json']);
  expect(JSON.parse(diff.stdout)).toMatchObject({ same: false, a: ids[0], b: ids[1] });
});

it('carries one file to another machine, and refuses it with a byte altered', () => {
  const out = path.join(folder, 'out');
  expect(run(['registry', 'export', 'live', out]).code).toBe(0);
  const [file] = readdirSync(out).filter((name) => name.endsWith('.safetensors'));
  expect(run(['registry', 'export', 'live', out])).toMatchObject({ code: 2 });
  expect(run(['registry', 'import', path.join(out, file)], 'elsewhere').stdout).toContain(shortId(ids[1]));
  const bytes = readFileSync(path.join(out, file));
  bytes[bytes.length - 5] ^= 1;
  writeFileSync(path.join(out, file), bytes);
  for (const command of ['show', 'import']) {
    const { code, stderr, stdout } = run(['registry', command, path.join(out, file)], 'elsewhere');
    expect([code, stdout, stderr.slice(0, 14)]).toEqual([1, '', 'BUNDLE_CORRUPT']);
  }
});

it('rolls live back for the account that it was confirmed for, and says so', () => {
  expect(run(['rollback', 'live', '--reason', 'x'])).toMatchObject({ code: 1 });
  expect(run(['rollback', 'live', '--reason', ' ', '--confirm=U1'])).toMatchObject({ code: 2 });
  expect(run(['rollback', 'live', '--reason', 'x', '--confirm=U2']).stderr).toContain('was confirmed for account U1');
  const back = run(['rollback', 'live', '--reason', 'worse', '--confirm=U1']);
  expect(back.stdout).toMatch(
    new RegExp(`^live -> first seed 1 ${shortId(ids[0])}\nbefore it: ${shortId(ids[1])}\naccount U1\n`),
  );
  expect(run(['registry', 'history', 'live']).stdout).toMatch(/rollback live: .* account U1 {2}worse\n$/);
});

it('verifies all, and names everything that is wrong with exit code 1', () => {
  const { code, stdout } = run(['registry', 'verify', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, head: registry.head().sha256 });
  expect(run(['registry', 'verify', '--head', 'f'.repeat(64)]).code).toBe(1);
  const history = readFileSync(registry.historyFile, 'utf8');
  writeFileSync(registry.historyFile, history.replace('worse', 'wrong'));
  writeFileSync(registry.bundleFile(ids[1]), 'rubbish');
  const bad = run(['registry', 'verify']);
  expect(bad.code).toBe(1);
  expect(bad.stdout).toMatch(new RegExp(`failed +${shortId(ids[1])}: BUNDLE_CORRUPT`));
  expect(bad.stdout).toMatch(/failed +history: REGISTRY/);
  expect(bad.stderr).toMatch(/^REGISTRY .*2 of 3 checks failed/);
});
