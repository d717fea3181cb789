/** The comparison of two bundles for a terminal. */
import { decimal } from '#src/report/format.js';
import { alignedLines, plainText } from '#src/report/text-table.js';
import { shortId } from './bundle.js';
import type { BundleDiff, KeyDifference } from './diff.js';
import { SHOWN_FIGURES } from './shown-figures.js';

const ABSENT = '-';

export function diffText(diff: BundleDiff): string {
  if (diff.same) return `${shortId(diff.a)} and ${shortId(diff.b)} are the same bundle, byte for byte`;
  const sections = [
    keys('Where they come from', diff.origin),
    keys('What trades', diff.trading),
    keys('Data', diff.data),
    keys('Agent and training', diff.configuration),
    weights(diff),
    evaluation(diff),
    gates(diff),
  ];
  const head = `A ${shortId(diff.a)}\nB ${shortId(diff.b)}`;
  return plainText([head, ...sections].join('\n\n'));
}

function section(title: string, lines: readonly string[]): string {
  return [title, ...lines.map((line) => `  ${line}`)].join('\n');
}

function keys(title: string, found: readonly KeyDifference[]): string {
  if (found.length === 0) return section(title, ['the same']);
  const cut = (text: string | null): string =>
    text === null ? ABSENT : text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return section(
    title,
    alignedLines(
      ['', 'A', 'B'],
      found.map(({ key, a, b }) => [key, cut(a), cut(b)]),
    ),
  );
}

function weights({ weights: tensors }: BundleDiff): string {
  const moved = tensors.filter(({ equal }) => !equal);
  if (moved.length === 0) return section('Weights', [`the same bits in all ${tensors.length} tensors`]);
  const small = (value: number | null): string => (value === null ? ABSENT : value.toPrecision(3));
  const rows = moved.map(({ tensor, shape, maxAbs, l2, l2OfA }) => [
    tensor,
    shape.join('x'),
    maxAbs === null ? 'other shape' : small(maxAbs),
    small(l2),
    small(l2OfA),
  ]);
  const title = `Weights: ${moved.length} of ${tensors.length} tensors differ`;
  return section(title, alignedLines(['tensor', 'shape', 'max |A-B|', '|A-B|', '|A|'], rows));
}

function evaluation({ evaluation: { comparable, verdictA, verdictB, figures } }: BundleDiff): string {
  if (figures.length === 0) return section('Evaluation', ['neither was evaluated']);
  const rows = figures.map(({ figure, a, b }) => {
    const shown = SHOWN_FIGURES.find(({ key }) => key === figure);
    const show = shown?.show ?? decimal;
    return [shown?.label ?? figure, show(a), show(b)];
  });
  const title = `Evaluation${comparable === false ? ': NOT ON THE SAME BARS, so that the figures do not compare' : ''}`;
  return section(
    title,
    alignedLines(
      ['', 'A', 'B'],
      [...rows, ['Verdict', verdictA ?? 'not evaluated', verdictB ?? 'not evaluated']].map((row) => row.map(plainText)),
    ),
  );
}

function gates({ gates: found }: BundleDiff): string {
  if (found.length === 0) return section('Gates', ['the same outcomes, or none were asked']);
  const said = (verdict: string | null, measured: string | null): string =>
    verdict === null ? 'not asked' : `${verdict} (${measured ?? 'not measured'})`;
  return section(
    'Gates',
    alignedLines(
      ['', 'A', 'B'],
      found.map(({ gate, a, b, measuredA, measuredB }) => [gate, said(a, measuredA), said(b, measuredB)]),
    ),
  );
}
