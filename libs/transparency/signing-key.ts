import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceSecretFile } from '../files/secret-file.ts';
import { keyIdText, type Signer, signerOf } from '../proof/note.ts';

/**
 * The keys that sign checkpoints, a line each, newest first: `PRIVATE+KEY+<name>+<key id>+<base64>`, the form of
 * golang.org/x/mod/sumdb/note. All of them sign, so that a new key is trusted while the old one still is.
 */
const LINE = /^PRIVATE\+KEY\+([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/;
const ED25519 = 0x01;
const SEED_BYTES = 32;

export class SigningKeyMistake extends Error {
  override readonly name = 'SigningKeyMistake';
}

export const signingKeyIn = (dataDir: string): string => join(dataDir, 'signing-key');

/** None where there is no file: such a process serves what others have signed. @throws SigningKeyMistake */
export function readSigners(file: string): Signer[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, index) => {
      const [, name, keyId, base64] = LINE.exec(line.trim()) ?? [];
      const bytes = Buffer.from(base64 ?? '', 'base64');
      if (name === undefined || bytes.length !== 1 + SEED_BYTES || bytes[0] !== ED25519) {
        throw new SigningKeyMistake(`${file}:${index + 1}: is no signing key`);
      }
      const signer = signerOf(name, 'ed25519', bytes.subarray(1));
      if (keyIdText(signer) !== keyId) {
        throw new SigningKeyMistake(`${file}:${index + 1}: the key id is not that of the key`);
      }
      return signer;
    });
}

/** Adds a new key before those there are; durable, and readable by its owner only. @returns its signer */
export function addSigningKey(file: string, name: string): Signer {
  const seed = randomBytes(SEED_BYTES);
  const signer = signerOf(name, 'ed25519', seed);
  const line = `PRIVATE+KEY+${name}+${keyIdText(signer)}+${Buffer.concat([Buffer.of(ED25519), seed]).toString('base64')}\n`;
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  replaceSecretFile(file, line + before);
  return signer;
}

/**
 * What it signed stays signed; from now on it signs nothing.
 * @returns whether there was one of this id, beside another
 * @throws SigningKeyMistake
 */
export function dropSigningKey(file: string, keyId: string): boolean {
  const kept = readSigners(file).filter((signer) => keyIdText(signer) !== keyId);
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const left = lines.filter((line) => line.trim() !== '' && LINE.exec(line.trim())?.[2] !== keyId);
  if (kept.length === 0 || left.length === lines.filter((line) => line.trim() !== '').length) return false;
  replaceSecretFile(file, `${left.join('\n')}\n`);
  return true;
}

/** Unless there is a key already. */
export function makeFirstKey(file: string, logId: string): void {
  if (readSigners(file).length === 0) addSigningKey(file, originOf(logId));
}

/** Names the log, wherever it is served: a checkpoint's origin. */
export const originOf = (logId: string): string => `writ/${logId}`;
