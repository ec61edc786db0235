import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

/** Signed notes: a text, a blank line, signature lines. https://c2sp.org/signed-note */

/** Plain signatures of a log, and timestamped cosignatures of a witness (https://c2sp.org/tlog-cosignature). */
export type SignatureType = 'ed25519' | 'cosignature';

export interface Verifier {
  readonly name: string;
  readonly type: SignatureType;
  /** First four bytes of SHA-256(name || 0x0A || type || public key), as a number. */
  readonly keyId: number;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly key: KeyObject;
}

export interface Signer extends Verifier {
  readonly privateKey: KeyObject;
}

export interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  /** What follows the key id. */
  readonly bytes: Uint8Array;
}

export interface Note {
  /** Its last newline included. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

const TYPE_BYTE = { ed25519: 0x01, cosignature: 0x04 } as const;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const TIMESTAMP_BYTES = 8;
const MOST_SIGNATURES = 100;
const NAME = /^[^\s+\p{Cc}]+$/u;
const SIGNATURE_LINE = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u;
// Every character below U+0020 but the newline.
const CONTROL = /[^\P{Cc}\n\u007F-\u009F]/u;

/** @throws Error for a name that a note cannot hold, or a key that is not 32 bytes */
export function verifierOf(name: string, type: SignatureType, publicKey: Uint8Array): Verifier {
  if (!NAME.test(name)) throw new Error(`${JSON.stringify(name)} cannot name a key`);
  if (publicKey.length !== KEY_BYTES) throw new Error('an Ed25519 public key has 32 bytes');
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') },
    format: 'jwk',
  });
  const id = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(TYPE_BYTE[type]), publicKey]);
  return { name, type, keyId: hash('sha256', id, 'buffer').readUInt32BE(0), publicKey, key };
}

/** From the 32 secret bytes of an Ed25519 key. @throws Error as `verifierOf` */
export function signerOf(name: string, type: SignatureType, seed: Uint8Array): Signer {
  // RFC 8410 §7: the fixed head of a PKCS #8 Ed25519 key, and the seed.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { ...verifierOf(name, type, Buffer.from(x ?? '', 'base64url')), privateKey };
}

/** `name+c74f20a3+ARpc2QcU…`: how a public key is handed round (a vkey). */
export const formatVerifier = (verifier: Verifier): string => {
  const { name, type, publicKey } = verifier;
  return `${name}+${keyIdText(verifier)}+${Buffer.concat([Buffer.of(TYPE_BYTE[type]), publicKey]).toString('base64')}`;
};

/** Null: no vkey of a type we know, or its key id does not fit. */
export function parseVerifier(text: string): Verifier | null {
  const [name, id, ...rest] = text.trim().split('+');
  const bytes = Buffer.from(rest.join('+'), 'base64');
  const type = bytes[0] === TYPE_BYTE.ed25519 ? 'ed25519' : bytes[0] === TYPE_BYTE.cosignature ? 'cosignature' : null;
  if (name === undefined || !NAME.test(name) || type === null || bytes.length !== 1 + KEY_BYTES) return null;
  const verifier = verifierOf(name, type, bytes.subarray(1));
  return keyIdText(verifier) === id ? verifier : null;
}

/** A signature line, newline included. @param unixSeconds of a cosignature: when it was made */
export function signatureLine(text: string, signer: Signer, unixSeconds = 0): string {
  const { name, type, keyId, privateKey } = signer;
  const head = Buffer.alloc(4);
  head.writeUInt32BE(keyId);
  const parts: Uint8Array[] = [head];
  if (type === 'cosignature') parts.push(timestampOf(unixSeconds));
  parts.push(sign(null, Buffer.from(signedMessage(text, type, unixSeconds)), privateKey));
  return `— ${name} ${Buffer.concat(parts).toString('base64')}\n`;
}

/** The note of a text and its signature lines. */
export const noteOf = (text: string, lines: readonly string[]): string => `${text}\n${lines.join('')}`;

/** Null: not a note. Signatures are not yet believed. */
export function parseNote(note: string): Note | null {
  const split = note.lastIndexOf('\n\n');
  if (split < 0 || !note.endsWith('\n') || CONTROL.test(note) || !note.isWellFormed()) return null;
  const lines = note.slice(split + 2, -1).split('\n');
  if (lines.length > MOST_SIGNATURES) return null;
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const signature = parseSignatureLine(line);
    if (signature === null) return null;
    signatures.push(signature);
  }
  return { text: note.slice(0, split + 1), signatures };
}

/** A line without its newline; null: none. */
export function parseSignatureLine(line: string): NoteSignature | null {
  const [, name, base64] = SIGNATURE_LINE.exec(line) ?? [];
  if (name === undefined || base64 === undefined) return null;
  const bytes = Buffer.from(base64, 'base64');
  return bytes.length < 5 ? null : { name, keyId: bytes.readUInt32BE(0), bytes: bytes.subarray(4) };
}

/** A known key's word on a note. */
export type Signed =
  | { readonly kind: 'signed'; readonly by: Verifier; readonly unixSeconds: number | null }
  /** A signature that bears the key's name and id, and is none of its. */
  | { readonly kind: 'forged'; readonly by: Verifier };

/** What the known keys say of a note; signatures of unknown keys are passed over. */
export function signaturesOn({ text, signatures }: Note, known: readonly Verifier[]): Signed[] {
  return signatures.flatMap((signature): Signed[] => {
    const by = known.find(({ name, keyId }) => name === signature.name && keyId === signature.keyId);
    return by === undefined ? [] : [check(text, signature.bytes, by)];
  });
}

function check(text: string, bytes: Uint8Array, by: Verifier): Signed {
  const stamp = by.type === 'cosignature' ? TIMESTAMP_BYTES : 0;
  if (bytes.length !== stamp + SIGNATURE_BYTES) return { kind: 'forged', by };
  const unixSeconds = stamp === 0 ? null : Number(Buffer.from(bytes).readBigUInt64BE(0));
  const message = Buffer.from(signedMessage(text, by.type, unixSeconds ?? 0));
  return verify(null, message, by.key, bytes.subarray(stamp))
    ? { kind: 'signed', by, unixSeconds }
    : { kind: 'forged', by };
}

const signedMessage = (text: string, type: SignatureType, unixSeconds: number): string =>
  type === 'cosignature' ? `cosignature/v1\ntime ${unixSeconds}\n${text}` : text;

function timestampOf(unixSeconds: number): Buffer {
  const bytes = Buffer.alloc(TIMESTAMP_BYTES);
  bytes.writeBigUInt64BE(BigInt(unixSeconds));
  return bytes;
}

/** A key's id as keys are written: eight hexadecimal digits. */
export const keyIdText = ({ keyId }: Pick<Verifier, 'keyId'>): string => keyId.toString(16).padStart(8, '0');
