import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Credential } from '../gate/authenticate.ts';

/** What a client told when it introduced itself. Nothing else is kept of it between its requests. */
export interface Session {
  /** A ULID: names the stream of what it subscribes to. */
  readonly id: string;
  /** What the client calls itself. */
  readonly client: string;
}

const LONGEST = 1_024;

/**
 * The `Mcp-Session-Id` of a session: its contents, sealed under the token it was opened with. Any process can open it
 * again, and under another token it is none.
 */
export function sealSession(session: Session, credential: Credential): string {
  const contents = Buffer.from(JSON.stringify(session)).toString('base64url');
  return `${contents}.${mac(contents, credential)}`;
}

/** Null: not sealed by us under this token. */
export function openSession(sealed: string, credential: Credential): Session | null {
  if (sealed.length > LONGEST) return null;
  const [contents, seal, more] = sealed.split('.');
  if (contents === undefined || seal === undefined || more !== undefined) return null;
  const expected = Buffer.from(mac(contents, credential));
  const given = Buffer.from(seal);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  return JSON.parse(Buffer.from(contents, 'base64url').toString()) as Session;
}

/** Keyed by the digest of the token: who can forge one could as well have opened one. */
const mac = (contents: string, { digest }: Credential): string =>
  createHmac('sha256', digest).update(contents).digest('base64url');
