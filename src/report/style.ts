/** The page's style sheet: system fonts only, one column, light and dark, made to be printed too. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f4f5f7; --card: #ffffff; --ink: #1c222b; --soft: #5b6472; --line: #e3e6ea;
  --none: #5b6472; --negative: #b4471a; --evidence: #00785a; --warn-back: #fff4e5; --warn-line: #e69f00; --warn-ink: #6b4a00;
}
@media (prefers-color-scheme: dark) {
  :root { --page: #14171c; --card: #1d2128; --ink: #e8eaee; --soft: #a3abb8; --line: #31363f;
    --none: #a3abb8; --negative: #f0885a; --evidence: #3fcf9f; --warn-back: #33290f; --warn-line: #b98712; --warn-ink: #f5dca0; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 32px 20px 64px; }
header h1 { font-size: 26px; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
header p { margin: 4px 0 20px; color: var(--soft); }
h2 { font-size: 17px; margin: 0 0 4px; }
section, .verdict, .alarm, .tiles > div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
section { padding: 20px 22px; margin-top: 18px; }
section > p { color: var(--soft); margin: 0 0 12px; font-size: 13.5px; }
.verdict { padding: 16px 20px; border-left: 6px solid var(--none); font-size: 16.5px; }
.verdict.negative { border-left-color: var(--negative); }
.verdict.evidence { border-left-color: var(--evidence); }
.verdict strong { display: block; font-size: 12px; letter-spacing: .07em; text-transform: uppercase; color: var(--soft); }
.alarm { padding: 10px 16px; margin-top: 10px; background: var(--warn-back); border-color: var(--warn-line); color: var(--warn-ink); font-size: 14px; }
.alarm.note { background: var(--card); border-color: var(--line); color: var(--soft); }
.synthetic { background: #7a1fa2; color: #fff; font-weight: 700; letter-spacing: .05em; text-align: center; padding: 10px 16px; border-radius: 10px; margin-bottom: 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(145px, 1fr)); gap: 12px; margin-top: 18px; }
.tiles > div { padding: 12px 14px; }
.tiles dt { font-size: 12.5px; color: var(--soft); }
.tiles dd { margin: 2px 0 0; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums; }
.tiles dd span { font-size: 14px; font-weight: 400; color: var(--soft); }
.tiles dd small { display: block; font-size: 12px; font-weight: 400; color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 10px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { font-weight: 600; font-size: 13px; color: var(--soft); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td:first-child { color: var(--soft); }
td:nth-child(2), th:nth-child(2) { color: var(--ink); font-weight: 600; }
table:not(.trades) td:nth-child(7) { color: var(--soft); }
tr:last-child td { border-bottom: 0; }
.sure td:last-child, .sure th:last-child { text-align: left; white-space: normal; min-width: 260px; color: var(--soft); font-size: 13px; }
.trades td, .trades th { font-weight: 400; padding: 4px 8px; font-size: 13px; }
.trades th { font-weight: 600; }
figure { margin: 0; background: #fff; border-radius: 6px; overflow-x: auto; }
figure svg { display: block; width: 100%; min-width: 560px; height: auto; margin: 0 auto; }
.bar { display: flex; height: 14px; border-radius: 4px; overflow: hidden; background: var(--line); margin: 10px 0 6px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 13px; color: var(--soft); }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 6px; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 8px 0 0; font-size: 13.5px; }
dl.facts dt { color: var(--soft); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
details { margin-top: 14px; }
summary { cursor: pointer; color: var(--soft); font-size: 13.5px; }
pre { overflow-x: auto; font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; background: var(--page); border-radius: 6px; padding: 12px 14px; margin: 8px 0 0; }
footer { color: var(--soft); font-size: 12.5px; margin-top: 24px; }
@media print {
  :root { --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #ccc; }
  body { font-size: 12px; } main { max-width: none; padding: 0; } section, figure, table { break-inside: avoid; }
}
`.trim();
