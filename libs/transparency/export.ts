import { canonicalEvent } from '../proof/canonical-event.ts';
import { base64Of, eventLine, type ExportEnd, type ExportHead, type HiddenLine } from '../proof/export-lines.ts';
import { leafHash } from '../proof/hash.ts';
import { subtreesOf } from '../proof/subtrees.ts';
import { Pieces } from './pieces.ts';
import { type ExportOptions, selectEvents } from './select-events.ts';
import type { Tree } from './tree.ts';

/**
 * A provable export up to a checkpoint (export-lines.ts), straight from the log, in constant memory: what is not shown
 * is skipped, and its hashes come from the tree. One that goes on (`continueFrom`) has no head, and its end speaks for
 * itself alone: of what was received before, only the receiver has the bytes.
 */
export async function* exportLines(options: ExportOptions): AsyncGenerator<Uint8Array> {
  const { tree, checkpoint, filter, madeAt, openedIn, continueFrom } = options;
  const pieces = new Pieces();
  const add = (line: ExportHead | HiddenLine | ExportEnd): void => pieces.add(`${JSON.stringify(line)}\n`);
  if (continueFrom === undefined) {
    add({ kind: 'export', format: 'writ-export/v1', checkpoint: checkpoint.note, filter, made_at: madeAt });
  }
  let hiddenFrom = continueFrom ?? 0;
  let events = 0;
  for await (const { leaf, event } of selectEvents(options)) {
    if (hiddenFrom < leaf) add(await hiddenLine(tree, hiddenFrom, leaf));
    hiddenFrom = leaf + 1;
    const text = canonicalEvent(event);
    const opened = openedIn === undefined ? [] : await openedIn(event);
    const shown = { leaf, hash: base64Of(leafHash(text)), event: text, ...(opened.length === 0 ? {} : { opened }) };
    pieces.add(`${eventLine(shown)}\n`);
    events++;
    if (pieces.full) yield pieces.take();
  }
  if (hiddenFrom < checkpoint.size) add(await hiddenLine(tree, hiddenFrom, checkpoint.size));
  yield pieces.take();
  add({ kind: 'end', events, sha256: pieces.sha256() });
  yield pieces.take();
}

async function hiddenLine(tree: Tree, from: number, to: number): Promise<HiddenLine> {
  const hashes = await tree.subtreeHashes(subtreesOf(from, to));
  return { kind: 'hidden', from, to, hashes: hashes.map(base64Of) };
}
