import { hash } from 'node:crypto';

/** A product's token vocabulary, as data: its prefix, its scopes and what they imply, its default limits, its pins. */
export interface Catalogue {
  readonly name: string;
  readonly title: string;
  readonly prefix: string;
  readonly scopes: Readonly<Record<string, Scope>>;
  /** Calls a minute, for tokens with no limit of their own or of their company. */
  readonly limits: { readonly reads: number; readonly writes: number };
  /** What its tokens can be pinned to. */
  readonly pins: 'none' | 'company-and-projects';
}

export interface Scope {
  readonly grants: string;
  /** Scopes this one includes; not followed further than `expandScopes` does (all the way). */
  readonly includes: readonly string[];
}

/** A scope with its catalogue: `toado/read`. What operations ask for and tokens are compared by. */
export const qualify = (catalogue: string, scope: string): string => `${catalogue}/${scope}`;

/** `toado/read` → `read`, as the product's own users know it. */
export const unqualify = (scope: string): string => scope.slice(scope.indexOf('/') + 1);

/** A scope of this name makes and runs routines, in whichever catalogue it stands; the operations on routines ask for it. */
const ROUTINES_WRITE = 'routines:write';
/** Stands for whichever catalogue; no catalogue's own name. */
export const ANY_CATALOGUE = 'any';
export const ANY_ROUTINES_WRITE = qualify(ANY_CATALOGUE, ROUTINES_WRITE);

/** The scopes with all they imply, qualified and sorted. */
export function expandScopes(catalogue: Catalogue, scopes: readonly string[]): string[] {
  const all = new Set<string>();
  const add = (scope: string): void => {
    if (all.has(scope)) return;
    all.add(scope);
    for (const included of catalogue.scopes[scope]?.includes ?? []) add(included);
  };
  scopes.forEach(add);
  const qualified = [...all].map((scope) => qualify(catalogue.name, scope));
  return (all.has(ROUTINES_WRITE) ? [...qualified, ANY_ROUTINES_WRITE] : qualified).toSorted();
}

const DIGEST_LENGTH = 16;

/** The catalogues in force, found by name and by token prefix. */
export class Catalogues {
  readonly #byName: ReadonlyMap<string, Catalogue>;
  readonly #byPrefix: ReadonlyMap<string, Catalogue>;
  /** The same for the same catalogues, in whatever order and by whichever process they were loaded. */
  readonly digest: string;

  constructor(catalogues: readonly Catalogue[]) {
    this.#byName = new Map(catalogues.map((catalogue) => [catalogue.name, catalogue]));
    this.#byPrefix = new Map(catalogues.map((catalogue) => [catalogue.prefix, catalogue]));
    const sorted = catalogues.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    this.digest = hash('sha256', JSON.stringify(sorted)).slice(0, DIGEST_LENGTH);
  }

  get all(): readonly Catalogue[] {
    return [...this.#byName.values()];
  }

  named(name: string): Catalogue | null {
    return this.#byName.get(name) ?? null;
  }

  prefixed(prefix: string): Catalogue | null {
    return this.#byPrefix.get(prefix) ?? null;
  }
}
