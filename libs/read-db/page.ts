/** A page of a list, as it goes over the wire (DESIGN §5). */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Opaque; null on the last page. */
  readonly next: string | null;
}

/** The part of a list that is asked for. */
export interface PageAsked {
  /** A malformed one throws BadCursor. */
  readonly cursor: string | null;
  readonly limit: number;
  /** What `just now` is counted from, Unix ms. */
  readonly nowMs: number;
}

/** The cursor was not made by this list. Thrown before anything is read; the face answers 400 `invalid`. */
export class BadCursor extends Error {
  override readonly name = 'BadCursor';
  constructor() {
    super('The cursor is not one this list has given out');
  }
}

/** A cursor names the list it belongs to and the place the next page starts after. */
export const encodeCursor = (list: string, ...place: readonly (number | string)[]): string =>
  Buffer.from([list, ...place].join(':')).toString('base64url');

/** A place as texts, none of which holds a colon. @throws BadCursor */
export function decodeTextCursor(list: string, cursor: string | null, parts: number): readonly string[] | null {
  if (cursor === null) return null;
  const [name, ...place] = Buffer.from(cursor, 'base64url').toString().split(':');
  const good = name === list && place.length === parts && encodeCursor(list, ...place) === cursor;
  if (!good) throw new BadCursor();
  return place;
}

/** @throws BadCursor */
export function decodeCursor(list: string, cursor: string | null, parts = 1): readonly number[] | null {
  const numbers = decodeTextCursor(list, cursor, parts)?.map(Number) ?? null;
  if (numbers === null) return null;
  const good = numbers.every((n) => Number.isSafeInteger(n) && n >= 0) && encodeCursor(list, ...numbers) === cursor;
  if (!good) throw new BadCursor();
  return numbers;
}

/** A page from one row more than was asked for: that row tells whether there is a next one. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => Item,
  cursorAfter: (row: Row) => string,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(view),
    next: rows.length > limit && last !== undefined ? cursorAfter(last) : null,
  };
}
