/** The frame of a page: one self-contained file, which loads nothing from anywhere. */
import { STYLE } from './style.js';

export interface Page {
  /** As text; it is escaped here. */
  readonly title: string;
  /** HTML, one part after another. */
  readonly body: readonly string[];
  /** As text. */
  readonly footer: string;
  /** Further rules of style. */
  readonly style?: string;
  /** Inline, the page's own; most pages have none. */
  readonly script?: string;
}

export function pageOf({ title, body, footer, style, script }: Page): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} – OpenBell</title>
<style>
${STYLE}${style === undefined ? '' : `\n${style}`}
</style>
</head>
<body>
<main>
${body.join('\n')}
<footer>${escapeHtml(footer)}</footer>
</main>
${script === undefined ? '' : `<script>\n${script}\n</script>\n`}</body>
</html>
`;
}

export function section(title: string, text: string, body: string): string {
  return `<section>\n<h2>${escapeHtml(title)}</h2>\n${text === '' ? '' : `<p>${escapeHtml(text)}</p>\n`}${body}\n</section>`;
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
