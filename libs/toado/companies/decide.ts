import { type Decider, type Refused, refuse } from '../../event-log/decide-and-append.ts';
import { type Company, evolve, type LiveCompany, noCompany } from './company.ts';
import type { CompanyEvent, CompanyLimits } from './events.ts';

/** `workspace` is the caller's: what lies in another is not there (P13). `at` is RFC 3339. */
export type CompanyCommand = CreateCompany | RenameCompany | ChangeCompanyLimits;

export interface CreateCompany {
  readonly type: 'CreateCompany';
  readonly id: string;
  readonly workspace: string;
  readonly name: string;
  readonly at: string;
}

export interface RenameCompany {
  readonly type: 'RenameCompany';
  readonly workspace: string;
  readonly name: string;
  readonly at: string;
}

export interface ChangeCompanyLimits {
  readonly type: 'ChangeCompanyLimits';
  readonly workspace: string;
  /** A budget left out stays as it is. */
  readonly limits: Partial<CompanyLimits>;
  /** The giver's own, in force, calls a minute: nobody grants more than they hold (P13). */
  readonly ceiling: Limits;
  /** The catalogue's, which a budget of null falls back to. */
  readonly defaults: Limits;
  readonly at: string;
}

interface Limits {
  readonly reads: number;
  readonly writes: number;
}

export type CompanyRefusal =
  { readonly code: 'not_found' } | { readonly code: 'exists' } | { readonly code: 'beyond_authority' };

type Decision = readonly CompanyEvent[] | Refused<CompanyRefusal>;

export function decide(command: CompanyCommand, company: Company): Decision {
  if (command.type === 'CreateCompany') {
    if (company.status !== 'none') return refuse({ code: 'exists' });
    const { id, workspace, name, at } = command;
    return [{ type: 'CompanyCreated', data: { id, workspace, name, at } }];
  }
  if (company.status === 'none' || company.workspace !== command.workspace) return refuse({ code: 'not_found' });
  switch (command.type) {
    case 'RenameCompany': {
      const { name, at } = command;
      return name === company.name ? [] : [{ type: 'CompanyRenamed', data: { name, at } }];
    }
    case 'ChangeCompanyLimits':
      return changeLimits(command, company);
    default:
      return unknownCommand(command);
  }
}

function changeLimits({ limits, ceiling, defaults, at }: ChangeCompanyLimits, company: LiveCompany): Decision {
  const after: CompanyLimits = { ...company.limits, ...limits };
  if (after.reads === company.limits.reads && after.writes === company.limits.writes) return [];
  for (const budget of ['reads', 'writes'] as const) {
    const granted = after[budget] ?? defaults[budget];
    const widened = granted > (company.limits[budget] ?? defaults[budget]);
    if (widened && granted > ceiling[budget]) return refuse({ code: 'beyond_authority' });
  }
  return [{ type: 'CompanyLimitsChanged', data: { ...after, at } }];
}

function unknownCommand(command: never): never {
  throw new Error(`unknown company command ${(command as { type: string }).type}`);
}

export const companyDecider: Decider<CompanyCommand, Company, CompanyEvent, CompanyRefusal> = {
  initialState: noCompany,
  decide,
  evolve,
};
