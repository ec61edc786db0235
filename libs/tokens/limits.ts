import type { OwnLimits, Restriction } from './events.ts';

/** Calls a minute, in force. */
export interface Limits {
  readonly reads: number;
  readonly writes: number;
}

/** What companies say of their tokens' limits, by company id: of those that were looked up. */
export type CompanyLimitsById = ReadonlyMap<string, OwnLimits>;

export const NO_LIMITS: OwnLimits = { reads: null, writes: null };

/** A token's limit is its own, else its company's, else its catalogue's (DESIGN §4). */
export const limitsInForce = (own: OwnLimits, company: OwnLimits, catalogue: Limits): Limits => ({
  reads: own.reads ?? company.reads ?? catalogue.reads,
  writes: own.writes ?? company.writes ?? catalogue.writes,
});

/** The company whose limits count for a token, if any do: the one it is pinned to. */
export const companyOf = ({ companies: [company] }: Restriction): string | null => company ?? null;

/** Of a company that was not looked up nothing is known: it is taken to give more than anybody holds (P13). */
const BOUNDLESS: OwnLimits = { reads: Infinity, writes: Infinity };

export function limitsOfCompany(restrict: Restriction, companies: CompanyLimitsById): OwnLimits {
  const company = companyOf(restrict);
  return company === null ? NO_LIMITS : (companies.get(company) ?? BOUNDLESS);
}
