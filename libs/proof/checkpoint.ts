import { type Hash, HASH_BYTES } from './hash.ts';

/** The head of the tree, as signed. https://c2sp.org/tlog-checkpoint */
export interface Checkpoint {
  /** Names the log: a URL without its scheme. */
  readonly origin: string;
  /** Leaves. */
  readonly size: number;
  readonly root: Hash;
}

const SIZE = /^(?:0|[1-9]\d{0,15})$/;

/** The note's text: origin, size, root, a line each. */
export const checkpointText = ({ origin, size, root }: Checkpoint): string =>
  `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;

/** Null: no checkpoint. Extension lines are allowed and not read. */
export function parseCheckpoint(text: string): Checkpoint | null {
  const lines = text.split('\n');
  const [origin, size, root] = lines;
  if (lines.length < 4 || lines.at(-1) !== '' || lines.slice(0, -1).includes('')) return null;
  if (origin === undefined || size === undefined || !SIZE.test(size) || root === undefined) return null;
  const hash = Buffer.from(root, 'base64');
  if (hash.length !== HASH_BYTES || hash.toString('base64') !== root) return null;
  return { origin, size: Number(size), root: hash };
}
