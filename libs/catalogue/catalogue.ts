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

/** The scopes with all they imply, qualified and sorted. */
export function expandScopes(catalogue: Catalogue, scopes: readonly string[]): string[] {
  const all = new Set<string>();
  const add = (scope: string): void => {
    if (all.has(scope)) return;
    all.add(scope);
    for (const included of catalogue.scopes[scope]?.includes ?? []) add(included);
  };
  scopes.forEach(add);
  return [...all].map((scope) => qualify(catalogue.name, scope)).toSorted();
}

/** The catalogues in force, found by name and by token prefix. */
export class Catalogues {
  readonly #byName: ReadonlyMap<string, Catalogue>;
  readonly #byPrefix: ReadonlyMap<string, Catalogue>;

  constructor(catalogues: readonly Catalogue[]) {
    this.#byName = new Map(catalogues.map((catalogue) => [catalogue.name, catalogue]));
    this.#byPrefix = new Map(catalogues.map((catalogue) => [catalogue.prefix, catalogue]));
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
