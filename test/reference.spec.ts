import 'reflect-metadata';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { PARTS } from '../apps/api/app.module.ts';
import { ANY_ROUTINES_WRITE } from '../libs/catalogue/catalogue.ts';
import { loadCatalogues } from '../libs/catalogue/load-catalogues.ts';
import { isTool } from '../libs/mcp/tools.ts';
import { OPERATION, type OperationSpec } from '../libs/operation/operation.ts';
import { reference } from '../libs/operation/reference.ts';
import { canBeStep } from '../libs/routines/check-steps.ts';

const PAGE = 'docs/operations.md';

const specs = PARTS.flatMap((part) => (Reflect.getMetadata(OPERATION, part) as OperationSpec | undefined) ?? []);

describe(PAGE, () => {
  it('says what the declarations say (`npm run docs` writes it)', () => {
    const page = reference(specs, loadCatalogues(null), { isTool, canBeStep });
    if (process.env['WRIT_WRITE_DOCS'] === 'yes') writeFileSync(PAGE, page);
    expect(readFileSync(PAGE, 'utf8')).toBe(page);
  });

  it('P5 what shows a secret is neither a tool of MCP nor a step of a routine', () => {
    const showing = specs.filter(({ showsSecret }) => showsSecret === true);
    expect(showing.map(({ name }) => name)).toEqual(expect.arrayContaining(['create_token', 'rotate_token']));
    expect(showing.filter((spec) => isTool(spec) || canBeStep(spec))).toEqual([]);
  });

  it('every operation asks for a scope there is', () => {
    const asked = specs.flatMap(({ scope }) => scope ?? []);
    const all = loadCatalogues(null).all;
    const declared = all.flatMap(({ name, scopes }) => Object.keys(scopes).map((scope) => `${name}/${scope}`));
    expect(asked.filter((scope) => scope !== ANY_ROUTINES_WRITE && !declared.includes(scope))).toEqual([]);
  });
});
