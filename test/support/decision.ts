/** What a caller is told, whatever face it came by. */
export type Decision =
  'let in' | 'who are you' | `lacks ${string}` | 'forbidden' | 'not there' | 'too many' | 'malformed';

export function decided(status: number, { missing_scope: scope }: { readonly missing_scope?: unknown }): Decision {
  if (status === 401) return 'who are you';
  if (status === 403) return scope === undefined ? 'forbidden' : `lacks ${String(scope)}`;
  if (status === 404) return 'not there';
  if (status === 429) return 'too many';
  if (status === 400 || status === 422) return 'malformed';
  // A conflict tells of the thing: who hears of it was let in.
  if (status < 300 || status === 409 || status === 412) return 'let in';
  throw new Error(`answered ${status}`);
}
