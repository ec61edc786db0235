import { load } from '../event-log/decide-and-append.ts';
import type { EventLog } from '../event-log/event-log.ts';
import { invalid, type Problem } from '../problem/problem.ts';
import type { Restriction } from '../tokens/events.ts';
import { companyDecider } from './companies/decide.ts';
import { companyStream } from './companies/events.ts';
import { projectDecider } from './projects/decide.ts';
import { projectStream } from './projects/events.ts';

/**
 * Whether what a token is to be pinned to is there: its company in the workspace, its projects in that company. Null:
 * it is, or the restriction is misshapen, which the token's own decision says.
 */
export async function pinMistake(
  log: EventLog,
  workspace: string,
  { companies, projects }: Restriction,
): Promise<Problem | null> {
  const [company] = companies;
  if (company === undefined || companies.length > 1) return null;
  const found = (await load(log, companyStream(company), companyDecider)).state;
  if (found.status === 'none' || found.workspace !== workspace) {
    return invalid([{ field: 'restrict.companies', message: 'names no company of this workspace' }]);
  }
  const inCompany = await Promise.all(
    projects.map(async (id) => {
      const project = (await load(log, projectStream(id), projectDecider)).state;
      return project.status !== 'none' && project.workspace === workspace && project.company === company;
    }),
  );
  if (inCompany.every(Boolean)) return null;
  return invalid([{ field: 'restrict.projects', message: 'names what is no project of this company' }]);
}
