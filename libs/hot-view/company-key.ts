import { companyOf } from '../tokens/limits.ts';
import type { ViewToken } from './hot-view.ts';

/** A company in a view. With its workspace, so that another workspace's never matters (P13). */
export const companyKey = (workspace: string, company: string): string => `${workspace}/${company}`;

/** Where the limits of a token's company are looked up; null: they do not matter to it. */
export function companyKeyOf({ workspace, restrict, ownLimits }: ViewToken): string | null {
  const company = companyOf(restrict);
  if (company === null || (ownLimits.reads !== null && ownLimits.writes !== null)) return null;
  return companyKey(workspace, company);
}
