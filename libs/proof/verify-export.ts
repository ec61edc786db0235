import { createHash } from 'node:crypto';
import { parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { wasSealed } from './commitment.ts';
import {
  base64Of,
  type ExportEnd,
  type ExportHead,
  type HiddenLine,
  parseEventLine,
  type ShownEvent,
} from './export-lines.ts';
import { Frontier } from './frontier.ts';
import { HASH_BYTES, leafHash, sameHash } from './hash.ts';
import { parseNote, type Signed, signaturesOn, type Verifier } from './note.ts';
import { subtreesOf } from './subtrees.ts';
import { CompletenessCheck, type Incomplete, type Untallied } from './verify-completeness.ts';

/** What is wrong with an export; lines count from 1, leaves from 0. */
export type Finding =
  | { readonly kind: 'altered'; readonly line: number; readonly leaf: number }
  | { readonly kind: 'dropped'; readonly from: number; readonly to: number }
  | { readonly kind: 'added'; readonly line: number; readonly leaf: number }
  | { readonly kind: 'reordered'; readonly line: number; readonly leaf: number }
  | { readonly kind: 'unreadable'; readonly line: number; readonly reason: string }
  | { readonly kind: 'cut_short'; readonly leaf: number }
  | { readonly kind: 'unsigned'; readonly reason: string }
  | { readonly kind: 'root_differs'; readonly signed: string; readonly found: string }
  | Incomplete;

export interface Verdict {
  /** Empty: the export is what was signed, complete up to its checkpoint. */
  readonly findings: readonly Finding[];
  readonly checkpoint: Checkpoint | null;
  /** Known keys that signed it: the log's, and witnesses'. */
  readonly signatures: readonly Signed[];
  readonly events: number;
  readonly hidden: number;
  /** The first leaf it is to show: what is before it, an earlier export shows. */
  readonly fromLeaf: number;
  /** Whether what is left out would have been found: exports of everything (from a leaf on), or of one token. */
  readonly completeness: 'proved' | 'not_claimed';
  /** What the completeness of one token's export does not reach; null: of no such export, or of one that hides nothing. */
  readonly untallied: Untallied | null;
}

const MOST_FINDINGS = 1_000;
const NEWLINE = 0x0a;

/**
 * Checks an export as its bytes come, offline, in constant memory (but for findings and open gaps).
 * @param keys of the log and of witnesses; at least one of the log's must have signed
 */
export class ExportVerifier {
  readonly #keys: readonly Verifier[];
  readonly #frontier = new Frontier();
  readonly #findings: Finding[] = [];
  /** Leaves passed over, which may come yet: then they were moved, not dropped. */
  readonly #gaps: { from: number; to: number }[] = [];
  /** Of all bytes before the last whole line. */
  readonly #sha256 = createHash('sha256');
  /** From the last whole line on. */
  #held: Buffer = Buffer.alloc(0);
  /** How much of what is held was read. */
  #read = 0;
  #line = 0;
  /** The leaf the next line should begin with. */
  #next = 0;
  #events = 0;
  #hidden = 0;
  /** Of those, the ones that the export was to show. */
  #hiddenInRange = 0;
  #head: ExportHead | null = null;
  #end: ExportEnd | null = null;
  #completeness: CompletenessCheck | null = null;

  constructor(keys: readonly Verifier[]) {
    this.#keys = keys;
  }

  /** The next bytes of it, cut anywhere. */
  write(bytes: Uint8Array): void {
    const all = Buffer.concat([this.#held, bytes]);
    let last = 0;
    let from = this.#read;
    for (let end = all.indexOf(NEWLINE, from); end >= 0; end = all.indexOf(NEWLINE, from)) {
      last = from;
      this.#readLine(all.subarray(from, end));
      from = end + 1;
    }
    this.#sha256.update(all.subarray(0, last));
    this.#held = all.subarray(last);
    this.#read = from - last;
  }

  /** After all of it. */
  finish(): Verdict {
    if (this.#held.length > this.#read) this.#readLine(this.#held.subarray(this.#read));
    const note = this.#head === null ? null : parseNote(this.#head.checkpoint);
    const checkpoint = note === null ? null : parseCheckpoint(note.text);
    const signatures = note === null ? [] : signaturesOn(note, this.#keys);
    this.#checkSignatures(checkpoint, signatures);
    this.#checkEnd(this.#sha256.digest('hex'));
    for (const { from, to } of this.#gaps) if (from < to) this.#find({ kind: 'dropped', from, to });
    if (checkpoint !== null) this.#checkRoot(checkpoint);
    for (const finding of this.#completeness?.finish() ?? []) this.#find(finding);
    const { from_leaf: fromLeaf = 0 } = this.#head?.filter ?? {};
    return {
      findings: this.#findings,
      checkpoint,
      signatures,
      events: this.#events,
      hidden: this.#hidden,
      fromLeaf,
      completeness: this.#hiddenInRange === 0 || this.#completeness !== null ? 'proved' : 'not_claimed',
      untallied: this.#hiddenInRange === 0 ? null : (this.#completeness?.untallied() ?? null),
    };
  }

  #readLine(line: Buffer): void {
    this.#line++;
    if (this.#end !== null) return this.#find({ kind: 'unreadable', line: this.#line, reason: 'it follows the end' });
    if (this.#head === null) return this.#readHead(line.toString());
    const shown = parseEventLine(line);
    if (shown !== null) this.#readEvent(shown);
    else this.#readOther(line.toString());
  }

  #readHead(text: string): void {
    const head = parseJson(text);
    if (!isHead(head)) {
      return this.#find({ kind: 'unreadable', line: this.#line, reason: 'it is no head of an export' });
    }
    this.#head = head;
    const { token, from, to, operation, type, from_leaf: fromLeaf } = head.filter;
    // Tallies of uses that an earlier export shows cannot be held against this one.
    const narrowed = operation !== undefined || type !== undefined || fromLeaf !== undefined;
    if (token !== undefined && !narrowed) this.#completeness = new CompletenessCheck(token, from, to);
  }

  #readEvent({ leaf, hash, event, opened = [] }: ShownEvent<Buffer>): void {
    const found = leafHash(event);
    this.#events++;
    const altered = base64Of(found) !== hash || (opened.length > 0 && !wasSealed(event.toString(), opened));
    if (altered) this.#find({ kind: 'altered', line: this.#line, leaf });
    if (leaf < this.#next) {
      const gap = this.#gaps.find(({ from, to }) => from <= leaf && leaf < to);
      if (gap === undefined) return this.#find({ kind: 'added', line: this.#line, leaf });
      this.#find({ kind: 'reordered', line: this.#line, leaf });
      this.#gaps.push({ from: leaf + 1, to: gap.to });
      gap.to = leaf;
    } else {
      if (leaf > this.#next) this.#gaps.push({ from: this.#next, to: leaf });
      else if (this.#gaps.length === 0) this.#frontier.append(found);
      this.#next = leaf + 1;
    }
    if (!altered) this.#checkComplete(event);
  }

  #checkComplete(event: Buffer): void {
    try {
      this.#completeness?.event(event.toString());
    } catch {
      this.#find({ kind: 'unreadable', line: this.#line, reason: 'its event is none that Writ stores' });
    }
  }

  #readOther(text: string): void {
    const line = parseJson(text) as HiddenLine | ExportEnd | null;
    if (line?.kind === 'hidden') this.#readHidden(line);
    else if (line?.kind === 'end') this.#end = line;
    else this.#find({ kind: 'unreadable', line: this.#line, reason: 'it is none of an export' });
  }

  #readHidden({ from, to, hashes }: HiddenLine): void {
    const wellFormed = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from < to && Array.isArray(hashes);
    const subtrees = wellFormed ? subtreesOf(from, to) : [];
    const bytes = wellFormed ? hashes.map((hash) => Buffer.from(String(hash), 'base64')) : [];
    if (!wellFormed || bytes.length !== subtrees.length || bytes.some(({ length }) => length !== HASH_BYTES)) {
      return this.#find({ kind: 'unreadable', line: this.#line, reason: 'its hidden leaves and hashes do not fit' });
    }
    if (from < this.#next) return this.#find({ kind: 'reordered', line: this.#line, leaf: from });
    if (from > this.#next) this.#gaps.push({ from: this.#next, to: from });
    else if (this.#gaps.length === 0) {
      subtrees.forEach(({ level }, index) => this.#frontier.append(bytes[index]!, level));
    }
    this.#hidden += to - from;
    this.#hiddenInRange += Math.max(0, to - Math.max(from, this.#head?.filter.from_leaf ?? 0));
    this.#next = to;
  }

  #checkSignatures(checkpoint: Checkpoint | null, signatures: readonly Signed[]): void {
    if (this.#head === null) return;
    if (checkpoint === null) return this.#find({ kind: 'unsigned', reason: 'its checkpoint cannot be read' });
    for (const { kind, by } of signatures) {
      if (kind === 'forged') this.#find({ kind: 'unsigned', reason: `the signature of ${by.name} is not its` });
    }
    const byLog = signatures.some(({ kind, by }) => kind === 'signed' && by.type === 'ed25519');
    if (!byLog) this.#find({ kind: 'unsigned', reason: 'no key given for the log has signed its checkpoint' });
  }

  #checkEnd(sha256: string): void {
    if (this.#end === null) return this.#find({ kind: 'cut_short', leaf: this.#next });
    if (this.#end.events !== this.#events || this.#end.sha256 !== sha256) {
      this.#find({
        kind: 'unreadable',
        line: this.#line,
        reason: 'its count or SHA-256 is not that of the lines before',
      });
    }
  }

  #checkRoot(checkpoint: Checkpoint): void {
    const { size, root } = checkpoint;
    if (this.#next < size) this.#find({ kind: 'dropped', from: this.#next, to: size });
    // Past a gap there is no root to reckon; the gap itself was found.
    if (this.#gaps.length > 0 || this.#next < size) return;
    const found = this.#frontier.root();
    if (this.#next !== size || !sameHash(found, root)) {
      this.#find({ kind: 'root_differs', signed: base64Of(root), found: base64Of(found) });
    }
  }

  #find(finding: Finding): void {
    if (this.#findings.length < MOST_FINDINGS) this.#findings.push(finding);
  }
}

function isHead(value: unknown): value is ExportHead {
  const { kind, format, checkpoint, filter } = (value ?? {}) as Partial<Record<keyof ExportHead, unknown>>;
  const known = kind === 'export' && format === 'writ-export/v1' && typeof checkpoint === 'string';
  return known && typeof filter === 'object' && filter !== null && Object.values(filter).every(isScalar);
}

const isScalar = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number';

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
