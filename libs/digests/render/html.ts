import type { Digest } from '../digest.ts';
import { type Bar, barChart, columnChart } from './charts.ts';
import { escapeHtml } from './escape-html.ts';
import { figuresOf, type Section, sectionsOf } from './sections.ts';
import { STYLE, STYLE_HASH } from './style.ts';
import { basisText, moreText, number, stretchName, sumOf, titleOf, tokenText } from './words.ts';

const MOST_BARS = 12;

/**
 * A digest as one page that needs nothing else, for screens and paper: no script, no address it would load from, and a
 * policy that would let none. The same bytes for the same digest.
 */
export function htmlOf(digest: Digest): string {
  const title = escapeHtml(titleOf(digest));
  const { workspace, from, to } = digest;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '${STYLE_HASH}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="faint">Workspace <code>${escapeHtml(workspace)}</code>, from ${escapeHtml(from)} to ${escapeHtml(to)} (not included).</p>
</header>
<main>
<dl>
${figuresOf(digest).map(figure).join('\n')}
</dl>
${charts(digest)}
${sectionsOf(digest).map(section).join('\n')}
</main>
<footer>
<p>${escapeHtml(basisText(digest).replaceAll('`', ''))}</p>
</footer>
</body>
</html>
`;
}

const figure = ([name, value]: readonly [string, number]): string =>
  `<div><dt>${escapeHtml(name)}</dt><dd${value === 0 ? ' class="none"' : ''}>${number(value)}</dd></div>`;

function charts(digest: Digest): string {
  const { timeline, tokens, faces, operations } = digest;
  const over = timeline.map((calls): Bar => ({ name: stretchName(digest, calls.from), calls }));
  const byToken = tokens.items.map(({ token, ...calls }): Bar => ({ name: tokenText(token), calls }));
  const byFace = faces.map(({ face, ...calls }): Bar => ({ name: face, calls }));
  const byOperation = operations.items.map(({ operation, ...calls }): Bar => ({ name: operation, calls }));
  return [
    chart('Calls over time', columnChart, over),
    chart('The busiest tokens', barChart, byToken.slice(0, MOST_BARS)),
    chart('The most used operations', barChart, byOperation.slice(0, MOST_BARS)),
    chart(
      'Faces',
      barChart,
      byFace.filter(({ calls }) => sumOf(calls) > 0),
    ),
  ].join('\n');
}

function chart(title: string, draw: (title: string, bars: readonly Bar[]) => string, bars: readonly Bar[]): string {
  const heading = `<h2>${escapeHtml(title)}</h2>`;
  if (bars.every(({ calls }) => sumOf(calls) === 0)) return `${heading}\n<p class="faint">No calls.</p>`;
  return `${heading}\n<figure>${draw(title, bars)}</figure>`;
}

function section({ title, note, columns, rows, more }: Section): string {
  const heading = `<section>\n<h2>${escapeHtml(title)}</h2>${note === '' ? '' : `\n<p class="faint">${escapeHtml(note)}</p>`}`;
  if (rows.length === 0) return `${heading}\n<p>None.</p>\n</section>`;
  const cell = (tag: 'th' | 'td', text: string, index: number): string =>
    `<${tag}${tag === 'th' ? ' scope="col"' : ''}${columns[index]?.isNumber === true ? ' class="number"' : ''}>${escapeHtml(text)}</${tag}>`;
  const head = columns.map(({ name }, index) => cell('th', name, index)).join('');
  const body = rows.map((row) => `<tr>${row.map((text, index) => cell('td', text, index)).join('')}</tr>`).join('\n');
  const rest = more === 0 ? '' : `\n<p class="faint">… ${escapeHtml(moreText(more))}.</p>`;
  return `${heading}\n<div class="scroll"><table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table></div>${rest}\n</section>`;
}
