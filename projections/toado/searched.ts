/**
 * What of each table is searched, as one expression for its index and for its queries: only what is written the same
 * finds the index. Of long texts the first 100,000 characters: more may not fit a tsvector (1 MiB).
 */
const words = (weight: 'A' | 'B', column: string): string =>
  `setweight(to_tsvector('english', left(${column}, 100000)), '${weight}')`;

export const TICKET_WORDS = `${words('A', 'title')} || ${words('B', 'body')}`;
export const COMMENT_WORDS = words('B', 'body');
export const PROJECT_WORDS = `${words('A', 'name')} || ${words('B', 'description')}`;

export const wordIndex = (expression: string): string => `using gin ((${expression}))`;
