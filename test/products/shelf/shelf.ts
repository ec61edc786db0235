import type { Decider } from '../../../libs/event-log/decide-and-append.ts';

/** The books of a workspace, in stream `shelf-<workspace>`. */
export interface BookShelved {
  readonly type: 'BookShelved';
  readonly data: { readonly id: string; readonly title: string; readonly at: string };
}

export type ShelveBook = BookShelved['data'];

export type Shelf = readonly BookShelved['data'][];

export const shelfDecider: Decider<ShelveBook, Shelf, BookShelved, never> = {
  initialState: [],
  decide: (book) => [{ type: 'BookShelved', data: book }],
  evolve: (shelf, { data }) => [...shelf, data],
};

export const shelfStream = (workspace: string): string => `shelf-${workspace}`;
