/** What `openbell registry list | show | diff | history` does. */
import { shortId } from '#src/registry/bundle.js';
import { diffText } from '#src/registry/diff-text.js';
import { diffBundles } from '#src/registry/diff.js';
import type { AliasChange } from '#src/registry/history.js';
import { listBundles, storyOf } from '#src/registry/list.js';
import type { AliasName } from '#src/registry/aliases.js';
import { alignedLines } from '#src/report/text-table.js';
import { openRegistry } from './open-registry.js';

export function list({ json }: { json: boolean }): void {
  const registry = openRegistry();
  const rows = listBundles(registry);
  if (json) console.log(JSON.stringify(rows, null, 2));
  else if (rows.length === 0) console.error(`no bundles in ${registry.folder} yet: openbell promote RUN --to paper`);
  else {
    const table = rows.map((row) => [
      row.id,
      row.aliases.join(' '),
      row.name === null ? 'DAMAGED' : `${row.name} seed ${row.seed}`,
      row.created_at === null ? '' : `${row.created_at.slice(0, 16).replace('T', ' ')}, ${age(row.created_at)}`,
      oneLine(row.verdict ?? 'not evaluated'),
      row.forced ? 'FORCED' : '',
    ]);
    for (const line of alignedLines(['bundle', 'aliases', 'run', 'created (UTC)', 'verdict', ''], table))
      console.log(line);
  }
  for (const { error } of rows) if (error !== null) console.error(error);
}

export function show({ bundle: reference, json }: { bundle: string; json: boolean }): void {
  const registry = openRegistry();
  const { manifest, sha256 } = registry.load(reference);
  const changes = storyOf(registry, sha256);
  if (json) console.log(JSON.stringify({ sha256, ...manifest, changes }, null, 2));
  else {
    const facts = [
      ['sha256', sha256],
      ['file', registry.fileOf(reference)],
      ['name', `${manifest.name}, seed ${manifest.run.seed}, ${oneLine(manifest.run.checkpoint)} checkpoint`],
      ['run', oneLine(manifest.run.path)],
      ...changes.map((change): [string, string] => ['', `${change.at}  ${changeText(change)}`]),
    ];
    for (const line of alignedLines(null, facts)) console.log(line);
    console.log(`\n${printable(manifest.model_card.trimEnd())}`);
  }
}

export function diff({ a, b, json }: { a: string; b: string; json: boolean }): void {
  const registry = openRegistry();
  const diff = diffBundles(registry.load(a), registry.load(b));
  console.log(json ? JSON.stringify(diff, null, 2) : printable(diffText(diff)));
}

export function history({ alias, json }: { alias: AliasName | undefined; json: boolean }): void {
  const registry = openRegistry();
  const changes = registry.history().filter((change) => alias === undefined || change.alias === alias);
  if (json) console.log(JSON.stringify(changes, null, 2));
  else if (changes.length === 0) console.error(`no alias in ${registry.folder} has been moved yet`);
  else for (const change of changes) console.log(`${change.at}  ${changeText(change)}`);
}

function changeText({ alias, action, from, to, reason, account, forced }: AliasChange): string {
  return [
    `${action} ${alias}: ${from === null ? 'nothing' : shortId(from)} -> ${shortId(to)}`,
    account === null ? '' : `account ${account}`,
    forced ? 'FORCED' : '',
    oneLine(reason),
  ]
    .filter((part) => part !== '')
    .join('  ');
}

/** Without what would move a terminal's cursor: the text may be somebody else's. */
const printable = (text: string): string => text.replace(/[^\P{Cc}\n]|\p{Bidi_Control}/gu, '');

const oneLine = (text: string): string => printable(text.replace(/\s+/g, ' '));

/** "5 min ago", "3 h ago", "12 d ago" */
function age(created: string): string {
  const minutes = Math.max(0, (Date.now() - Date.parse(created)) / 60_000);
  if (minutes < 90) return `${minutes.toFixed(0)} min ago`;
  return minutes < 48 * 60 ? `${(minutes / 60).toFixed(0)} h ago` : `${(minutes / 1440).toFixed(0)} d ago`;
}
