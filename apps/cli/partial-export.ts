import { createHash, type Hash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import {
  type ExportEnd,
  type ExportFormat,
  type ExportHead,
  type HiddenLine,
  parseEventLine,
} from '../../libs/proof/export-lines.ts';

/** What a file of an export that broke off holds whole. */
export interface Held {
  /** Up to the end of its last whole line. */
  readonly bytes: number;
  /** Of those bytes. */
  readonly sha256: Hash;
  /** Lines of events. */
  readonly events: number;
  /** The first leaf of which it holds nothing; null: it does not even hold its head. */
  readonly nextLeaf: number | null;
  /** JSON Lines say so themselves. */
  readonly ended: boolean;
}

export const nothingHeld = (): Held => ({
  bytes: 0,
  sha256: createHash('sha256'),
  events: 0,
  nextLeaf: null,
  ended: false,
});

/** Reads the file once, line by line. A last line that is not whole is not held, nor what follows a line that is none. */
export async function heldBy(file: string, format: ExportFormat): Promise<Held> {
  if (!existsSync(file)) return nothingHeld();
  const sha256 = createHash('sha256');
  let held: Omit<Held, 'sha256'> = nothingHeld();
  for await (const line of linesOf(file, format)) {
    const next = afterLine(held, line.subarray(0, -1), format);
    if (next === null) break;
    sha256.update(line);
    held = { ...next, bytes: held.bytes + line.length };
  }
  return { ...held, sha256 };
}

/** Null: it is no line of an export. */
function afterLine(held: Omit<Held, 'sha256'>, line: Buffer, format: ExportFormat): Omit<Held, 'sha256'> | null {
  const shown = (leaf: unknown) =>
    Number.isSafeInteger(leaf) ? { ...held, events: held.events + 1, nextLeaf: Number(leaf) + 1 } : null;
  switch (format) {
    case 'csv':
      // The first line names the columns.
      return held.bytes === 0 ? { ...held, nextLeaf: 0 } : shown(Number(line.toString('latin1', 0, line.indexOf(','))));
    case 'cloudevents':
      return shown(parseObject(line)['writleaf']);
    case 'jsonl': {
      const event = parseEventLine(line);
      if (event !== null) return shown(event.leaf);
      const { kind, to } = parseObject(line) as Partial<ExportHead | HiddenLine | ExportEnd> & { readonly to?: number };
      if (kind === 'end') return { ...held, ended: true };
      if (kind === 'export') return { ...held, nextLeaf: 0 };
      return kind === 'hidden' && to !== undefined ? { ...held, nextLeaf: to } : null;
    }
    default:
      return unknownFormat(format);
  }
}

function parseObject(line: Buffer): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(line.toString()) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

function unknownFormat(format: never): never {
  throw new Error(`unknown format ${String(format)}`);
}

const NEWLINE = 0x0a;
const QUOTE = 0x22;

/** Whole lines, their ends included. In CSV a line end between quotes is of the cell (RFC 4180 §2). */
async function* linesOf(file: string, format: ExportFormat): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    const bytes: Buffer = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, end + 1)) {
      const line = bytes.subarray(from, end + 1);
      if (format === 'csv' && quotesIn(line) % 2 === 1) continue;
      yield line;
      from = end + 1;
    }
    rest = bytes.subarray(from);
  }
}

function quotesIn(bytes: Buffer): number {
  let quotes = 0;
  for (let at = bytes.indexOf(QUOTE); at >= 0; at = bytes.indexOf(QUOTE, at + 1)) quotes++;
  return quotes;
}
