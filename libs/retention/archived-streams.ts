import { DENIALS_PREFIX, JOURNAL_PREFIX } from '../usage/use.ts';

/** What may grow old and go from the log into archives: what tokens did. Their lives, and all else, stay (DESIGN §4). */
export const ARCHIVED_PREFIXES: readonly string[] = [JOURNAL_PREFIX, DENIALS_PREFIX];

export const mayBeArchived = (stream: string): boolean => ARCHIVED_PREFIXES.some((prefix) => stream.startsWith(prefix));

/** Whether streams that begin with one of these may be archived ones; undefined: all streams. */
export const mayMeetArchived = (prefixes: readonly string[] | undefined): boolean =>
  prefixes === undefined ||
  prefixes.some((asked) => ARCHIVED_PREFIXES.some((ours) => asked.startsWith(ours) || ours.startsWith(asked)));

/** The UTC day in the name of such a stream, `YYYY-MM-DD`; null: it bears none, and never ripens. */
export const dayOf = (stream: string): string | null => /-(\d{4}-\d{2}-\d{2})$/.exec(stream)?.[1] ?? null;
