/** A company, in stream `company-<id>`. Who did it is the event's actor, in its metadata. Times are RFC 3339. */
export type CompanyEvent = CompanyCreated | CompanyRenamed | CompanyLimitsChanged;

export interface CompanyCreated {
  readonly type: 'CompanyCreated';
  readonly data: { readonly id: string; readonly workspace: string; readonly name: string; readonly at: string };
}

export interface CompanyRenamed {
  readonly type: 'CompanyRenamed';
  readonly data: { readonly name: string; readonly at: string };
}

/** Both limits as they are afterwards: what its tokens have that have no limit of their own. */
export interface CompanyLimitsChanged {
  readonly type: 'CompanyLimitsChanged';
  readonly data: CompanyLimits & { readonly at: string };
}

/** Calls a minute; null: the catalogue's. */
export interface CompanyLimits {
  readonly reads: number | null;
  readonly writes: number | null;
}

export const COMPANY_PREFIX = 'company-';
export const companyStream = (id: string): string => `${COMPANY_PREFIX}${id}`;
