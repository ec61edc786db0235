import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseToken } from '../tokens/token-format.ts';

/** The one place a token is kept in clear (P5's named exception), until its holder rotates it and removes the file. */
export const operatorTokenFile = (dataDir: string): string => join(dataDir, 'operator-token');

/** Created exclusively, for its owner's eyes only, and durable before the log names it. @throws when it exists */
export function writeOperatorToken(dataDir: string, token: string): void {
  const descriptor = openSync(operatorTokenFile(dataDir), 'wx', 0o600);
  try {
    writeSync(descriptor, `${token}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Replaces what is there in one step, for `writ recover`. */
export function replaceOperatorToken(dataDir: string, token: string): void {
  const file = operatorTokenFile(dataDir);
  const descriptor = openSync(`${file}.new`, 'w', 0o600);
  try {
    writeSync(descriptor, `${token}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(`${file}.new`, file);
}

/** The token in the file; null when there is none. */
export function readOperatorToken(dataDir: string): string | null {
  try {
    const text = readFileSync(operatorTokenFile(dataDir), 'utf8').trim();
    return parseToken(text) === null ? null : text;
  } catch {
    return null;
  }
}
