import { WrongUsage } from './failures.ts';

/** What people type, read or refused (WrongUsage) before the server is asked. */

const TOKEN_ID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const WHOLE_TOKEN = /^[a-z_]+_([0-7][0-9A-HJKMNP-TV-Z]{25})[0-9A-Za-z]+$/;

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };
const DURATION = /^(\d{1,9})([smhdw])$/;
/** RFC 3339 §5.6; a day alone would leave its zone to guess. */
const TIME = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/** A token's id. Whoever pastes the token itself is told its id: the secret goes nowhere, not even back to the screen (P5). */
export function parseTokenId(text: string): string {
  if (TOKEN_ID.test(text)) return text;
  const id = WHOLE_TOKEN.exec(text)?.[1];
  if (id !== undefined) {
    throw new WrongUsage(`That is the token itself, which is a secret; its id is ${id}. Your shell may have kept it.`);
  }
  throw new WrongUsage('A token’s id is the 26 characters `writ token list` shows.');
}

export function parseRequestId(text: string): string {
  if (TOKEN_ID.test(text)) return text;
  throw new WrongUsage('A request’s id is the 26 characters of an answer’s X-Request-Id.');
}

/** A day, an ISO week or a month, as digests are named by. */
export function parsePeriodId(text: string): string {
  if (/^\d{4}-(?:\d{2}(?:-\d{2})?|W\d{2})$/.test(text)) return text;
  throw new WrongUsage(
    `Not a period: ${quote(text)}. Write a day (2026-11-24), an ISO week (2026-W48) or a month (2026-11).`,
  );
}

/** `90s`, `45m`, `12h`, `30d`, `2w`, in seconds. */
export function parseDuration(text: string): number {
  const [, count, unit] = DURATION.exec(text) ?? [];
  if (count === undefined || unit === undefined) {
    throw new WrongUsage(`Not a duration: ${quote(text)}. Write 90s, 45m, 12h, 30d or 2w.`);
  }
  return Number(count) * UNIT_SECONDS[unit]!;
}

/** A time, or a duration from now, as RFC 3339 in UTC. */
export function parseTime(text: string, nowMs: number): string {
  if (DURATION.test(text)) return instant(nowMs + parseDuration(text) * 1000, text);
  if (!TIME.test(text)) {
    throw new WrongUsage(`Not a time: ${quote(text)}. Write 2027-01-31T12:00:00Z, or 30d or 12h from now.`);
  }
  return instant(Date.parse(text.toUpperCase()), text);
}

/** A count of one or more. */
export function parseCount(text: string, what: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new WrongUsage(`${what} must be a whole number of 1 or more, not ${quote(text)}.`);
  return Number(text);
}

/** One of a few words; nest-commander's own `choices` are only shown in the help, since its handlers replace the check. */
export function parseOneOf(text: string, choices: readonly string[], what: string): string {
  if (!choices.includes(text)) throw new WrongUsage(`${what} must be one of ${choices.join(', ')}.`);
  return text;
}

/** A revision, counted from 0; the ETag it comes from may be pasted with its quotes. */
export function parseRevision(text: string): number {
  const revision = /^"?(\d{1,15})"?$/.exec(text)?.[1];
  if (revision === undefined) throw new WrongUsage(`A revision is a whole number, not ${quote(text)}.`);
  return Number(revision);
}

/** Repeated or with commas, in the order given. */
export const addToList = (text: string, before: readonly string[] = []): string[] => [
  ...before,
  ...text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
];

function instant(ms: number, text: string): string {
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) throw new WrongUsage(`There is no such time: ${quote(text)}.`);
  return new Date(ms).toISOString();
}

/** What was typed, short and on one line: it may be a secret pasted into the wrong place, so not much of it. */
const quote = (text: string): string => JSON.stringify(text.length > 32 ? `${text.slice(0, 8)}…` : text);
