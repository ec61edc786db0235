import { createHash } from 'node:crypto';
import type { EventLog, RecordedEvent } from '../event-log/event-log.ts';
import { canonicalEvent } from '../proof/canonical-event.ts';
import { base64Of, eventLine, type ExportFilter, type ExportHead, type HiddenLine } from '../proof/export-lines.ts';
import { leafHash } from '../proof/hash.ts';
import { subtreesOf } from '../proof/subtrees.ts';
import { JOURNALS_STREAM } from '../proof/tally.ts';
import type { PublishedCheckpoint, Tree } from './tree.ts';

export interface ExportOptions {
  readonly log: EventLog;
  readonly tree: Tree;
  readonly checkpoint: PublishedCheckpoint;
  readonly filter: ExportFilter;
  /** Whether an event may be shown to whoever asked: of their workspace (P13). */
  readonly mayShow: (event: RecordedEvent) => boolean;
  /** RFC 3339. */
  readonly madeAt: string;
}

/** Lines are sent together in pieces of about this size. */
const PIECE_CHARACTERS = 64 * 1024;

/**
 * A provable export up to a checkpoint (export-lines.ts), straight from the log, in constant memory: what is not shown
 * is skipped, and its hashes come from the tree.
 */
export async function* exportLines(options: ExportOptions): AsyncGenerator<Uint8Array> {
  const { log, tree, checkpoint, filter, mayShow, madeAt } = options;
  const matches = matcherOf(filter);
  const sha256 = createHash('sha256');
  let piece = '';
  const add = (line: string): void => {
    piece += `${line}\n`;
  };
  const full = (): boolean => piece.length >= PIECE_CHARACTERS;
  const take = (): Buffer => {
    const bytes = Buffer.from(piece);
    piece = '';
    sha256.update(bytes);
    return bytes;
  };

  const head: ExportHead = {
    kind: 'export',
    format: 'writ-export/v1',
    checkpoint: checkpoint.note,
    filter,
    made_at: madeAt,
  };
  add(JSON.stringify(head));
  let leaf = 0;
  let hiddenFrom = 0;
  let shown = 0;
  for await (const event of log.readAll({ limit: checkpoint.size })) {
    const here = leaf++;
    if (!matches(event) || !mayShow(event)) continue;
    if (hiddenFrom < here) add(JSON.stringify(await hiddenLine(tree, hiddenFrom, here)));
    hiddenFrom = leaf;
    const text = canonicalEvent(event);
    add(eventLine({ leaf: here, hash: base64Of(leafHash(text)), event: text }));
    shown++;
    if (full()) yield take();
  }
  if (hiddenFrom < checkpoint.size) add(JSON.stringify(await hiddenLine(tree, hiddenFrom, checkpoint.size)));
  yield take();
  add(JSON.stringify({ kind: 'end', events: shown, sha256: sha256.copy().digest('hex') }));
  yield take();
}

async function hiddenLine(tree: Tree, from: number, to: number): Promise<HiddenLine> {
  const hashes = await Promise.all(subtreesOf(from, to).map((subtree) => tree.subtreeHash(subtree)));
  return { kind: 'hidden', from, to, hashes: hashes.map(base64Of) };
}

/**
 * Whether an event is asked for. What shows that an export hides nothing, the registry of journals and their tallies,
 * always is.
 */
export function matcherOf({ token, operation, type, from, to }: ExportFilter): (event: RecordedEvent) => boolean {
  const fromMs = from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(from);
  const toMs = to === undefined ? Number.POSITIVE_INFINITY : Date.parse(to);
  return (event) => {
    if (event.stream === JOURNALS_STREAM || event.type === 'UsesTallied') return true;
    if (event.recordedAt < fromMs || event.recordedAt >= toMs) return false;
    if (type !== undefined && event.type !== type) return false;
    if (token !== undefined && !concernsToken(event, token)) return false;
    return operation === undefined || operationOf(event) === operation;
  };
}

/** An event of the token's life, a use of it, or what it wrote. */
function concernsToken(event: RecordedEvent, token: string): boolean {
  if (event.stream === `token-${token}`) return true;
  if ((event.data as { readonly token?: unknown } | null)?.token === token) return true;
  const { use, actor } = event.metadata as { use?: { token?: unknown }; actor?: { token?: unknown } };
  return use?.token === token || actor?.token === token;
}

function operationOf(event: RecordedEvent): unknown {
  const use = event.metadata['use'] as { readonly operation?: unknown } | undefined;
  return use?.operation ?? (event.data as { readonly operation?: unknown } | null)?.operation;
}
