import { type Limits, limitsInForce } from '../../tokens/limits.ts';
import { companyKey, companyKeyOf } from '../company-key.ts';
import type { ViewCompany, ViewToken } from '../hot-view.ts';

/** What companies say of their tokens' limits, and who follows them. */
export class CompanyLimits<Follower> {
  readonly #companies = new Map<string, ViewCompany>();
  readonly #followers = new Map<string, Set<Follower>>();

  /** Answers who must be told; nobody where a version as new is held. */
  put(company: ViewCompany): Iterable<Follower> {
    const key = companyKey(company.workspace, company.id);
    const held = this.#companies.get(key);
    if (held !== undefined && company.version <= held.version) return [];
    this.#companies.set(key, company);
    return this.#followers.get(key) ?? [];
  }

  get all(): ReadonlyMap<string, ViewCompany> {
    return this.#companies;
  }

  /** Whatever version is held. Answers who must be told. */
  replace(key: string, company: ViewCompany | null): Iterable<Follower> {
    if (company === null) this.#companies.delete(key);
    else this.#companies.set(key, company);
    return this.#followers.get(key) ?? [];
  }

  /** The token's limits in force, the very object it came with where its company changes nothing. */
  join(token: ViewToken, follower: Follower): Limits {
    const key = companyKeyOf(token);
    if (key === null) return token.limits;
    const followers = this.#followers.get(key);
    if (followers === undefined) this.#followers.set(key, new Set([follower]));
    else followers.add(follower);
    const company = this.#companies.get(key);
    return company === undefined ? token.limits : limitsInForce(token.ownLimits, company.limits, token.limits);
  }

  leave(token: ViewToken, follower: Follower): void {
    const key = companyKeyOf(token);
    if (key !== null) this.#followers.get(key)?.delete(follower);
  }
}
