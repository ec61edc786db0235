import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PROMISES } from './breakage.ts';
import { BREAKAGES } from './breakages.ts';
import { keyOf, NOT_CAUGHT, PAGE, readRows } from './report.ts';

/** A spec's text, and that of the contract it runs. */
function textOf(spec: string): string {
  const text = readFileSync(spec, 'utf8');
  const contracts = [...text.matchAll(/from '([^']+\.contract\.ts)'/g)].map(([, path = '']) =>
    join(dirname(spec), path),
  );
  return [text, ...contracts.map((file) => readFileSync(file, 'utf8'))].join('\n');
}

describe('what is broken on purpose', () => {
  it('is each promise, in several of its clauses', () => {
    const clauses = (promise: string): number => BREAKAGES.filter((each) => each.promise === promise).length;
    expect(PROMISES.filter((promise) => clauses(promise) < 4)).toEqual([]);
  });

  it('is told apart by its words', () => {
    expect(new Set(BREAKAGES.map(keyOf)).size).toBe(BREAKAGES.length);
  });

  it('is a text that stands once in its file, and something else in its place', () => {
    const times = (file: string, text: string): number => readFileSync(file, 'utf8').split(text).length - 1;
    expect(BREAKAGES.filter(({ file, text }) => !existsSync(file) || times(file, text) !== 1)).toEqual([]);
    expect(BREAKAGES.filter(({ text, replacement }) => text === replacement)).toEqual([]);
  });

  it('names a spec that holds a test of the promise', () => {
    const holds = ({ spec, promise }: (typeof BREAKAGES)[number]): boolean =>
      existsSync(spec) && new RegExp(`['"\`](?:P\\d+ )*${promise} `).test(textOf(spec));
    expect(BREAKAGES.filter((breakage) => !holds(breakage))).toEqual([]);
  });

  it(`is in ${PAGE}, all of it, and nothing else, and was caught (\`npm run test:broken\` writes it)`, () => {
    const rows = readRows();
    expect([...rows.keys()]).toEqual(BREAKAGES.map(keyOf));
    expect([...rows.values()].filter((row) => row.includes(NOT_CAUGHT))).toEqual([]);
  });
});
