import { holdsToken } from '../../gate/parse-input.ts';
import { UploadBroken } from '../../operation/content.ts';
import { containsSecret } from '../../problem/problem.ts';
import { MAX_TOKEN_LENGTH } from '../../tokens/token-format.ts';

/** Passes the bytes of a text on until a token shows in it (P5), wherever a piece happens to end. @throws UploadBroken */
export async function* refuseSecrets(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let before = '';
  for await (const piece of bytes) {
    // A token is ASCII, so a byte a character will do.
    const text = before + Buffer.from(piece).toString('latin1');
    if (holdsToken(text)) throw new UploadBroken(containsSecret());
    before = text.slice(-MAX_TOKEN_LENGTH);
    yield piece;
  }
}
