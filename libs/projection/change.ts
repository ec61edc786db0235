export type Row = Readonly<Record<string, unknown>>;

/** What an event does to a read model. Columns left out are null in `put`, `add` and `gather`, untouched in `set`. */
export type Change =
  /** The row is as given, whatever was there under its primary key. */
  | { readonly kind: 'put'; readonly table: string; readonly row: Row }
  /** The row, unless a unique key of it is there already. */
  | { readonly kind: 'add'; readonly table: string; readonly row: Row }
  /** Some columns of the row with this primary key; nothing where there is none. */
  | { readonly kind: 'set'; readonly table: string; readonly key: Row; readonly values: Row }
  /** The row, or what it brings to the one there, column by column (`Table.gathers`). */
  | { readonly kind: 'gather'; readonly table: string; readonly row: Row };

export const put = (table: string, row: Row): Change => ({ kind: 'put', table, row });
export const add = (table: string, row: Row): Change => ({ kind: 'add', table, row });
export const set = (table: string, key: Row, values: Row): Change => ({ kind: 'set', table, key, values });
export const gather = (table: string, row: Row): Change => ({ kind: 'gather', table, row });
