import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const rows = [...readFileSync('docs/promises.md', 'utf8').matchAll(/^\| \*\*(P\d+)\*\*.*\|([^|]*)\|([^|]*)\|$/gm)].map(
  ([, promise = '', how = '', proof = '']) => ({
    promise,
    how,
    files: [...proof.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
  }),
);

describe('docs/promises.md', () => {
  it('names every promise', () => {
    expect(rows.map(({ promise }) => promise)).toEqual(Array.from({ length: 13 }, (_, index) => `P${index + 1}`));
  });

  it.each(rows)('$promise is proved where it says, or said to be open', ({ promise, how, files }) => {
    if (files.length === 0) expect(how).toMatch(/not yet/);
    for (const file of files) {
      expect({
        file,
        names: new RegExp(`it(\\.each)?[^\\n]*\\(?.*\\b${promise}\\b|describe\\([^\\n]*\\b${promise}\\b`, 's').test(
          readFileSync(file, 'utf8'),
        ),
      }).toEqual({
        file,
        names: true,
      });
    }
  });
});
