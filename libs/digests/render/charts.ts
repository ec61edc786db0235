import type { Calls } from '../digest.ts';
import { escapeHtml } from './escape-html.ts';
import { number, sumOf } from './words.ts';

/** Charts as SVG, without script; colours come from the page's style sheet (style.ts). */

export interface Bar {
  readonly name: string;
  readonly calls: Calls;
}

const PARTS = ['allowed', 'failed', 'denied'] as const;

const WIDTH = 960;
const HEIGHT = 220;
const LEFT = 56;
const TOP = 24;
const BOTTOM = 24;
const GAP = 0.2;
/** About so many names fit beneath. */
const MOST_NAMES = 16;

/** Columns over time, each of its calls allowed, failed and denied. */
export function columnChart(title: string, bars: readonly Bar[]): string {
  const top = roundedUp(Math.max(1, ...bars.map(({ calls }) => sumOf(calls))));
  const height = HEIGHT - TOP - BOTTOM;
  const base = HEIGHT - BOTTOM;
  const step = (WIDTH - LEFT) / Math.max(1, bars.length);
  const everyNth = Math.ceil(bars.length / MOST_NAMES);
  const lines = [0, 0.5, 1]
    .filter((share) => Number.isInteger(top * share))
    .map((share) => {
      const y = shown(base - height * share);
      return `<line class="axis" x1="${LEFT}" x2="${WIDTH}" y1="${y}" y2="${y}"/><text x="${LEFT - 8}" y="${y}" dy="4" text-anchor="end">${number(top * share)}</text>`;
    });
  const columns = bars.map(({ name, calls }, index) => {
    const x = LEFT + index * step;
    let y = base;
    const parts = PARTS.filter((part) => calls[part] > 0).map((part) => {
      const tall = (calls[part] / top) * height;
      y -= tall;
      return `<rect class="${part}" x="${shown(x + (step * GAP) / 2)}" y="${shown(y)}" width="${shown(step * (1 - GAP))}" height="${shown(tall)}"/>`;
    });
    const label =
      index % everyNth === 0
        ? `<text x="${shown(x + step / 2)}" y="${HEIGHT - 6}" text-anchor="middle">${escapeHtml(name)}</text>`
        : '';
    return `<g><title>${escapeHtml(`${name}: ${callsText(calls)}`)}</title>${parts.join('')}${label}</g>`;
  });
  return svg(title, HEIGHT, [LEGEND, ...lines, ...columns].join(''));
}

const ROW = 26;
const NAMES = 300;
const COUNTS = 70;
const LONGEST_NAME = 42;

/** A bar a line, the longest first or in whatever order they come. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const most = Math.max(1, ...bars.map(({ calls }) => sumOf(calls)));
  const room = WIDTH - NAMES - COUNTS;
  const lines = bars.map(({ name, calls }, index) => {
    const y = TOP + index * ROW;
    let x = NAMES;
    const parts = PARTS.filter((part) => calls[part] > 0).map((part) => {
      const wide = (calls[part] / most) * room;
      const rect = `<rect class="${part}" x="${shown(x)}" y="${y + 4}" width="${shown(wide)}" height="${ROW - 10}"/>`;
      x += wide;
      return rect;
    });
    const label = `<text class="name" x="${NAMES - 10}" y="${y + 17}" text-anchor="end">${escapeHtml(shortened(name))}</text>`;
    const count = `<text x="${shown(x + 6)}" y="${y + 17}">${number(sumOf(calls))}</text>`;
    return `<g><title>${escapeHtml(`${name}: ${callsText(calls)}`)}</title>${label}${parts.join('')}${count}</g>`;
  });
  return svg(title, TOP + bars.length * ROW + 4, [LEGEND, ...lines].join(''));
}

/** What the colours stand for; the words stand beside them, for those who do not see them apart. */
const LEGEND = PARTS.map((part, index) => {
  const x = LEFT + index * 80;
  return `<rect class="${part}" x="${x}" y="4" width="10" height="10"/><text x="${x + 15}" y="13">${part}</text>`;
}).join('');

const svg = (title: string, height: number, content: string): string =>
  `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(title)}">${content}</svg>`;

const callsText = ({ allowed, failed, denied }: Calls): string =>
  `${number(allowed)} allowed, ${number(failed)} failed, ${number(denied)} denied`;

function shortened(name: string): string {
  const characters = [...name];
  return characters.length <= LONGEST_NAME ? name : `${characters.slice(0, LONGEST_NAME - 1).join('')}…`;
}

/** 1, 2, 4, 6, 8, 10, 20, 40, …: an axis with whole numbers. */
function roundedUp(most: number): number {
  const tens = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 4, 6, 8, 10].map((factor) => factor * tens).find((end) => end >= most) ?? most;
}

/** Two digits after the point, as any machine writes them. */
const shown = (length: number): string => String(Math.round(length * 100) / 100);
