import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { isTokenId } from './token-id.ts';

/**
 * The text of a token (DESIGN §4): prefix, id (26 characters), secret (32 of base 62), checksum (6 of base 62: the
 * CRC-32 of all before it). A mistyped token fails without a look-up, and a scanner finds one by its shape.
 */
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID_LENGTH = 26;
const SECRET_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
const TAIL_LENGTH = ID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH;
const TAIL_SHAPE = /^[0-9A-Za-z]{64}$/;

/** Longest text that can be a token; what is longer is not even read (431). */
export const MAX_TOKEN_LENGTH = 128;

export function formatToken(prefix: string, id: string, secret: string): string {
  const text = prefix + id + secret;
  return text + checksum(text);
}

/** Prefix and id of a well-formed token; null for anything else. Says nothing of whether it is known. */
export function parseToken(text: string): { readonly prefix: string; readonly id: string } | null {
  const start = text.length - TAIL_LENGTH;
  if (start < 2 || text.length > MAX_TOKEN_LENGTH) return null;
  if (!TAIL_SHAPE.test(text.slice(start))) return null;
  const id = text.slice(start, start + ID_LENGTH);
  if (!isTokenId(id)) return null;
  const end = text.length - CHECKSUM_LENGTH;
  if (checksum(text.slice(0, end)) !== text.slice(end)) return null;
  return { prefix: text.slice(0, start), id };
}

/** What is kept of a token (P5): SHA-256 of its whole text, hex. */
export const tokenDigest = (text: string): string => hash('sha256', text);

/** 190 bits from the system's generator. */
export function newSecret(): string {
  let secret = '';
  while (secret.length < SECRET_LENGTH) {
    for (const byte of randomBytes(SECRET_LENGTH)) {
      // 248 is the largest multiple of 62 in a byte: without this the first letters would be likelier.
      if (byte < 248 && secret.length < SECRET_LENGTH) secret += ALPHABET[byte % 62];
    }
  }
  return secret;
}

/** Finds texts shaped like tokens, wherever they stand: for redaction and for `contains_secret`. */
export const TOKEN_SHAPE = /[a-z][a-z0-9]{0,15}(?:_[a-z0-9]{1,8})?_[0-7][0-9A-HJKMNP-TV-Z]{25}[0-9A-Za-z]{38}/g;

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let index = 0; index < CHECKSUM_LENGTH; index++) {
    digits = ALPHABET[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}
