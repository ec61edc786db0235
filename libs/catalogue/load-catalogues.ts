import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { ANY_CATALOGUE, type Catalogue, Catalogues, type Scope } from './catalogue.ts';

const BUILT_IN = new URL('./builtin/', import.meta.url).pathname;
const NAME = /^[a-z][a-z0-9-]{0,31}$/;
const PREFIX = /^[a-z][a-z0-9]{0,15}(_[a-z0-9]{1,8})?_$/;
const SCOPE = /^[a-z][a-z0-9_-]*(:[a-z][a-z0-9_-]*)?$/;
const MAX_PER_MINUTE = 1_000_000;

/** A mistake in a catalogue, said with file and line. */
export class CatalogueMistake extends Error {
  override readonly name = 'CatalogueMistake';
}

/**
 * The built-in catalogues and those of a folder (`CATALOGUES`; YAML or JSON, one a file).
 * @throws CatalogueMistake naming file, line and what is wrong
 */
export function loadCatalogues(folder: string | null): Catalogues {
  const files = [...catalogueFiles(BUILT_IN), ...(folder === null ? [] : catalogueFiles(folder))];
  const catalogues: Catalogue[] = [];
  for (const file of files) {
    const catalogue = parseCatalogue(readFileSync(file, 'utf8'), file);
    for (const other of catalogues) {
      if (other.name === catalogue.name) throw new CatalogueMistake(`${file}: the name ${catalogue.name} is taken`);
      if (other.prefix === catalogue.prefix)
        throw new CatalogueMistake(`${file}: the prefix ${catalogue.prefix} is taken`);
    }
    catalogues.push(catalogue);
  }
  return new Catalogues(catalogues);
}

function catalogueFiles(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    throw new CatalogueMistake(`CATALOGUES: ${folder} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  return names
    .filter((name) => /\.(ya?ml|json)$/.test(name))
    .toSorted()
    .map((name) => join(folder, name));
}

/** One catalogue from its text (JSON is YAML). @throws CatalogueMistake */
export function parseCatalogue(text: string, file: string): Catalogue {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const mistake = (path: readonly string[], message: string): CatalogueMistake => {
    const node = nearest(path);
    const line = node === null ? 1 : lines.linePos(node).line;
    return new CatalogueMistake(`${file}:${line}: ${path.length === 0 ? '' : `${path.join('.')} `}${message}`);
  };
  /** Offset of the deepest node on the path that exists. */
  function nearest(path: readonly string[]): number | null {
    for (let depth = path.length; depth >= 0; depth--) {
      const node = document.getIn(path.slice(0, depth), true) as { range?: [number, number, number] } | undefined;
      if (node?.range !== undefined) return node.range[0];
    }
    return null;
  }

  const [error] = document.errors;
  if (error !== undefined) {
    throw new CatalogueMistake(`${file}:${error.linePos?.[0].line ?? 1}: ${error.message.split('\n')[0]}`);
  }
  const root = object(document.toJS(), []);
  known(root, [], ['name', 'title', 'prefix', 'scopes', 'limits', 'pins']);
  const name = matching(root['name'], ['name'], NAME, 'must be lower-case letters, digits and hyphens');
  const prefix = matching(root['prefix'], ['prefix'], PREFIX, 'must be lower-case and end in an underscore');
  if (name === ANY_CATALOGUE) throw mistake(['name'], 'is reserved');
  const title = root['title'] === undefined ? name : string(root['title'], ['title']);
  const scopes: Record<string, Scope> = {};
  const declared = object(root['scopes'], ['scopes']);
  if (Object.keys(declared).length === 0) throw mistake(['scopes'], 'must name at least one scope');
  for (const [scope, value] of Object.entries(declared)) {
    const path = ['scopes', scope];
    if (!SCOPE.test(scope)) throw mistake(path, 'is no scope name (like reports:read)');
    const entry = object(value, path);
    known(entry, path, ['grants', 'includes']);
    const includes = entry['includes'] ?? [];
    if (!Array.isArray(includes)) throw mistake([...path, 'includes'], 'must be a list of scopes');
    for (const included of includes) {
      if (typeof included !== 'string' || !Object.hasOwn(declared, included)) {
        throw mistake([...path, 'includes'], `names ${String(included)}, which is no scope of this catalogue`);
      }
    }
    scopes[scope] = { grants: string(entry['grants'], [...path, 'grants']), includes };
  }
  const given = object(root['limits'] ?? { reads: 600, writes: 60 }, ['limits']);
  known(given, ['limits'], ['reads', 'writes']);
  const limits = { reads: perMinute(given['reads'], 'reads'), writes: perMinute(given['writes'], 'writes') };
  const pins = root['pins'] ?? 'none';
  if (pins !== 'none' && pins !== 'company-and-projects')
    throw mistake(['pins'], 'must be none or company-and-projects');
  return { name, title, prefix, scopes, limits, pins };

  function object(value: unknown, path: readonly string[]): Record<string, unknown> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw mistake(path, 'must be a mapping');
    return value as Record<string, unknown>;
  }
  function known(value: Record<string, unknown>, path: readonly string[], names: readonly string[]): void {
    for (const key of Object.keys(value)) {
      if (!names.includes(key)) throw mistake([...path, key], `is not known; expected ${names.join(', ')}`);
    }
  }
  function string(value: unknown, path: readonly string[]): string {
    if (typeof value !== 'string' || value === '') throw mistake(path, 'must be a text');
    return value;
  }
  function matching(value: unknown, path: readonly string[], shape: RegExp, words: string): string {
    const text = string(value, path);
    if (!shape.test(text)) throw mistake(path, words);
    return text;
  }
  function perMinute(value: unknown, budget: string): number {
    if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > MAX_PER_MINUTE) {
      throw mistake(['limits', budget], `must be a whole number from 1 to ${MAX_PER_MINUTE}`);
    }
    return value as number;
  }
}
