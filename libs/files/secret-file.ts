import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';

/** Files that hold a secret: for their owner's eyes only, and durable before anything relies on them. */

/** @throws when it exists */
export function createSecretFile(file: string, text: string): void {
  write(file, 'wx', text);
}

/** Replaces what is there, if anything, in one step. */
export function replaceSecretFile(file: string, text: string): void {
  write(`${file}.new`, 'w', text);
  renameSync(`${file}.new`, file);
}

function write(file: string, flags: 'w' | 'wx', text: string): void {
  const descriptor = openSync(file, flags, 0o600);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
