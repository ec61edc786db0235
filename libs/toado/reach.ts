import type { Restriction } from '../tokens/events.ts';

/** What a caller can get at in Toado: one workspace, and of it what its token is pinned to (empty lists: all of it). */
export interface Reach extends Restriction {
  readonly workspace: string;
}

/** Where something lies. A company's own place, and that of a project to be, has no project. */
export interface Place {
  readonly workspace: string;
  readonly company: string;
  readonly project: string | null;
}

export type OutOfReach = 'not_found' | 'forbidden';

/**
 * Whether a write may touch a place (null: there is no such thing); the one check of P8 and P13 for every decider.
 * A restricted caller hears `forbidden` of all that is not its own, there or not, and so learns nothing of it.
 */
export function outOfReach(reach: Reach, place: Place | null): OutOfReach | null {
  if (place !== null && place.workspace === reach.workspace && contains(reach, place)) return null;
  return reach.companies.length > 0 || reach.projects.length > 0 ? 'forbidden' : 'not_found';
}

const contains = ({ companies, projects }: Restriction, { company, project }: Place): boolean =>
  (companies.length === 0 || companies.includes(company)) &&
  (projects.length === 0 || (project !== null && projects.includes(project)));

export const reachOf = ({
  workspace,
  restrict,
}: {
  readonly workspace: string;
  readonly restrict: Restriction;
}): Reach => ({ workspace, companies: restrict.companies, projects: restrict.projects });
