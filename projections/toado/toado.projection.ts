import type { RecordedEvent } from '../../libs/event-log/event-log.ts';
import type { Change } from '../../libs/projection/change.ts';
import type { Projection } from '../../libs/projection/projection.ts';
import { COMPANY_PREFIX, type CompanyEvent } from '../../libs/toado/companies/events.ts';
import { PROJECT_PREFIX, type ProjectEvent } from '../../libs/toado/projects/events.ts';
import { TICKET_PREFIX, type TicketEvent } from '../../libs/toado/tickets/events.ts';
import { ASSET_PREFIX, type AssetEvent } from '../../libs/toado/assets/events.ts';
import { applyAsset, assetTables, type AssetTables } from './assets.ts';
import { applyCompany, companyTables, type CompanyTables } from './companies.ts';
import { applyProject, projectTables, type ProjectTables } from './projects.ts';
import { applyTicket, ticketTables, type TicketTables } from './tickets.ts';

export type ToadoTables = CompanyTables & ProjectTables & TicketTables & AssetTables;

/** Companies, projects with their columns, tickets, and the files on them. The last writer is kept as the event's actor, whole. */
export const toado: Projection = {
  name: 'toado',
  version: 4,
  streamPrefixes: [COMPANY_PREFIX, PROJECT_PREFIX, TICKET_PREFIX, ASSET_PREFIX],
  tables: { ...companyTables, ...projectTables, ...ticketTables, ...assetTables },
  apply(event): readonly Change[] {
    if (event.stream.startsWith(COMPANY_PREFIX)) return applyCompany(event as RecordedEvent & CompanyEvent);
    if (event.stream.startsWith(PROJECT_PREFIX)) return applyProject(event as RecordedEvent & ProjectEvent);
    if (event.stream.startsWith(ASSET_PREFIX)) return applyAsset(event as RecordedEvent & AssetEvent);
    return applyTicket(event as RecordedEvent & TicketEvent);
  },
};
