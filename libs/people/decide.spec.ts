import { describe, expect, it } from '@jest/globals';
import { decide, type PersonCommand } from './decide.ts';
import type { PersonEvent } from './events.ts';
import { evolve, noPerson } from './known-person.ts';

const at = '2030-01-01T00:00:00.000Z';
const jason = { id: 'p1', name: 'Jason' };
const added: PersonEvent = { type: 'PersonAdded', data: { ...jason, workspace: 'w1', at } };
const member = (company: string): PersonEvent => ({ type: 'MemberAdded', data: { company, at } });
const about = { workspace: 'w1', founder: null, at } as const;

const given = (...events: PersonEvent[]) => ({
  when: (command: PersonCommand) => decide(command, events.reduce(evolve, noPerson)),
});

describe('people', () => {
  it('are added once', () => {
    const command: PersonCommand = { type: 'AddPerson', ...jason, workspace: 'w1', at };
    expect(given().when(command)).toEqual([added]);
    expect(given(added).when(command)).toEqual({ refused: { code: 'exists' } });
  });

  it('are renamed, or not when they are called so', () => {
    expect(given(added).when({ type: 'RenamePerson', name: 'Jay', ...about })).toEqual([
      { type: 'PersonRenamed', data: { name: 'Jay', at } },
    ]);
    expect(given(added).when({ type: 'RenamePerson', name: 'Jason', ...about })).toEqual([]);
  });

  it('become members of a company of their workspace, once', () => {
    const command: PersonCommand = { type: 'AddMember', company: 'c1', companyWorkspace: 'w1', ...about };
    expect(given(added).when(command)).toEqual([member('c1')]);
    expect(given(added, member('c1')).when(command)).toEqual([]);
    for (const companyWorkspace of [null, 'w2']) {
      expect(given(added).when({ ...command, companyWorkspace })).toEqual({ refused: { code: 'company_not_found' } });
    }
  });

  it('stop being members', () => {
    const command: PersonCommand = { type: 'RemoveMember', company: 'c1', ...about };
    const removed: PersonEvent = { type: 'MemberRemoved', data: { company: 'c1', at } };
    expect(given(added, member('c1'), member('c2')).when(command)).toEqual([removed]);
    expect(given(added, member('c1'), removed).when(command)).toEqual({ refused: { code: 'no_member' } });
  });

  it('who founded the workspace get a stream when something is decided about them', () => {
    const founder = { ...about, founder: jason };
    const command: PersonCommand = { type: 'AddMember', company: 'c1', companyWorkspace: 'w1', ...founder };
    expect(given().when(command)).toEqual([added, member('c1')]);
    expect(given(added).when(command)).toEqual([member('c1')]);
    expect(given().when({ type: 'RenamePerson', name: 'Jason', ...founder })).toEqual([]);
    expect(given().when({ ...command, companyWorkspace: null })).toEqual({ refused: { code: 'company_not_found' } });
  });

  it.each<PersonCommand>([
    { type: 'RenamePerson', name: 'Jay', ...about },
    { type: 'AddMember', company: 'c1', companyWorkspace: 'w1', ...about },
    { type: 'RemoveMember', company: 'c1', ...about },
  ])('P13 of another workspace are not there: $type', (command) => {
    expect(given().when(command)).toEqual({ refused: { code: 'not_found' } });
    const elsewhere = { ...command, workspace: 'w2', companyWorkspace: 'w2' };
    expect(given(added, member('c1')).when(elsewhere)).toEqual({ refused: { code: 'not_found' } });
  });
});
