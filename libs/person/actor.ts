import type { Face } from '../usage/use.ts';
import type { Person } from './person.ts';

/** Who did something, kept in the metadata of every domain event as `actor`. */
export interface Actor {
  readonly person: Person;
  /** Token id; null for what the system did itself (the founding of a workspace). */
  readonly token: string | null;
  /** The token's name when it acted. */
  readonly label: string | null;
  readonly face: Face;
}

/** What anything written by a token shows of its writer (DESIGN §5). */
export interface By {
  readonly owner: Person;
  readonly label: string | null;
  readonly token: string | null;
  readonly face: Face;
  /** RFC 3339. */
  readonly at: string;
  /** `Jason (claude-code on macbook) · via MCP · just now` */
  readonly text: string;
}
