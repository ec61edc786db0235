import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { IQueryHandler } from '@nestjs/cqrs';
import * as fc from 'fast-check';
import type { NewEvent } from '../../libs/event-log/event-log.ts';
import { newId } from '../../libs/ids/new-id.ts';
import type { ReadDb } from '../../libs/read-db/read-db.ts';
import { type RunningProjection, startProjection } from '../../libs/projection/runner.ts';
import { ListAnnotations, ListAssets, GetAsset } from '../../libs/toado/assets/queries.ts';
import { GetCompany, ListCompanies } from '../../libs/toado/companies/queries.ts';
import { GetColumn, GetProject, ListColumns, ListProjects } from '../../libs/toado/projects/queries.ts';
import type { Reach } from '../../libs/toado/reach.ts';
import { Search } from '../../libs/toado/search/queries.ts';
import {
  CountTickets,
  GetTicket,
  ListTicketActivity,
  ListTicketComments,
  ListTickets,
} from '../../libs/toado/tickets/queries.ts';
import { GetAssetHandler, ListAnnotationsHandler, ListAssetsHandler } from '../../projections/toado/asset-queries.ts';
import { GetCompanyHandler, ListCompaniesHandler } from '../../projections/toado/company-queries.ts';
import {
  GetColumnHandler,
  GetProjectHandler,
  ListColumnsHandler,
  ListProjectsHandler,
} from '../../projections/toado/project-queries.ts';
import { SearchHandler } from '../../projections/toado/search-query.ts';
import {
  CountTicketsHandler,
  GetTicketHandler,
  ListTicketActivityHandler,
  ListTicketCommentsHandler,
  ListTicketsHandler,
} from '../../projections/toado/ticket-queries.ts';
import { toado } from '../../projections/toado/toado.projection.ts';
import { MemoryEventLog } from '../doubles/memory-event-log.ts';

/** A company of a workspace with its projects, each with its tickets; a ticket may move to the project named. */
interface World {
  readonly companies: readonly {
    readonly workspace: number;
    readonly projects: readonly { readonly tickets: readonly { readonly movesTo: number | null }[] }[];
  }[];
  readonly workspace: number;
  readonly pin: { readonly company: number; readonly projects: readonly number[] } | null;
}

interface Ticket {
  readonly id: string;
  readonly comment: string;
  readonly asset: string;
  readonly workspace: string;
  project: Project;
}
interface Project {
  readonly id: string;
  readonly column: string;
  readonly workspace: string;
  readonly company: string;
}

const worlds: fc.Arbitrary<World> = fc.record({
  companies: fc.array(
    fc.record({
      workspace: fc.nat(1),
      projects: fc.array(
        fc.record({ tickets: fc.array(fc.record({ movesTo: fc.option(fc.nat(8)) }), { maxLength: 3 }) }),
        { maxLength: 3 },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  workspace: fc.nat(1),
  pin: fc.option(fc.record({ company: fc.nat(2), projects: fc.array(fc.nat(8), { maxLength: 2 }) })),
});

/** Lists, counts, searches and reads of Toado against a model a child could check; `openDb` opens an empty store. */
export function restrictionContract(engine: string, openDb: () => Promise<ReadDb & { stop?(): Promise<void> }>): void {
  describe(`what a restricted token sees: ${engine}`, () => {
    const log = new MemoryEventLog();
    let db: ReadDb & { stop?(): Promise<void> };
    let running: RunningProjection;
    beforeAll(async () => {
      db = await openDb();
      const faults: Error[] = [];
      running = await startProjection({ log, readDb: db, projection: toado, onFault: (error) => faults.push(error) });
    }, 240_000);
    afterAll(async () => {
      await running.stop();
      await db.close();
      await db.stop?.();
    });

    it('P8 P13 is all that lies in its reach, and nothing else', async () => {
      await fc.assert(
        fc.asyncProperty(worlds, async (world) => {
          const made = await make(log, world);
          const head = await log.head();
          if (head === null || !(await running.waitFor(head, 60_000))) throw new Error('the read model lags');
          await check(db, made);
        }),
        { numRuns: 40, endOnFailure: true },
      );
    }, 240_000);
  });
}

interface Made {
  readonly reach: Reach;
  readonly companies: readonly { readonly id: string; readonly workspace: string }[];
  readonly projects: readonly Project[];
  readonly tickets: readonly Ticket[];
}

async function make(log: MemoryEventLog, world: World): Promise<Made> {
  // Names of their own in each run: all runs share one store.
  const workspaces = [newId(), newId()];
  const at = new Date().toISOString();
  const append = async (stream: string, ...events: readonly { readonly type: string; readonly data: object }[]) => {
    const actor = { person: { id: 'p', name: 'P' }, token: null, label: null, face: 'rest' };
    const metadata = { $correlationId: 'c', $causationId: 'c', schema: 1, actor };
    await log.append(
      stream,
      'no-stream',
      events.map((event): NewEvent => ({ id: crypto.randomUUID(), ...event, metadata })),
    );
  };
  const companies = [];
  const projects: Project[] = [];
  const tickets: (Ticket & { readonly movesTo: number | null })[] = [];
  for (const company of world.companies) {
    const id = newId();
    const workspace = workspaces[company.workspace]!;
    companies.push({ id, workspace });
    await append(`company-${id}`, { type: 'CompanyCreated', data: { id, workspace, name: 'Acme', at } });
    for (const { tickets: planned } of company.projects) {
      const project = { id: newId(), column: newId(), workspace, company: id };
      projects.push(project);
      await append(
        `project-${project.id}`,
        {
          type: 'ProjectCreated',
          data: { id: project.id, workspace, company: id, name: 'needle', description: '', at },
        },
        { type: 'ColumnAdded', data: { column: project.column, name: 'Now', position: 'a0', at } },
      );
      for (const { movesTo } of planned) {
        tickets.push({ id: newId(), comment: newId(), asset: newId(), workspace, project, movesTo });
      }
    }
  }
  for (const ticket of tickets) {
    const place = ({ company, id: project, column }: Project) => ({ company, project, column, position: 'a0' });
    const { id, workspace } = ticket;
    const facts = { id, workspace, title: 'needle', body: '', branch: null, assignees: [], at };
    const inWorkspace = projects.filter((project) => project.workspace === workspace);
    const to = ticket.movesTo === null ? undefined : inWorkspace[ticket.movesTo % inWorkspace.length];
    await append(
      `ticket-${id}`,
      { type: 'TicketCreated', data: { ...facts, ...place(ticket.project) } },
      { type: 'TicketCommented', data: { comment: ticket.comment, body: 'needle', at } },
      ...(to === undefined ? [] : [{ type: 'TicketMoved', data: { ...place(to), at } }]),
    );
    if (to !== undefined) ticket.project = to;
    const file = { ticket: id, name: 'a.txt', media_type: 'text/plain; charset=utf-8', sha256: 'a', length_bytes: 1 };
    await append(`asset-${ticket.asset}`, {
      type: 'AssetUploaded',
      data: { id: ticket.asset, workspace, ...file, at },
    });
  }
  const pinned = world.pin === null ? undefined : companies[world.pin.company % companies.length];
  const pinnedProjects =
    world.pin === null ? [] : world.pin.projects.flatMap((index) => projects[index % projects.length] ?? []);
  return {
    reach: {
      workspace: workspaces[world.workspace]!,
      companies: pinned === undefined ? [] : [pinned.id],
      projects: pinned === undefined ? [] : [...new Set(pinnedProjects.map(({ id }) => id))],
    },
    companies,
    projects,
    tickets,
  };
}

/** The model: in one's workspace, in one's company if pinned to one, in one's projects if pinned to some. */
function seen({ reach, companies, projects, tickets }: Made) {
  const company = (id: string, workspace: string): boolean =>
    workspace === reach.workspace && (reach.companies.length === 0 || reach.companies.includes(id));
  const project = (one: Project): boolean =>
    company(one.company, one.workspace) && (reach.projects.length === 0 || reach.projects.includes(one.id));
  return {
    companies: companies.filter(({ id, workspace }) => company(id, workspace)),
    projects: projects.filter(project),
    tickets: tickets.filter((ticket) => project(ticket.project)),
  };
}

async function check(db: ReadDb, made: Made): Promise<void> {
  const { reach } = made;
  const model = seen(made);
  const sorted = (things: Iterable<string>): string[] => [...things].toSorted();
  const ids = (things: readonly { readonly id: string }[]): string[] => sorted(things.map(({ id }) => id));
  const page = { cursor: null, limit: 200, nowMs: Date.now() };
  const ask = async <Handler extends IQueryHandler>(
    handler: new (db: ReadDb) => Handler,
    query: Parameters<Handler['execute']>[0],
  ) => (await new handler(db).execute(query)) as Awaited<ReturnType<Handler['execute']>>;

  expect(ids((await ask(ListCompaniesHandler, new ListCompanies({ reach, ...page }))).items)).toEqual(
    ids(model.companies),
  );
  const listed = await ask(ListProjectsHandler, new ListProjects({ reach, archived: false, ...page }));
  expect(ids(listed.items)).toEqual(ids(model.projects));
  const tickets = await ask(ListTicketsHandler, new ListTickets({ reach, archived: false, ...page }));
  expect(ids(tickets.items)).toEqual(ids(model.tickets));

  const found = await ask(SearchHandler, new Search({ reach, text: 'needle', ...page }));
  const comments = model.tickets.map(({ comment }) => comment);
  expect(sorted(found.items.map(({ kind, id }) => `${kind} ${id}`))).toEqual(
    sorted([
      ...model.projects.map(({ id }) => `project ${id}`),
      ...model.tickets.map(({ id }) => `ticket ${id}`),
      ...comments.map((id) => `comment ${id}`),
    ]),
  );
  expect(found.counts).toEqual({
    project: model.projects.length,
    ticket: model.tickets.length,
    comment: comments.length,
  });

  const one = { reach, nowMs: page.nowMs };
  for (const { id } of made.companies) {
    const there = (await ask(GetCompanyHandler, new GetCompany({ id, ...one }))) !== null;
    expect(there).toBe(model.companies.some((company) => company.id === id));
  }
  for (const { id, column } of made.projects) {
    const there = (await ask(GetProjectHandler, new GetProject({ id, ...one }))) !== null;
    expect(there).toBe(model.projects.some((project) => project.id === id));
    const columns = await ask(ListColumnsHandler, new ListColumns({ project: id, ...one }));
    expect(columns === null ? null : ids(columns)).toEqual(there ? [column] : null);
    expect((await ask(GetColumnHandler, new GetColumn({ id: column, ...one }))) !== null).toBe(there);
    const count = await ask(CountTicketsHandler, new CountTickets({ reach, column }));
    expect(count).toBe(model.tickets.filter(({ project }) => project.id === id).length);
  }
  for (const { id, comment, asset } of made.tickets) {
    const visible = model.tickets.some((ticket) => ticket.id === id);
    expect((await ask(GetTicketHandler, new GetTicket({ id, ...one }))) !== null).toBe(visible);
    const said = await ask(ListTicketCommentsHandler, new ListTicketComments({ reach, ticket: id, ...page }));
    expect(said === null ? null : ids(said.items)).toEqual(visible ? [comment] : null);
    const activity = await ask(ListTicketActivityHandler, new ListTicketActivity({ reach, ticket: id, ...page }));
    expect(activity !== null).toBe(visible);
    const files = await ask(ListAssetsHandler, new ListAssets({ reach, ticket: id, ...page }));
    expect(files === null ? null : ids(files.items)).toEqual(visible ? [asset] : null);
    expect((await ask(GetAssetHandler, new GetAsset({ id: asset, ...one }))) !== null).toBe(visible);
    const notes = await ask(ListAnnotationsHandler, new ListAnnotations({ reach, asset, ...page }));
    expect(notes === null ? null : notes.items).toEqual(visible ? [] : null);
  }
}
