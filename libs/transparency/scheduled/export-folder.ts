import { createHash } from 'node:crypto';
import { type FileHandle, open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';

export interface FileWritten {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** How a new file is opened for writing; tests give one on a disk that is full. */
export type OpenFile = (path: string) => Promise<FileHandle>;

const openNew: OpenFile = (path) => open(path, 'wx', 0o640);

/** Files that are there under their names only when all of them is, and durable. */
export class ExportFolder {
  readonly #folder: string;
  readonly #open: OpenFile;

  constructor(folder: string, openFile = openNew) {
    this.#folder = folder;
    this.#open = openFile;
  }

  /**
   * Writes a file, and its manifest before it, so that who sees the one finds the other.
   * @param mayName asked when all is written, before it gets its name; false: it is given up
   * @returns null: given up
   * @throws what the file system throws: no folder, no space; nothing is left behind then
   */
  async write(
    file: string,
    by: string,
    content: AsyncIterable<Uint8Array>,
    manifestOf: (written: FileWritten) => object,
    mayName: () => Promise<boolean>,
  ): Promise<FileWritten | null> {
    await this.#sweep(file);
    const partial = this.#path(`.${file}.${by}.partial`);
    const partialManifest = `${partial}.manifest`;
    try {
      const written = await this.#fill(partial, content);
      const manifest = `${JSON.stringify({ file, ...manifestOf(written), ...written }, null, 2)}\n`;
      await this.#fill(partialManifest, [Buffer.from(manifest)]);
      if (!(await mayName())) {
        await remove([partial, partialManifest]);
        return null;
      }
      await rename(partialManifest, this.#path(`${file}.manifest.json`));
      await rename(partial, this.#path(file));
      await this.#syncFolder();
      return written;
    } catch (error) {
      await remove([partial, partialManifest]);
      throw error;
    }
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  /** What a killed process left of the same file. */
  async #sweep(file: string): Promise<void> {
    const left = (await readdir(this.#folder)).filter((name) => name.startsWith(`.${file}.`));
    await remove(left.map((name) => this.#path(name)));
  }

  async #fill(path: string, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<FileWritten> {
    const file = await this.#open(path);
    const sha256 = createHash('sha256');
    let bytes = 0;
    try {
      for await (const piece of content) {
        await file.appendFile(piece);
        sha256.update(piece);
        bytes += piece.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    return { bytes, sha256: sha256.digest('hex') };
  }

  async #syncFolder(): Promise<void> {
    const folder = await open(this.#folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

async function remove(paths: readonly string[]): Promise<void> {
  for (const path of paths) await unlink(path).catch(() => undefined);
}
