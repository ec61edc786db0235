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

/** Personal values of one person, as they were before they were sealed (libs/privacy). */
export interface OpenedValues {
  readonly person: string;
  /** In the order of the sealed `at`. */
  readonly values: readonly string[];
  /** The sealed `commitment` is the SHA-256 of it and of the values as a JSON list, base64. */
  readonly salt: string;
}

const EVENT_HEAD = '{"kind":"event","leaf":';
const HASH_KEY = ',"hash":"';
const EVENT_KEY = '","event":';
/** Between hash and event, where what is sealed in it is shown opened. A text within holds no bare quote: it ends here only. */
const OPENED_KEY = '","opened":';
const OPENED_END = ',"event":{';
const BASE64_HASH_LENGTH = 44;
/** Of what goes before an event, or before what is shown opened of it: the leaf has sixteen digits at most. */
const LONGEST_HEAD = EVENT_HEAD.length + 16 + HASH_KEY.length + BASE64_HASH_LENGTH + OPENED_KEY.length;
const CLOSING_BRACE = 0x7d;

/** An event as shown: `event` is its canonical form, to the byte; what the leaf hashes (canonical-event.ts). */
export interface ShownEvent<Text = string> {
  readonly leaf: number;
  /** Base64. Redundant, so that an edit is pinned on its line. */
  readonly hash: string;
  readonly event: Text;
  /** What is sealed in it; absent: it was not asked for, or is nothing. */
  readonly opened?: readonly OpenedValues[];
}

export const base64Of = (hash: Hash): string =>
  Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('base64');

export function eventLine({ leaf, hash, event, opened }: ShownEvent): string {
  const head = `${EVENT_HEAD}${leaf}${HASH_KEY}${hash}`;
  return opened === undefined
    ? `${head}${EVENT_KEY}${event}}`
    : `${head}${OPENED_KEY}${JSON.stringify(opened)},"event":${event}}`;
}

/** Cut out of the line's bytes, not parsed: a reader of millions only hashes it. Null: no event's line. */
export function parseEventLine(line: Buffer): ShownEvent<Buffer> | null {
  const head = line.toString('latin1', 0, LONGEST_HEAD);
  if (!head.startsWith(EVENT_HEAD) || line[line.length - 1] !== CLOSING_BRACE) return null;
  const leafEnd = head.indexOf(',', EVENT_HEAD.length);
  const leaf = Number(head.slice(EVENT_HEAD.length, leafEnd));
  const hashStart = leafEnd + HASH_KEY.length;
  const hashEnd = hashStart + BASE64_HASH_LENGTH;
  if (!Number.isSafeInteger(leaf) || leaf < 0) return null;
  if (!head.startsWith(HASH_KEY, leafEnd)) return null;
  const hash = head.slice(hashStart, hashEnd);
  if (head.startsWith(EVENT_KEY, hashEnd)) return { leaf, hash, event: line.subarray(hashEnd + EVENT_KEY.length, -1) };
  const openedEnd = line.indexOf(OPENED_END, hashEnd);
  if (!head.startsWith(OPENED_KEY, hashEnd) || openedEnd === -1) return null;
  const opened = parseOpened(line.toString('utf8', hashEnd + OPENED_KEY.length, openedEnd));
  return opened === null ? null : { leaf, hash, event: line.subarray(openedEnd + OPENED_END.length - 1, -1), opened };
}

function isOpened(value: unknown): value is OpenedValues {
  const { person, values, salt } = (value ?? {}) as Partial<Record<keyof OpenedValues, unknown>>;
  return typeof person === 'string' && typeof salt === 'string' && Array.isArray(values);
}

function parseOpened(text: string): readonly OpenedValues[] | null {
  try {
    const opened = JSON.parse(text) as unknown;
    return Array.isArray(opened) && opened.every(isOpened) ? opened : null;
  } catch {
    return null;
  }
}
