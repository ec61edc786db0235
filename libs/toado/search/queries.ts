import { Query } from '@nestjs/cqrs';
import type { Page, PageAsked } from '../../read-db/page.ts';
import type { Reach } from '../reach.ts';

export const SEARCHED = ['ticket', 'comment', 'project'] as const;
export type Searched = (typeof SEARCHED)[number];

/** Something found. */
export interface Hit {
  readonly kind: Searched;
  /** Of the ticket, comment or project. */
  readonly id: string;
  /** The ticket it is, or a comment is on; null for a project. */
  readonly ticket: string | null;
  readonly project: string;
  readonly company: string;
  /** Of the ticket, or the project's name. */
  readonly title: string;
  readonly archived: boolean;
  /** Where it was found, in pieces: plain text, whatever it looks like. */
  readonly snippet: readonly { readonly text: string; readonly hit: boolean }[];
}

/** A page of hits, and how many there are of each kind, counted no further than `MOST_COUNTED`. */
export interface Found extends Page<Hit> {
  readonly counts: Readonly<Record<Searched, number>>;
}

export const MOST_COUNTED = 1_000;
/** No search leads further: narrow it instead. */
export const MOST_HITS = 1_000;

/** Best first. */
export class Search extends Query<Found> {
  constructor(
    readonly request: PageAsked & {
      readonly reach: Reach;
      /** As people type it into a search box: words, "phrases", or, -without. */
      readonly text: string;
      readonly kind?: Searched | undefined;
    },
  ) {
    super();
  }
}
