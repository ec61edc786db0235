import type { EventLog, RecordedEvent } from '../event-log/event-log.ts';
import type { ViewCompany } from '../hot-view/hot-view.ts';
import { type CompanyEvent, companyStream } from '../toado/companies/events.ts';
import { eventTimeMs } from './event-time.ts';
import type { OwnLimits } from './events.ts';
import { type CompanyLimitsById, NO_LIMITS } from './limits.ts';

/**
 * What a company's stream says of its tokens' limits. Its other events do not matter here, known ones or not: so no
 * later kind of event can take the limits away.
 */
export function evolveCompany(company: ViewCompany | null, event: RecordedEvent & CompanyEvent): ViewCompany | null {
  const { revision: version } = event;
  if (event.type === 'CompanyCreated') {
    return { id: event.data.id, workspace: event.data.workspace, limits: NO_LIMITS, version };
  }
  if (company === null) return null;
  if (event.type !== 'CompanyLimitsChanged') return { ...company, version };
  const { reads, writes } = event.data;
  return { ...company, limits: { reads, writes }, version };
}

/** Straight from the log; null: there is no such company. With `atMs`: as it was at that instant (P10). */
export async function loadViewCompany(log: EventLog, id: string, atMs = Infinity): Promise<ViewCompany | null> {
  let company: ViewCompany | null = null;
  for await (const event of log.readStream(companyStream(id))) {
    if (eventTimeMs(event) > atMs) break;
    company = evolveCompany(company, event as RecordedEvent & CompanyEvent);
  }
  return company;
}

/** The limits of those that are the workspace's own; another's say nothing here (P13). */
export async function loadCompanyLimits(
  log: EventLog,
  workspace: string,
  ids: Iterable<string>,
  atMs?: number,
): Promise<CompanyLimitsById> {
  const found = [...new Set(ids)].map(async (id): Promise<[string, OwnLimits]> => {
    const company = await loadViewCompany(log, id, atMs);
    return [id, company?.workspace === workspace ? company.limits : NO_LIMITS];
  });
  return new Map(await Promise.all(found));
}
