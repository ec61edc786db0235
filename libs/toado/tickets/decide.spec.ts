import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isRefused } from '../../event-log/decide-and-append.ts';
import type { KnownProject } from '../projects/project.ts';
import type { Reach } from '../reach.ts';
import type { Spot, TicketCommand } from './commands.ts';
import { decide, MOST_ASSIGNEES, type TicketRefusal } from './decide.ts';
import type { TicketCreated, TicketEvent } from './events.ts';
import { evolve, noTicket, type Ticket } from './ticket.ts';

const at = '2030-01-01T00:00:00.000Z';
const reach: Reach = { workspace: 'w1', companies: [], projects: [] };
const asked = { reach, at };
const member = (id: string, company = 'c1') => ({ id, name: `Name ${id}`, companies: new Set([company]) });
const named = (id: string) => ({ id, name: `Name ${id}` });

const project = (more: Partial<KnownProject> = {}): KnownProject => ({
  status: 'active',
  id: 'p1',
  workspace: 'w1',
  company: 'c1',
  name: 'Web',
  description: '',
  columns: new Map(['k1', 'k2'].map((id) => [id, { id, name: id, position: `a${id}`, createdAt: at, updatedAt: at }])),
  createdAt: at,
  updatedAt: at,
  ...more,
});
const spot = (more: Partial<Spot> = {}): Spot => ({
  project: project(),
  column: 'k1',
  gap: { lower: null, upper: null },
  scatter: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  ...more,
});

const place = { company: 'c1', project: 'p1', column: 'k1', position: 'a1' };
const created: TicketCreated = {
  type: 'TicketCreated',
  data: { id: 't1', workspace: 'w1', ...place, title: 'T', body: '', branch: null, assignees: [named('ada')], at },
};
const archived: TicketEvent = { type: 'TicketArchived', data: { at } };

const given = (...events: TicketEvent[]) => {
  const ticket = events.reduce(evolve, noTicket);
  return { when: (command: TicketCommand) => decide(command, ticket) };
};
const refused = (code: TicketRefusal['code'], more: object = {}) => ({ refused: { code, ...more } });

describe('tickets', () => {
  const create = {
    type: 'CreateTicket',
    id: 't1',
    title: 'T',
    body: '',
    branch: null,
    assignees: [],
    ...asked,
  } as const;

  it('are created in a column of a live project within reach', () => {
    const events = given().when({ ...create, spot: spot(), assignees: [member('ada')] });
    const { position: _, ...elsewhere } = place;
    expect(events).toMatchObject([{ type: 'TicketCreated', data: { ...elsewhere, assignees: [named('ada')] } }]);
    expect(given().when({ ...create, spot: spot({ project: { status: 'none' } }) })).toEqual(
      refused('not_found', { of: 'project' }),
    );
    const filed = spot({ project: project({ status: 'archived' }) });
    expect(given().when({ ...create, spot: filed })).toEqual(refused('project_archived'));
    expect(given().when({ ...create, spot: spot({ column: 'k9' }) })).toEqual(refused('column_not_found'));
    expect(given().when({ ...create, spot: spot({ gap: null }) })).toEqual(refused('neighbour_not_found'));
    expect(given(created).when({ ...create, spot: spot() })).toEqual(refused('exists'));
  });

  it('are assigned to members of their company; who is assigned already may stay', () => {
    const strangers = given().when({ ...create, spot: spot(), assignees: [member('eve', 'c2')] });
    expect(strangers).toEqual(refused('no_member'));
    const assign = { type: 'AssignTicket', unassign: [], ...asked } as const;
    expect(given(created).when({ ...assign, assign: [member('eve', 'c2')] })).toEqual(refused('no_member'));
    expect(given(created).when({ ...assign, assign: [member('ada', 'c2')] })).toEqual([]);
    expect(given(created).when({ ...assign, assign: [member('bob')], unassign: ['ada'] })).toEqual([
      { type: 'TicketAssigned', data: { assignees: [named('bob')], assigned: ['bob'], unassigned: ['ada'], at } },
    ]);
    const crowd = Array.from({ length: MOST_ASSIGNEES }, (_, n) => member(`p${n}`));
    expect(given(created).when({ ...assign, assign: crowd })).toEqual(refused('too_many_assignees'));
  });

  it('change title, body and assignees in one append, and not at all where nothing differs', () => {
    const update = { type: 'UpdateTicket', ...asked } as const;
    expect(given(created).when({ ...update, title: 'New', assignees: [] })).toEqual([
      { type: 'TicketUpdated', data: { title: 'New', body: '', at } },
      { type: 'TicketAssigned', data: { assignees: [], assigned: [], unassigned: ['ada'], at } },
    ]);
    expect(given(created).when({ ...update, title: 'T', assignees: [member('ada')] })).toEqual([]);
  });

  it('move only where they are not yet', () => {
    const move = { type: 'MoveTicket', ...asked } as const;
    expect(given(created).when({ ...move, spot: spot({ gap: { lower: 'a0', upper: 'a2' } }) })).toEqual([]);
    const behind = given(created).when({ ...move, spot: spot({ gap: { lower: 'a2', upper: null } }) });
    expect(behind).toMatchObject([{ type: 'TicketMoved', data: { column: 'k1' } }]);
    const across = given(created).when({ ...move, spot: spot({ column: 'k2' }) });
    expect(across).toMatchObject([{ type: 'TicketMoved', data: { column: 'k2' } }]);
  });

  it('come back where they were, or to the first column where theirs is gone', () => {
    const restore = { type: 'RestoreTicket', ...asked } as const;
    expect(given(created, archived).when({ ...restore, spot: spot({ column: 'k2' }) })).toEqual([
      { type: 'TicketRestored', data: { column: 'k1', position: 'a1', at } },
    ]);
    const without = project({ columns: new Map([...project().columns].slice(1)) });
    const elsewhere = given(created, archived).when({ ...restore, spot: spot({ project: without, column: 'k2' }) });
    expect(elsewhere).toMatchObject([{ type: 'TicketRestored', data: { column: 'k2' } }]);
    const filed = spot({ project: project({ status: 'archived' }) });
    expect(given(created, archived).when({ ...restore, spot: filed })).toEqual(refused('project_archived'));
    const other = spot({ project: project({ id: 'p2' }) });
    expect(given(created, archived).when({ ...restore, spot: other })).toEqual(refused('moved_meanwhile'));
  });

  const person = fc.constantFrom('ada', 'bob').map((id) => member(id));
  const spots = fc
    .record({ column: fc.constantFrom('k1', 'k2'), gap: fc.constant({ lower: null, upper: null }) })
    .map(spot);
  const edit: fc.Arbitrary<TicketCommand> = fc.oneof(
    fc.record({ type: fc.constant('UpdateTicket' as const), title: fc.string() }).map((c) => ({ ...c, ...asked })),
    fc.record({ type: fc.constant('MoveTicket' as const), spot: spots }).map((c) => ({ ...c, ...asked })),
    fc.constant({ type: 'RecordBranch' as const, branch: 'b', ...asked }),
    fc
      .record({ type: fc.constant('AssignTicket' as const), assign: fc.array(person, { maxLength: 2 }) })
      .map((c) => ({ ...c, unassign: [], ...asked })),
    fc.constant({ type: 'CommentTicket' as const, comment: 'x', body: 'y', ...asked }),
  );
  const archive: TicketCommand = { type: 'ArchiveTicket', ...asked };
  const restore: TicketCommand = { type: 'RestoreTicket', spot: spot(), ...asked };
  const anyCommand = fc.oneof(edit, fc.constant(archive), fc.constant(restore));
  const run = (ticket: Ticket, commands: readonly TicketCommand[]): Ticket =>
    commands.reduce((state, command) => {
      const decision = decide(command, state);
      return isRefused(decision) ? state : decision.reduce(evolve, state);
    }, ticket);

  it('that are archived change in nothing until they are restored, whatever is asked', () => {
    fc.assert(
      fc.property(fc.array(anyCommand), fc.array(edit), (before, edits) => {
        const filed = run(evolve(noTicket, created), [...before, archive]);
        expect(filed.status).toBe('archived');
        expect(run(filed, [...edits, archive])).toEqual(filed);
        expect(run(filed, [restore]).status).toBe('live');
      }),
    );
  });

  it('decide the same again where a command has been done: twice is once', () => {
    const once = fc
      .oneof(edit, fc.constant(archive), fc.constant(restore))
      .filter(({ type }) => type !== 'CommentTicket');
    fc.assert(
      fc.property(fc.array(anyCommand), once, (before, command) => {
        const ticket = run(evolve(noTicket, created), before);
        const first = decide(command, ticket);
        fc.pre(!isRefused(first));
        const after = (first as readonly TicketEvent[]).reduce(evolve, ticket);
        expect(decide(command, after)).toEqual([]);
      }),
    );
  });

  it('P8 P13 out of reach are neither changed nor told apart from what is not there', () => {
    const elsewhere: Reach[] = [
      { workspace: 'w2', companies: [], projects: [] },
      { workspace: 'w1', companies: ['c2'], projects: [] },
      { workspace: 'w1', companies: ['c1'], projects: ['p2'] },
    ];
    fc.assert(
      fc.property(fc.array(anyCommand), anyCommand, fc.constantFrom(...elsewhere), (before, command, from) => {
        const theirs = { ...command, reach: from };
        const decision = decide(theirs, run(evolve(noTicket, created), before));
        expect(isRefused(decision)).toBe(true);
        expect(decision).toEqual(decide(theirs, noTicket));
      }),
    );
    const narrow: Reach = { workspace: 'w1', companies: ['c1'], projects: ['p1'] };
    const beyond = spot({ project: project({ id: 'p2' }) });
    expect(given(created).when({ type: 'MoveTicket', spot: beyond, reach: narrow, at })).toEqual(
      refused('forbidden', { of: 'project' }),
    );
  });
});
