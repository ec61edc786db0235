import type { RecordedEvent } from '../../libs/event-log/event-log.ts';
import type { Change } from '../../libs/projection/change.ts';
import type { Projection } from '../../libs/projection/projection.ts';
import { COMPANY_PREFIX, type CompanyEvent } from '../../libs/toado/companies/events.ts';
import { PROJECT_PREFIX, type ProjectEvent } from '../../libs/toado/projects/events.ts';
import { applyCompany, companyTables, type CompanyTables } from './companies.ts';
import { applyProject, projectTables, type ProjectTables } from './projects.ts';

export type ToadoTables = CompanyTables & ProjectTables;

/** Companies, projects and their columns. The last writer is kept as the event's actor, whole. */
export const toado: Projection = {
  name: 'toado',
  version: 1,
  streamPrefixes: [COMPANY_PREFIX, PROJECT_PREFIX],
  tables: { ...companyTables, ...projectTables },
  apply(event): readonly Change[] {
    if (event.stream.startsWith(COMPANY_PREFIX)) return applyCompany(event as RecordedEvent & CompanyEvent);
    return applyProject(event as RecordedEvent & ProjectEvent);
  },
};
