import { afterAll, expect, test } from '@jest/globals';
import { PGlite } from '@electric-sql/pglite';
import fc from 'fast-check';
import { arrayLiteral } from './array-literal.ts';

const pglite = new PGlite();
afterAll(() => pglite.close());

async function read<Value>(type: string, values: readonly unknown[]): Promise<Value> {
  const { rows } = await pglite.query<{ values: Value }>(`select $1::text::${type}[] as values`, [
    arrayLiteral(values),
  ]);
  return rows[0]!.values;
}

/** All but what UTF-8 and PostgreSQL's text have no form for. */
const text = fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0') && value.isWellFormed());

test('whatever texts it is given, PostgreSQL reads them back', async () => {
  const awkward = fc.constantFrom('', 'NULL', 'null', '{', '}', ',', '"', '\\', '\\"', ' a ', '\n');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(text, awkward, fc.constant(null))), async (values) => {
      expect(await read('text', values)).toEqual(values);
    }),
  );
});

test('numbers, truths and what is missing are read back too', async () => {
  expect(await read('integer', [1, -2, undefined, null])).toEqual([1, -2, null, null]);
  expect(await read('bigint', [Number.MAX_SAFE_INTEGER])).toEqual([Number.MAX_SAFE_INTEGER]);
  expect(await read('boolean', [true, false, null])).toEqual([true, false, null]);
});
