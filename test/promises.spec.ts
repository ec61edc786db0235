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
    // A title that begins with the promise, alone or among others: 'P1 P2 …'.
    const title = new RegExp(`['"\`](?:P\\d+ )*${promise} `);
    expect(files.filter((file) => !title.test(readFileSync(file, 'utf8')))).toEqual([]);
  });
});
