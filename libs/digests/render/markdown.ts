import type { Digest } from '../digest.ts';
import { figuresOf, type Section, sectionsOf } from './sections.ts';
import { basisText, moreText, number, stretchName, sumOf, titleOf } from './words.ts';

/** A digest as Markdown (CommonMark with GitHub's tables): the same bytes for the same digest. */
export function markdownOf(digest: Digest): string {
  const parts = [
    `# ${escaped(titleOf(digest))}`,
    `Workspace ${escaped(digest.workspace)}, from ${digest.from} to ${digest.to} (not included).`,
    table(
      [
        { name: 'figure', isNumber: false },
        { name: 'count', isNumber: true },
      ],
      figuresOf(digest).map(([name, value]) => [name, number(value)]),
    ),
    '## Calls over time',
    timeline(digest),
    ...sectionsOf(digest).flatMap(sectionText),
    '## How this was made',
    basisText(digest),
  ];
  return `${parts.join('\n\n')}\n`;
}

const BLOCKS = 40;

/** A bar a stretch; where nothing was, no bar. */
function timeline(digest: Digest): string {
  const most = Math.max(1, ...digest.timeline.map(sumOf));
  const rows = digest.timeline.map((calls) => {
    const bar = '█'.repeat(Math.ceil((sumOf(calls) / most) * BLOCKS));
    return [stretchName(digest, calls.from), number(sumOf(calls)), number(calls.denied), bar];
  });
  return table(
    [
      { name: 'from', isNumber: false },
      { name: 'calls', isNumber: true },
      { name: 'denied', isNumber: true },
      { name: '', isNumber: false },
    ],
    rows,
  );
}

function sectionText({ title, note, columns, rows, more }: Section): string[] {
  return [
    `## ${escaped(title)}`,
    ...(note === '' ? [] : [escaped(note)]),
    rows.length === 0 ? 'None.' : table(columns, rows),
    ...(more === 0 ? [] : [`… ${moreText(more)}.`]),
  ];
}

function table(columns: Section['columns'], rows: Section['rows']): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(({ name }) => escaped(name))),
    line(columns.map(({ isNumber }) => (isNumber ? '---:' : '---'))),
    ...rows.map((cells) => line(cells.map(escaped))),
  ].join('\n');
}

/**
 * Text in a table's cell or a line that shows as it is, whatever a caller chose: on one line, what begins an inline
 * construct escaped (CommonMark §2.4, §6), and no links made of addresses (GitHub's autolinks).
 */
export const escaped = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll(/[\\`*_[\]<>|~&$@!]|:(?=\/\/|[a-z+-][\w+-]*:)|(?<=www)\./gi, String.raw`\$&`);
