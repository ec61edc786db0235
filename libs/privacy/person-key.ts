import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { commitmentTo } from '../proof/commitment.ts';

export const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Personal values of one person, as they are stored in an event. */
export interface SealedValues {
  readonly person: string;
  /** Which key of theirs: a name made of it, which tells nothing of it. */
  readonly key: string;
  /** Where the values were. */
  readonly at: readonly string[];
  /**
   * SHA-256 of salt and values, base64. Whoever is shown both can check them against the log; the salt is made of key and
   * values, and goes with the key.
   */
  readonly commitment: string;
  /** The values, a JSON list: AES-256-GCM, the tag at the end, base64. The IV is the commitment's first 12 bytes. */
  readonly box: string;
}

export type Box = Pick<SealedValues, 'commitment' | 'box'>;

/** One client of one token says the same of itself call after call: it is sealed once. */
const MOST_KEPT = 16;

/**
 * What seals and opens the personal values of one person. The same values give the same box, so a repeated append is the
 * same to the byte; other values have another commitment and so another IV.
 */
export class PersonKey {
  /** Names the key in what it sealed. */
  readonly id: string;
  readonly #encryption: Buffer;
  readonly #salting: Buffer;
  readonly #sealed = new Map<string, Box>();
  readonly #opened = new Map<string, readonly string[]>();

  /** @param secret `KEY_BYTES` of them */
  constructor(secret: Uint8Array) {
    const derived = (purpose: string, bytes: number): Buffer =>
      Buffer.from(hkdfSync('sha256', secret, '', `writ person key: ${purpose}`, bytes));
    this.id = derived('name', 6).toString('base64url');
    this.#encryption = derived('encryption', KEY_BYTES);
    this.#salting = derived('salt', KEY_BYTES);
  }

  seal(values: readonly string[]): Box {
    const text = JSON.stringify(values);
    const known = this.#sealed.get(text);
    if (known !== undefined) return known;
    const commitment = commitmentTo(this.#saltOf(text), values);
    const cipher = createCipheriv('aes-256-gcm', this.#encryption, ivOf(commitment));
    const bytes = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    const box = { commitment, box: bytes.toString('base64') };
    keep(this.#sealed, text, box);
    return box;
  }

  /** Null: it is not what this key sealed. */
  open(sealed: Box): readonly string[] | null {
    const known = this.#opened.get(sealed.box);
    if (known !== undefined) return known;
    const values = this.#decrypt(sealed);
    if (values === null) return null;
    keep(this.#opened, sealed.box, values);
    return values;
  }

  /** With it whoever is shown opened values can check them against the commitment. */
  saltOf(values: readonly string[]): string {
    return this.#saltOf(JSON.stringify(values));
  }

  #saltOf(text: string): string {
    return createHmac('sha256', this.#salting).update(text).digest('base64');
  }

  #decrypt({ commitment, box }: Box): readonly string[] | null {
    const bytes = Buffer.from(box, 'base64');
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#encryption, ivOf(commitment));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      const text = decipher.update(bytes.subarray(0, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
      const values = JSON.parse(text) as readonly string[];
      return commitmentTo(this.#saltOf(text), values) === commitment ? values : null;
    } catch {
      return null;
    }
  }
}

const ivOf = (commitment: string): Buffer => Buffer.from(commitment, 'base64').subarray(0, IV_BYTES);

function keep<Value>(kept: Map<string, Value>, key: string, value: Value): void {
  const [oldest] = kept.keys();
  if (oldest !== undefined && kept.size >= MOST_KEPT) kept.delete(oldest);
  kept.set(key, value);
}
