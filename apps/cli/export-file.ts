import { createHash, type Hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { type FileHandle, open, rename, unlink, writeFile } from 'node:fs/promises';
import type { ExportEnd, ExportFormat } from '../../libs/proof/export-lines.ts';
import { Unreachable, WrongUsage } from './failures.ts';
import { type Held, heldBy, nothingHeld } from './partial-export.ts';

/** What is asked for; the same for every go at one file. */
export type ExportQuery = Readonly<Record<string, string | undefined>> & { readonly format?: ExportFormat };

/** One go, as the server takes it. */
export type Ask = (query: ExportQuery & { up_to: string; continue_from?: string }) => AsyncIterable<Uint8Array>;

export interface Written {
  readonly bytes: number;
  readonly sha256: string;
  /** Leaves of the log it speaks for. */
  readonly up_to: number;
}

/** Beside the file while it is not whole: what it is going to be. */
interface Plan {
  readonly query: ExportQuery;
  readonly up_to: number;
}

const END = '{"kind":"end"';
const NEWLINE = 0x0a;

/**
 * An export in a file, there under its name only when all of it is. One that broke off goes on where it stopped when it
 * is written again, and ends up the same to the byte.
 */
export class ExportFile {
  readonly #file: string;
  readonly #partial: string;
  readonly #planFile: string;

  constructor(file: string) {
    this.#file = file;
    this.#partial = `${file}.partial`;
    this.#planFile = `${file}.partial.json`;
  }

  /**
   * @param anew whether what an earlier go left behind is thrown away
   * @param head how many leaves a new export is to speak for
   * @throws WrongUsage where another export is under way there, whatever `ask` throws
   */
  async write(query: ExportQuery, anew: boolean, head: () => Promise<number>, ask: Ask): Promise<Written> {
    const plan = (anew ? null : this.#plan(query)) ?? (await this.#begin(query, await head()));
    const { format = 'jsonl' } = query;
    const held = await heldBy(this.#partial, format);
    const { bytes, sha256 } = held.ended ? held : await this.#goOn(plan, held, ask);
    await rename(this.#partial, this.#file);
    await unlink(this.#planFile);
    return { bytes, sha256: sha256.digest('hex'), up_to: plan.up_to };
  }

  #plan(query: ExportQuery): Plan | null {
    if (!existsSync(this.#planFile)) return null;
    const plan = JSON.parse(readFileSync(this.#planFile, 'utf8')) as Plan;
    if (JSON.stringify(plan.query) === JSON.stringify(query)) return plan;
    throw new WrongUsage(
      `${this.#partial} is of another export: ${JSON.stringify(plan.query)}. --anew throws it away.`,
    );
  }

  async #begin(query: ExportQuery, upTo: number): Promise<Plan> {
    const plan: Plan = { query, up_to: upTo };
    await unlink(this.#partial).catch(() => undefined);
    await writeFile(`${this.#planFile}.new`, JSON.stringify(plan), { mode: 0o600, flush: true });
    await rename(`${this.#planFile}.new`, this.#planFile);
    return plan;
  }

  async #goOn({ query, up_to: upTo }: Plan, found: Held, ask: Ask): Promise<Pick<Held, 'bytes' | 'sha256'>> {
    const held = found.nextLeaf === null ? nothingHeld() : found;
    const from = held.nextLeaf === null ? {} : { continue_from: String(held.nextLeaf) };
    const answer = ask({ ...query, up_to: String(upTo), ...from });
    const file = await open(this.#partial, 'a', 0o600);
    try {
      await file.truncate(held.bytes);
      const tail = new Tail(file, held);
      if (query.format === undefined || query.format === 'jsonl') await tail.lines(answer);
      else for await (const piece of answer) await tail.write(piece);
      await file.sync();
      return { bytes: tail.bytes, sha256: tail.sha256 };
    } finally {
      await file.close();
    }
  }
}

/** What is written behind what was held. */
class Tail {
  readonly sha256: Hash;
  readonly #file: FileHandle;
  readonly #heldEvents: number;
  bytes: number;

  constructor(file: FileHandle, { bytes, sha256, events }: Held) {
    this.#file = file;
    this.#heldEvents = events;
    this.bytes = bytes;
    this.sha256 = sha256;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#file.appendFile(bytes);
    this.sha256.update(bytes);
    this.bytes += bytes.length;
  }

  /**
   * JSON Lines, whose end speaks for what was received now: it is held against that, and said again for the whole file.
   * @throws Unreachable where they do not end so
   */
  async lines(answer: AsyncIterable<Uint8Array>): Promise<void> {
    const received = createHash('sha256');
    let last: Buffer = Buffer.alloc(0);
    for await (const piece of answer) {
      // All but the last line, whole or not: it may be the end.
      const bytes = Buffer.concat([last, piece]);
      const cut = bytes.lastIndexOf(NEWLINE, bytes.length - 2) + 1;
      const whole = bytes.subarray(0, cut);
      received.update(whole);
      if (whole.length > 0) await this.write(whole);
      last = bytes.subarray(cut);
    }
    const text = last.toString('utf8');
    const end = text.startsWith(END) && text.endsWith('\n') ? (JSON.parse(text) as ExportEnd) : null;
    if (end?.sha256 !== received.digest('hex')) {
      throw new Unreachable('The export broke off. Run the same command again: it goes on where it stopped.');
    }
    const whole: ExportEnd = {
      kind: 'end',
      events: this.#heldEvents + end.events,
      sha256: this.sha256.copy().digest('hex'),
    };
    await this.write(Buffer.from(`${JSON.stringify(whole)}\n`));
  }
}
