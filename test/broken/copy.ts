import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { execFileSync } from 'node:child_process';
import type { Breakage } from './breakage.ts';

const LEFT_OUT = ['.git', 'node_modules', 'dist', 'data', 'coverage'];

/** The tree and its build in a folder of their own, so that nothing is ever broken in the working tree. */
export class Copy {
  readonly folder = mkdtempSync(join(tmpdir(), 'writ-broken-'));

  constructor(tree: string) {
    const filter = (from: string): boolean => !LEFT_OUT.includes(relative(tree, from));
    cpSync(tree, this.folder, { recursive: true, filter });
    symlinkSync(join(tree, 'node_modules'), join(this.folder, 'node_modules'));
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: this.folder, stdio: 'inherit' });
  }

  /** With the file broken, and built so, while `during` runs. */
  async broken<T>({ file, text, replacement }: Breakage, during: () => Promise<T>): Promise<T> {
    const whole = readFileSync(join(this.folder, file), 'utf8');
    this.#write(
      file,
      whole.replace(text, () => replacement),
    );
    try {
      return await during();
    } finally {
      this.#write(file, whole);
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
    execFileSync('node_modules/.bin/swc', [file, '-d', 'dist', '--copy-files', '--quiet'], {
      cwd: this.folder,
      stdio: 'inherit',
    });
  }
}
