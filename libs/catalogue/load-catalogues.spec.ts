import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { expandScopes } from './catalogue.ts';
import { loadCatalogues, parseCatalogue } from './load-catalogues.ts';

const good =
  'name: acme\nprefix: acme_\nscopes:\n  read:\n    grants: Read\n  write:\n    grants: Write\n    includes: [read]\n';

describe('catalogues', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'catalogues-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('the built-in ones and those of a folder, YAML and JSON, are loaded', () => {
    writeFileSync(join(folder, 'acme.yaml'), good);
    writeFileSync(
      join(folder, 'b.json'),
      '{"name":"b","prefix":"b_","scopes":{"x":{"grants":"X"}},"limits":{"reads":5,"writes":1}}',
    );
    const catalogues = loadCatalogues(folder);
    expect(catalogues.all.map(({ name }) => name)).toEqual(['comma', 'toado', 'writ', 'acme', 'b']);
    expect(catalogues.prefixed('tok_')?.name).toBe('toado');
  });

  it('scopes bring all they imply', () => {
    const toado = loadCatalogues(null).named('toado')!;
    expect(expandScopes(toado, ['tickets:write'])).toEqual(['toado/comments', 'toado/read', 'toado/tickets:write']);
    expect(expandScopes(toado, ['tickets:assign'])).toEqual(['toado/read', 'toado/tickets:assign']);
  });

  it.each([
    ['an unknown key', `${good}colour: red\n`, /:9: colour is not known/],
    ['a scope that includes nothing known', good.replace('[read]', '[reed]'), /:8: scopes\.write\.includes names reed/],
    ['a limit of nothing', `${good}limits: { reads: 0, writes: 1 }\n`, /:9: limits\.reads must be a whole number/],
    ['a prefix without its underscore', good.replace('acme_', 'acme'), /:2: prefix must be/],
    ['no scopes', 'name: a\nprefix: a_\nscopes: {}\n', /:3: scopes must name at least one/],
    ['broken YAML', 'name: [\n', /:\d+: /],
  ])('a mistake is said with its line: %s', (_, text, message) => {
    expect(() => parseCatalogue(text, 'acme.yaml')).toThrow(message);
  });

  it('two catalogues cannot share a prefix', () => {
    writeFileSync(join(folder, 'acme.yaml'), good.replace('acme_', 'tok_'));
    expect(() => loadCatalogues(folder)).toThrow(/the prefix tok_ is taken/);
  });
});
