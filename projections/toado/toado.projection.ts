import type { RecordedEvent } from '../../libs/event-log/event-log.ts';
import type { Change } from '../../libs/projection/change.ts';
import type { Projection } from '../../libs/projection/projection.ts';
import { COMPANY_PREFIX, type CompanyEvent } from '../../libs/toado/companies/events.ts';
import { PROJECT_PREFIX, type ProjectEvent } from '../../libs/toado/projects/events.ts';
import { TICKET_PREFIX, type TicketEvent } from '../../libs/toado/tickets/events.ts';
import { applyCompany, companyTables, type CompanyTables } from './companies.ts';
import { applyProject, projectTables, type ProjectTables } from './projects.ts';
import { applyTicket, ticketTables, type TicketTables } from './tickets.ts';

export type ToadoTables = CompanyTables & ProjectTables & TicketTables;

/** Companies, projects with their columns, and tickets. The last writer is kept as the event's actor, whole. */
export const toado: Projection = {
  name: 'toado',
  version: 1,
  streamPrefixes: [COMPANY_PREFIX, PROJECT_PREFIX, TICKET_PREFIX],
  tables: { ...companyTables, ...projectTables, ...ticketTables },
  apply(event): readonly Change[] {
    if (event.stream.startsWith(COMPANY_PREFIX)) return applyCompany(event as RecordedEvent & CompanyEvent);
    if (event.stream.startsWith(PROJECT_PREFIX)) return applyProject(event as RecordedEvent & ProjectEvent);
    return applyTicket(event as RecordedEvent & TicketEvent);
  },
};
