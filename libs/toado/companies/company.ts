import type { CompanyEvent, CompanyLimits } from './events.ts';

/** A company as its stream tells it. */
export type Company = { readonly status: 'none' } | LiveCompany;

export interface LiveCompany {
  readonly status: 'live';
  readonly id: string;
  readonly workspace: string;
  readonly name: string;
  readonly limits: CompanyLimits;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export const noCompany: Company = { status: 'none' };

export function evolve(company: Company, event: CompanyEvent): Company {
  if (event.type === 'CompanyCreated') {
    const { id, workspace, name, at } = event.data;
    const limits = { reads: null, writes: null };
    return { status: 'live', id, workspace, name, limits, createdAt: at, updatedAt: at };
  }
  if (company.status === 'none') throw new Error(`${event.type} before CompanyCreated`);
  switch (event.type) {
    case 'CompanyRenamed':
      return { ...company, name: event.data.name, updatedAt: event.data.at };
    case 'CompanyLimitsChanged': {
      const { reads, writes, at } = event.data;
      return { ...company, limits: { reads, writes }, updatedAt: at };
    }
    default:
      return unknownEvent(event);
  }
}

function unknownEvent(event: never): never {
  throw new Error(`unknown company event ${(event as { type: string }).type}`);
}
