import { describe, expect, it } from '@jest/globals';
import { decide, MOST_COLUMNS, type ProjectCommand } from './decide.ts';
import type { ProjectEvent } from './events.ts';
import { evolve, noProject } from './project.ts';

const at = '2030-01-01T00:00:00.000Z';
const asked = { workspace: 'w1', at };
const company = {
  status: 'live',
  id: 'c1',
  workspace: 'w1',
  name: 'Acme',
  limits: { reads: null, writes: null },
  createdAt: at,
  updatedAt: at,
} as const;
const created: ProjectEvent = {
  type: 'ProjectCreated',
  data: { id: 'p1', workspace: 'w1', company: 'c1', name: 'Web', description: '', at },
};
const column = (id: string, position: string): ProjectEvent => ({
  type: 'ColumnAdded',
  data: { column: id, name: id, position, at },
});
const archived: ProjectEvent = { type: 'ProjectArchived', data: { at } };
const given = (...events: ProjectEvent[]) => ({
  when: (command: ProjectCommand) => decide(command, events.reduce(evolve, noProject)),
});
const refused = (code: string, more: object = {}) => ({ refused: { code, ...more } });

describe('projects', () => {
  it('are created in a company of the workspace, with their columns in order', () => {
    const columns = ['a', 'b', 'c'].map((id) => ({ id, name: id.toUpperCase() }));
    const command = {
      type: 'CreateProject',
      id: 'p1',
      company,
      name: 'Web',
      description: '',
      columns,
      ...asked,
    } as const;
    const events = given().when(command) as readonly ProjectEvent[];
    expect(events.slice(0, 1)).toEqual([created]);
    const positions = events.flatMap((event) => (event.type === 'ColumnAdded' ? [event.data.position] : []));
    expect(positions).toHaveLength(3);
    expect(positions).toEqual(positions.toSorted());
    expect(given(created).when(command)).toEqual(refused('exists'));
    for (const other of [{ status: 'none' }, { ...company, workspace: 'w2' }] as const) {
      expect(given().when({ ...command, company: other })).toEqual(refused('company_not_found'));
    }
  });

  it('keep a column that holds live tickets, and always one', () => {
    const remove = (id: string, tickets = 0): ProjectCommand => ({
      type: 'RemoveColumn',
      column: id,
      tickets,
      ...asked,
    });
    const two = given(created, column('a', 'a0'), column('b', 'a1'));
    expect(two.when(remove('a'))).toEqual([{ type: 'ColumnRemoved', data: { column: 'a', at } }]);
    expect(two.when(remove('a', 3))).toEqual(refused('column_in_use', { tickets: 3 }));
    expect(two.when(remove('c'))).toEqual(refused('column_not_found'));
    expect(given(created, column('a', 'a0')).when(remove('a'))).toEqual(refused('last_column'));
  });

  it('have a hundred columns at most', () => {
    const full = Array.from({ length: MOST_COLUMNS }, (_, n) => column(`k${n}`, `a${n}`));
    const add: ProjectCommand = { type: 'AddColumn', column: 'x', name: 'X', placement: 'last', ...asked };
    expect(given(created, ...full).when(add)).toEqual(refused('too_many_columns'));
  });

  it('that are archived change no more until they are restored', () => {
    for (const command of [
      { type: 'DescribeProject', name: 'New', ...asked },
      { type: 'AddColumn', column: 'b', name: 'B', placement: 'last', ...asked },
      { type: 'RenameColumn', column: 'a', name: 'New', ...asked },
      { type: 'MoveColumn', column: 'a', placement: 'first', ...asked },
      { type: 'RemoveColumn', column: 'a', tickets: 0, ...asked },
    ] satisfies ProjectCommand[]) {
      expect(given(created, column('a', 'a0'), archived).when(command)).toEqual(refused('archived'));
    }
    expect(given(created, archived).when({ type: 'ArchiveProject', ...asked })).toEqual([]);
    expect(given(created, archived).when({ type: 'RestoreProject', ...asked })).toEqual([
      { type: 'ProjectRestored', data: { at } },
    ]);
  });

  it('P13 of another workspace are not there', () => {
    const elsewhere: ProjectCommand = { type: 'ArchiveProject', workspace: 'w2', at };
    expect(given(created).when(elsewhere)).toEqual(refused('not_found'));
    expect(given().when(elsewhere)).toEqual(refused('not_found'));
  });
});
