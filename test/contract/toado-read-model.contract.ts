import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventLog, NewEvent } from '../../libs/event-log/event-log.ts';
import { type RunningProjection, startProjection } from '../../libs/projection/runner.ts';
import { BadCursor } from '../../libs/read-db/page.ts';
import type { ReadDb } from '../../libs/read-db/read-db.ts';
import { GetCompany, ListCompanies } from '../../libs/toado/companies/queries.ts';
import { GetColumn, ListColumns, ListProjects } from '../../libs/toado/projects/queries.ts';
import type { Reach } from '../../libs/toado/reach.ts';
import {
  CountTickets,
  FindGap,
  GetTicket,
  ListTicketActivity,
  ListTicketComments,
  ListTickets,
  type TicketFilter,
} from '../../libs/toado/tickets/queries.ts';
import { GetCompanyHandler, ListCompaniesHandler } from '../../projections/toado/company-queries.ts';
import { FindGapHandler } from '../../projections/toado/gap-query.ts';
import { GetColumnHandler, ListColumnsHandler, ListProjectsHandler } from '../../projections/toado/project-queries.ts';
import {
  CountTicketsHandler,
  GetTicketHandler,
  ListTicketActivityHandler,
  ListTicketCommentsHandler,
  ListTicketsHandler,
} from '../../projections/toado/ticket-queries.ts';
import { toado } from '../../projections/toado/toado.projection.ts';
import { MemoryEventLog } from '../doubles/memory-event-log.ts';

const at = '2026-01-02T03:04:05.000Z';
const nowMs = Date.parse(at);
const ada = { id: 'ada', name: 'Ada' };
const actor = { person: ada, token: 'T1', label: 'claude-code', face: 'mcp' };
const event = (type: string, data: object): NewEvent => ({
  id: randomUUID(),
  type,
  data: { at, ...data },
  metadata: { $correlationId: 'r', $causationId: 'r', schema: 1, actor },
});

const all: Reach = { workspace: 'w1', companies: [], projects: [] };
const ofCompany: Reach = { workspace: 'w1', companies: ['c1'], projects: [] };
const ofProject: Reach = { workspace: 'w1', companies: ['c1'], projects: ['p1'] };
const whole = { cursor: null, limit: 50, nowMs };

/** Positions in their order: byte by byte, which few collations agree with. */
const POSITIONS = ['Zz', 'a0', 'a0V', 'a0a', 'aA', 'aZ', 'aa', 'az', 'b00'];

/** What holds of Toado's read model, whichever engine keeps it. */
export function toadoReadModelContract(
  engine: string,
  start: () => Promise<{ open(): Promise<ReadDb>; stop(): Promise<void> }>,
) {
  describe(`Toado’s read model on ${engine}`, () => {
    let store: Awaited<ReturnType<typeof start>>;
    let db: ReadDb;
    let running: RunningProjection;
    const log: EventLog = new MemoryEventLog();

    const ticket = (id: string, project: string, column: string, position: string, more: object = {}): NewEvent => {
      const place = { workspace: 'w1', company: project === 'p3' ? 'c2' : 'c1', project, column, position };
      const facts = { id, title: id, body: '', branch: null, assignees: [], ...place, ...more };
      return event('TicketCreated', facts);
    };

    beforeAll(async () => {
      store = await start();
      db = await store.open();
      for (const [id, workspace] of [
        ['c1', 'w1'],
        ['c2', 'w1'],
        ['c3', 'w2'],
      ]) {
        await log.append(`company-${id}`, 'no-stream', [event('CompanyCreated', { id, workspace, name: id })]);
      }
      for (const [id, company] of [
        ['p1', 'c1'],
        ['p2', 'c1'],
        ['p3', 'c2'],
      ]) {
        await log.append(`project-${id}`, 'no-stream', [
          event('ProjectCreated', { id, workspace: 'w1', company, name: id, description: '' }),
          event('ColumnAdded', { column: `${id}-b`, name: 'b', position: 'aa' }),
          event('ColumnAdded', { column: `${id}-a`, name: 'a', position: 'aB' }),
          event('ColumnAdded', { column: `${id}-gone`, name: 'gone', position: 'b00' }),
          event('ColumnRemoved', { column: `${id}-gone` }),
        ]);
      }
      // The last created stands first.
      for (const [n, position] of POSITIONS.toReversed().entries()) {
        await log.append(`ticket-n${n}`, 'no-stream', [ticket(`n${n}`, 'p1', 'p1-a', position)]);
      }
      await log.append('ticket-x', 'no-stream', [
        ticket('x', 'p1', 'p1-b', 'a0', { branch: 'feat/x', assignees: [ada] }),
        event('TicketCommented', { comment: 'k', body: 'Why?' }),
        event('TicketMoved', { company: 'c1', project: 'p2', column: 'p2-a', position: 'a1' }),
        event('TicketUpdated', { title: 'X', body: 'B' }),
      ]);
      await log.append('ticket-y', 'no-stream', [
        ticket('y', 'p3', 'p3-a', 'a0'),
        event('TicketBranchRecorded', { branch: 'feat/x' }),
        event('TicketAssigned', { assignees: [ada], assigned: ['ada'], unassigned: [] }),
      ]);
      await log.append('ticket-z', 'no-stream', [ticket('z', 'p1', 'p1-b', 'a5'), event('TicketArchived', {})]);
      running = await startProjection({ log, readDb: db, projection: toado, batchSize: 7 });
      expect(await running.waitFor((await log.head()) ?? 0, 30_000)).toBe(true);
    }, 180_000);
    afterAll(async () => {
      await running.stop();
      await db.close();
      await store.stop();
    });

    const ids = async (reach: Reach, filter: Partial<TicketFilter> = {}): Promise<string[]> => {
      const query = new ListTickets({ reach, archived: false, ...filter, ...whole });
      return (await new ListTicketsHandler(db).execute(query)).items.map(({ id }) => id);
    };

    it('P8 P13 lists, counts and reads only what is within reach', async () => {
      const inFirst = POSITIONS.map((_, n) => `n${n}`).toReversed();
      expect(await ids(all)).toEqual(['y', 'x', ...inFirst]);
      expect(await ids(ofCompany)).toEqual(['x', ...inFirst]);
      expect(await ids(ofProject)).toEqual(inFirst);
      expect(await ids({ ...all, workspace: 'w2' })).toEqual([]);
      expect(await ids(ofCompany, { branch: 'feat/x' })).toEqual(['x']);
      expect(await ids(ofProject, { assignee: 'ada' })).toEqual([]);
      expect(await ids(all, { assignee: 'ada' })).toEqual(['y', 'x']);
      expect(await ids(ofCompany, { company: 'c2' })).toEqual([]);
      expect(await ids(all, { archived: true })).toEqual(['z']);

      const count = (reach: Reach, column: string) =>
        new CountTicketsHandler(db).execute(new CountTickets({ reach, column }));
      expect(await Promise.all([count(all, 'p2-a'), count(ofProject, 'p2-a'), count(all, 'p1-b')])).toEqual([1, 0, 0]);

      const companies = async (reach: Reach) =>
        (await new ListCompaniesHandler(db).execute(new ListCompanies({ reach, ...whole }))).items.map(({ id }) => id);
      expect(await companies(all)).toEqual(['c2', 'c1']);
      expect(await companies(ofProject)).toEqual(['c1']);
      const projects = async (reach: Reach) => {
        const query = new ListProjects({ reach, archived: false, ...whole });
        return (await new ListProjectsHandler(db).execute(query)).items.map(({ id }) => id);
      };
      expect(await projects(ofCompany)).toEqual(['p2', 'p1']);
      expect(await projects(ofProject)).toEqual(['p1']);
    });

    it.each([
      ['another company', ofCompany, 'y', 'p3'],
      ['another project', ofProject, 'x', 'p2'],
      ['another workspace', { ...all, workspace: 'w2' }, 'n0', 'p1'],
    ] as const)('P8 P13 of %s there is nothing to read', async (_, reach, id, project) => {
      const company = project === 'p3' ? 'c2' : 'c1';
      expect(await new GetTicketHandler(db).execute(new GetTicket({ reach, id, nowMs }))).toBeNull();
      const comments = new ListTicketComments({ reach, ticket: id, ...whole });
      expect(await new ListTicketCommentsHandler(db).execute(comments)).toBeNull();
      const activity = new ListTicketActivity({ reach, ticket: id, ...whole });
      expect(await new ListTicketActivityHandler(db).execute(activity)).toBeNull();
      expect(await new ListColumnsHandler(db).execute(new ListColumns({ reach, project, nowMs }))).toBeNull();
      expect(await new GetColumnHandler(db).execute(new GetColumn({ reach, id: `${project}-a`, nowMs }))).toBeNull();
      if (company === 'c2') {
        expect(await new GetCompanyHandler(db).execute(new GetCompany({ reach, id: company, nowMs }))).toBeNull();
      }
    });

    it('tells a ticket as its events left it, with its comments and activity', async () => {
      const found = await new GetTicketHandler(db).execute(new GetTicket({ reach: ofCompany, id: 'x', nowMs }));
      expect(found).toEqual({
        id: 'x',
        project: 'p2',
        company: 'c1',
        column: 'p2-a',
        position: 'a1',
        title: 'X',
        body: 'B',
        archived: false,
        branch: 'feat/x',
        assignees: [ada],
        by: {
          owner: ada,
          label: 'claude-code',
          token: 'T1',
          face: 'mcp',
          at,
          text: 'Ada (claude-code) · via MCP · just now',
        },
        version: 3,
        created_at: at,
        updated_at: at,
      });
      const comments = new ListTicketComments({ reach: ofCompany, ticket: 'x', ...whole });
      expect((await new ListTicketCommentsHandler(db).execute(comments))?.items).toMatchObject([{ body: 'Why?' }]);
      const activity = new ListTicketActivity({ reach: ofCompany, ticket: 'x', ...whole });
      const { items } = (await new ListTicketActivityHandler(db).execute(activity))!;
      expect(items.map(({ type, version, comment }) => [type, version, comment])).toEqual([
        ['TicketUpdated', 3, null],
        ['TicketMoved', 2, null],
        ['TicketCommented', 1, 'k'],
        ['TicketCreated', 0, null],
      ]);
    });

    it('lists a column byte by byte in its order, page by page, and columns likewise, without removed ones', async () => {
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const query: ListTickets = new ListTickets({
          reach: ofProject,
          archived: false,
          column: 'p1-a',
          ...whole,
          cursor,
          limit: 2,
        });
        const page = await new ListTicketsHandler(db).execute(query);
        seen.push(...page.items.map(({ position }) => position));
        cursor = page.next;
      } while (cursor !== null);
      expect(seen).toEqual(POSITIONS);
      const columns = await new ListColumnsHandler(db).execute(new ListColumns({ reach: all, project: 'p1', nowMs }));
      expect(columns?.map(({ name }) => name)).toEqual(['a', 'b']);
      const bad = ['tickets:3', 'column-tickets:a0', 'column-tickets:a 0:3', 'column-tickets:a0:x'];
      for (const text of bad) {
        const query = new ListTickets({
          reach: all,
          archived: false,
          column: 'p1-a',
          ...whole,
          cursor: Buffer.from(text).toString('base64url'),
        });
        await expect(new ListTicketsHandler(db).execute(query)).rejects.toThrow(BadCursor);
      }
    });

    it('finds the gap a placement means', async () => {
      const gap = (placement: FindGap['request']['placement'], moving: string | null = null, reach = ofProject) =>
        new FindGapHandler(db).execute(new FindGap({ reach, column: 'p1-a', placement, moving }));
      // n0 has the last position, n8 the first.
      expect(await gap('first')).toEqual({ lower: null, upper: 'Zz' });
      expect(await gap('last')).toEqual({ lower: 'b00', upper: null });
      expect(await gap('last', 'n0')).toEqual({ lower: 'az', upper: null });
      expect(await gap({ before: 'n8' })).toEqual({ lower: null, upper: 'Zz' });
      expect(await gap({ before: 'n6' })).toEqual({ lower: 'a0', upper: 'a0V' });
      expect(await gap({ before: 'n6' }, 'n7')).toEqual({ lower: 'Zz', upper: 'a0V' });
      expect(await gap({ after: 'n6' })).toEqual({ lower: 'a0V', upper: 'a0a' });
      expect(await gap({ behind: 'a0W' })).toEqual({ lower: 'a0W', upper: 'a0a' });
      expect(await gap({ after: 'x' })).toBeNull();
      expect(await gap({ after: 'n6' }, null, { ...all, companies: ['c2'] })).toBeNull();
    });
  });
}
