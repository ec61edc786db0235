import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecretFile, replaceSecretFile } from '../files/secret-file.ts';
import { parseToken } from '../tokens/token-format.ts';

/** The one place a token is kept in clear (P5's named exception), until its holder rotates it and removes the file. */
export const operatorTokenFile = (dataDir: string): string => join(dataDir, 'operator-token');

/** Durable before the log names it. @throws when it exists */
export const writeOperatorToken = (dataDir: string, token: string): void =>
  createSecretFile(operatorTokenFile(dataDir), `${token}\n`);

/** Replaces what is there in one step, for `writ recover`. */
export const replaceOperatorToken = (dataDir: string, token: string): void =>
  replaceSecretFile(operatorTokenFile(dataDir), `${token}\n`);

/** The token in the file; null when there is none. */
export function readOperatorToken(dataDir: string): string | null {
  try {
    const text = readFileSync(operatorTokenFile(dataDir), 'utf8').trim();
    return parseToken(text) === null ? null : text;
  } catch {
    return null;
  }
}
