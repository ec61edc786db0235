import type { ViewToken } from '../hot-view.ts';

/** Parts that many tokens share are kept once: at a million tokens that is most of their size. */
export class Interner {
  readonly #parts = new Map<string, object>();

  token(token: ViewToken): ViewToken {
    return {
      ...token,
      lineage: token.lineage === token.id ? token.id : token.lineage,
      owner: this.#part('owner', token.owner),
      scopes: this.#part('scopes', token.scopes),
      grants: this.#part('grants', token.grants),
      restrict: this.#part('restrict', token.restrict),
      limits: this.#part('limits', token.limits),
      ownLimits: this.#part('ownLimits', token.ownLimits),
    };
  }

  #part<Part extends object>(name: string, part: Part): Part {
    const key = name + JSON.stringify(part);
    const known = this.#parts.get(key);
    if (known !== undefined) return known as Part;
    this.#parts.set(key, part);
    return part;
  }
}
