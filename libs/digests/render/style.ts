import { hash } from 'node:crypto';

/** The one style sheet of a digest's page: screen and print, light and dark. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2126; --faint: #5c6670; --line: #d9dee3; --ground: #fff; --panel: #f5f7f9;
  --allowed: #2b6cb0; --failed: #b7791f; --denied: #c53030; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --faint: #9aa4ae; --line: #38414a; --ground: #14181c;
  --panel: #1c2228; --allowed: #63a4e8; --failed: #e0b04c; --denied: #f08080; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 68rem; color: var(--ink); background: var(--ground);
  font: 15px/1.5 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
h1 { margin: 0 0 .25rem; font-size: 1.7rem; line-height: 1.25; }
h2 { margin: 2.5rem 0 .25rem; font-size: 1.15rem; break-after: avoid; }
p { margin: .25rem 0 .75rem; }
.faint, figcaption { color: var(--faint); }
code { font: .92em ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .6rem; margin: 1.25rem 0; }
dl div { padding: .6rem .8rem; background: var(--panel); border-radius: .4rem; break-inside: avoid; }
dt { color: var(--faint); font-size: .85rem; }
dd { margin: 0; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
dd.none { color: var(--faint); }
figure { margin: 1rem 0; break-inside: avoid; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--faint); font: 11px system-ui, Arial, sans-serif; }
svg .name { fill: var(--ink); }
.allowed { fill: var(--allowed); } .failed { fill: var(--failed); } .denied { fill: var(--denied); }
.axis { stroke: var(--line); stroke-width: 1; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
th { text-align: left; color: var(--faint); font-weight: 600; white-space: nowrap; }
th, td { padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; overflow-wrap: normal; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--faint); font-size: .9rem; }
@media print { :root { color-scheme: light; --ink: #000; --faint: #444; --line: #bbb; --ground: #fff; --panel: #f2f2f2;
  --allowed: #2b6cb0; --failed: #b7791f; --denied: #c53030; }
  body { max-width: none; padding: 0; font-size: 10pt; } .scroll { overflow: visible; }
  svg rect, dl div { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`;

/** What a Content-Security-Policy allows it by (CSP 3 §6.7.3). */
export const STYLE_HASH = `sha256-${hash('sha256', STYLE, 'base64')}`;
