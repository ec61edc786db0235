import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatToken, newSecret, parseToken, TOKEN_SHAPE, tokenDigest } from './token-format.ts';
import { lineageKey, newTokenId, successorId } from './token-id.ts';

const prefixes = fc.constantFrom('comma_sk_', 'tok_', 'writ_');
const tokens = fc
  .tuple(prefixes, fc.nat(2 ** 45))
  .map(([prefix, ms]) => ({ prefix, id: newTokenId(ms), secret: newSecret() }));

describe('token format', () => {
  it('is parsed back to prefix and id', () => {
    fc.assert(
      fc.property(tokens, ({ prefix, id, secret }) => {
        expect(parseToken(formatToken(prefix, id, secret))).toEqual({ prefix, id });
      }),
    );
  });

  it('P11 a token with any character changed, dropped, added or its case turned is none', () => {
    fc.assert(
      fc.property(
        tokens,
        fc.nat(),
        fc.constantFrom('change', 'drop', 'add', 'case'),
        ({ prefix, id, secret }, at, how) => {
          const text = formatToken(prefix, id, secret);
          const index = prefix.length + (at % (text.length - prefix.length));
          const character = text[index]!;
          const other = how === 'change' ? (character === 'A' ? 'B' : 'A') : swapCase(character);
          const mistyped =
            how === 'drop'
              ? text.slice(0, index) + text.slice(index + 1)
              : how === 'add'
                ? `${text.slice(0, index)}0${text.slice(index)}`
                : text.slice(0, index) + other + text.slice(index + 1);
          fc.pre(mistyped !== text);
          // A checksum of 32 bits may let one in 4 billion through; a dropped or added character shifts the prefix, too.
          const parsed = parseToken(mistyped);
          expect(parsed === null || parsed.prefix !== prefix).toBe(true);
        },
      ),
    );
  });

  it('P5 what is kept of it does not contain it, and its shape is found in any text', () => {
    const text = formatToken('comma_sk_', newTokenId(0), newSecret());
    expect(tokenDigest(text)).toMatch(/^[0-9a-f]{64}$/);
    expect(`see ${text}, thanks`.match(TOKEN_SHAPE)).toEqual([text]);
  });

  it('secrets do not repeat', () => {
    expect(new Set(Array.from({ length: 1_000 }, newSecret)).size).toBe(1_000);
  });
});

describe('a successor', () => {
  it('comes later and shares its lineage key', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 45), fc.nat(2 ** 45), (born, rotated) => {
        const id = newTokenId(born);
        const next = successorId(id, rotated);
        expect(lineageKey(next)).toBe(lineageKey(id));
        expect(next > id).toBe(true);
        expect(next).toHaveLength(26);
      }),
    );
  });
});

const swapCase = (character: string): string =>
  character === character.toLowerCase() ? character.toUpperCase() : character.toLowerCase();
