import type { Hash } from './hash.ts';

/** `jsonl` is what is described here, and can be verified offline; the others are for other tools. */
export const EXPORT_FORMATS = ['jsonl', 'csv', 'cloudevents'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/**
 * A provable export, JSON Lines. Its lines cover the whole tree up to a signed checkpoint, leaf by leaf: an event that
 * is shown, or the hashes of a run of leaves that is not. So whoever reads it can reckon the signed root from the lines
 * alone: nothing shown was edited, and nothing between was left out of the reckoning. The order of lines is
 * head, (event | hidden)…, end.
 */
export interface ExportHead {
  readonly kind: 'export';
  readonly format: 'writ-export/v1';
  /** The signed note the lines lead up to. */
  readonly checkpoint: string;
  /** What is shown. */
  readonly filter: ExportFilter;
  /** RFC 3339. */
  readonly made_at: string;
}

/** Nothing given: everything. Times are RFC 3339, `from` inclusive, `to` exclusive, held against when events were stored. */
export interface ExportFilter {
  /** The first leaf shown; what is before it, an earlier export shows. */
  readonly from_leaf?: number;
  readonly workspace?: string;
  readonly token?: string;
  readonly operation?: string;
  readonly type?: string;
  readonly from?: string;
  readonly to?: string;
}

/** Leaves [from, to) that are not shown: the hashes of `subtreesOf(from, to)`, base64. */
export interface HiddenLine {
  readonly kind: 'hidden';
  readonly from: number;
  readonly to: number;
  readonly hashes: readonly string[];
}

export interface ExportEnd {
  readonly kind: 'end';
  /** Events shown. */
  readonly events: number;
  /** Of every byte before this line, hex. */
  readonly sha256: string;
}

const EVENT_HEAD = '{"kind":"event","leaf":';
const HASH_KEY = ',"hash":"';
const EVENT_KEY = '","event":';
const BASE64_HASH_LENGTH = 44;

/** An event as shown: `event` is its canonical form, to the byte; what the leaf hashes (canonical-event.ts). */
export interface ShownEvent {
  readonly leaf: number;
  /** Base64. Redundant, so that an edit is pinned on its line. */
  readonly hash: string;
  readonly event: string;
}

export const base64Of = (hash: Hash): string =>
  Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('base64');

export const eventLine = ({ leaf, hash, event }: ShownEvent): string =>
  `${EVENT_HEAD}${leaf}${HASH_KEY}${hash}${EVENT_KEY}${event}}`;

/** Cut out of the line, not parsed: a reader of millions only hashes it. Null: no event's line. */
export function parseEventLine(line: string): ShownEvent | null {
  if (!line.startsWith(EVENT_HEAD) || !line.endsWith('}')) return null;
  const leafEnd = line.indexOf(',', EVENT_HEAD.length);
  const leaf = Number(line.slice(EVENT_HEAD.length, leafEnd));
  const hashStart = leafEnd + HASH_KEY.length;
  const hashEnd = hashStart + BASE64_HASH_LENGTH;
  if (!Number.isSafeInteger(leaf) || leaf < 0) return null;
  if (!line.startsWith(HASH_KEY, leafEnd) || !line.startsWith(EVENT_KEY, hashEnd)) return null;
  return { leaf, hash: line.slice(hashStart, hashEnd), event: line.slice(hashEnd + EVENT_KEY.length, -1) };
}
