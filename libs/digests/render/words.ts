import type { Actor } from '../../person/actor.ts';
import type { Calls, Digest, TokenChange, TokenName } from '../digest.ts';

/** What both pages say, in words. All of it may hold text that callers chose: each page escapes it. */

// Not by Intl, whose words change with its version: the same digest is the same page.
const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const WEEKDAYS = 'Sun Mon Tue Wed Thu Fri Sat'.split(' ');

const monthOf = (ms: number): string => `${MONTHS[new Date(ms).getUTCMonth()]} ${new Date(ms).getUTCFullYear()}`;
const dateOf = (ms: number): string => `${new Date(ms).getUTCDate()} ${monthOf(ms)}`;

/** `Daily digest · 24 November 2026`. */
export function titleOf({ period, id, from, to }: Digest): string {
  switch (period) {
    case 'daily':
      return `Daily digest · ${dateOf(Date.parse(from))}`;
    case 'weekly':
      return `Weekly digest · ${id}, ${dateOf(Date.parse(from))} to ${dateOf(Date.parse(to) - 1)}`;
    case 'monthly':
      return `Monthly digest · ${monthOf(Date.parse(from))}`;
    default:
      return unknownPeriod(period);
  }
}

/** Of a stretch of the timeline: `14:00`, `Tue 24`, `24`. */
export function stretchName({ period }: Digest, from: string): string {
  switch (period) {
    case 'daily':
      return from.slice(11, 16);
    case 'weekly':
      return `${WEEKDAYS[new Date(from).getUTCDay()]} ${new Date(from).getUTCDate()}`;
    case 'monthly':
      return String(Number(from.slice(8, 10)));
    default:
      return unknownPeriod(period);
  }
}

/** `2026-11-24 14:03:12Z`. */
export const moment = (time: string): string => `${time.slice(0, 10)} ${time.slice(11, 19)}Z`;

export const tokenText = ({ label, owner }: TokenName): string => `${owner.name} (${label})`;

/** Who did it, as attributions say it (DESIGN §4). */
export function byText(by: Actor | null): string {
  if (by === null) return 'Writ itself';
  return by.label === null ? by.person.name : `${by.person.name} (${by.label}) via ${by.face}`;
}

export function changeText(change: TokenChange): string {
  switch (change.change) {
    case 'created':
      return `created with ${listed(change.scopes)}${change.expires_at === null ? '' : `, until ${moment(change.expires_at)}`}`;
    case 'renamed':
      return `renamed to ${change.name}`;
    case 'scoped':
      return `scopes changed:${signed('+', change.added)}${signed('−', change.removed)}${pinned(change.restrict)}`;
    case 'limits_changed': {
      const { reads, writes } = change.limits;
      const limit = (own: number | null): string => (own === null ? 'the default' : `${own} a minute`);
      return `limits changed: reads ${limit(reads)}, writes ${limit(writes)}${change.expires_at === null ? '' : `, until ${moment(change.expires_at)}`}`;
    }
    case 'suspended':
      return 'suspended';
    case 'resumed':
      return 'resumed';
    case 'rotated':
      return `rotated, succeeded by ${change.successor}${change.overlap_ends_at === null ? '' : `, itself valid until ${moment(change.overlap_ends_at)}`}`;
    case 'revoked':
      return `revoked: ${change.reason.replaceAll('_', ' ')}${change.note === null ? '' : `, “${change.note}”`}`;
    default:
      return unknownChange(change);
  }
}

const signed = (sign: string, scopes: readonly string[]): string => scopes.map((scope) => ` ${sign}${scope}`).join('');

function pinned({
  companies,
  projects,
}: {
  readonly companies: readonly string[];
  readonly projects: readonly string[];
}) {
  const to = [...companies.map((id) => `company ${id}`), ...projects.map((id) => `project ${id}`)];
  return to.length === 0 ? '' : `; pinned to ${listed(to)}`;
}

export const listed = (items: readonly string[]): string => (items.length === 0 ? 'none' : items.join(', '));

/** `12,345`. */
export const number = (count: number): string => String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');

export const sumOf = ({ allowed, failed, denied }: Calls): number => allowed + failed + denied;

/** How many of a list are not shown. */
export const moreText = (more: number): string =>
  more === 0 ? '' : `and ${number(more)} more, which are only counted`;

/** What the page is, and how to make sure of it. */
export const basisText = ({ log_position, id, to }: Digest): string =>
  `Made from the event log alone: all events before position ${log_position}, where the period was closed after ${moment(to)}. Days are UTC. Calls count by their own time, refusals counted together by the last of them. It is kept in the log itself (\`digest-…-${id}\`), so an export with its proof shows that it was not edited since.`;

function unknownPeriod(period: never): never {
  throw new Error(`unknown period ${String(period)}`);
}

function unknownChange(change: never): never {
  throw new Error(`unknown change ${JSON.stringify(change)}`);
}
