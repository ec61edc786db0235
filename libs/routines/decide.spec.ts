import { describe, expect, it } from '@jest/globals';
import { isRefused } from '../event-log/decide-and-append.ts';
import { successorId } from '../tokens/token-id.ts';
import { type RoutineCommand, routineDecider, type UpdateRoutine } from './decide.ts';
import type { Binding, Definition, RoutineEvent } from './events.ts';
import { noRoutine } from './routine.ts';

const at = '2026-03-01T12:00:00.000Z';
const first_slot = '2026-03-02T00:00:00.000Z';
const anew = '2026-03-03T00:00:00.000Z';
const schedule = { cron: '@daily', time_zone: 'UTC' };
const steps = [{ operation: 'who_am_i', input: {} }];
const definition: Definition = { name: 'Daily', schedule, steps, missed_slots: 'skip' };

const OLD = '01J9ZK3V8Q6T4W2Y0B7D5F1G3H';
const NEW = '01J9ZK4B7C2D8E5F0G6H1J3K9M';
const binding = (token: string, catalogue = 'comma'): Binding => ({ catalogue, lineage: token, token });

const created: RoutineEvent = {
  type: 'RoutineCreated',
  data: { ...definition, ...binding(OLD), id: 'r1', workspace: 'w1', first_slot, at },
};
const paused: RoutineEvent = { type: 'RoutinePaused', data: { reason: 'token_revoked', note: null, epoch: 1, at } };
const rebound = (to: Binding, epoch: number, first: string | null): RoutineEvent => ({
  type: 'RoutineRebound',
  data: { ...to, schedule, first_slot: first, epoch, at },
});

const update = (more: Partial<UpdateRoutine>): UpdateRoutine => ({
  type: 'UpdateRoutine',
  definition: {},
  binding: null,
  checked: null,
  firstSlotOf: () => anew,
  at,
  ...more,
});
const rebind = (token: string, catalogue = 'comma'): UpdateRoutine =>
  update({ binding: binding(token, catalogue), checked: { steps, catalogue } });
const pause = (under: string | null): RoutineCommand => ({
  type: 'PauseRoutine',
  reason: under === null ? 'by_hand' : 'token_revoked',
  note: null,
  under,
  at,
});

function decided(given: readonly RoutineEvent[], when: RoutineCommand): readonly RoutineEvent[] | string {
  const decision = routineDecider.decide(when, given.reduce(routineDecider.evolve, noRoutine));
  return isRefused<{ code: string }>(decision) ? decision.refused.code : decision;
}

describe('binding a routine to another token', () => {
  it('an active one’s schedule begins anew under it', () => {
    expect(decided([created], rebind(NEW, 'toado'))).toEqual([rebound(binding(NEW, 'toado'), 2, anew)]);
  });

  it('a paused one stays so, and resumes under it', () => {
    const event = rebound(binding(NEW), 1, null);
    expect(decided([created, paused], rebind(NEW))).toEqual([event]);
    const resume: RoutineCommand = { type: 'ResumeRoutine', firstSlotOf: () => anew, at };
    const after = [created, paused, event];
    expect(decided(after, resume)).toEqual([
      { type: 'RoutineResumed', data: { schedule, first_slot: anew, epoch: 2, at } },
    ]);
    expect(after.reduce(routineDecider.evolve, noRoutine)).toMatchObject({ status: 'paused', ...binding(NEW) });
  });

  it('to its own or another of its lineage changes nothing: it runs under the newest', () => {
    expect(decided([created], rebind(OLD))).toEqual([]);
    expect(decided([created], rebind(successorId(OLD, Date.parse(at))))).toEqual([]);
  });

  it('with another schedule is told after it', () => {
    const other = { ...schedule, cron: '@weekly' };
    const [first, second] = decided([created], { ...rebind(NEW), definition: { schedule: other } }) as RoutineEvent[];
    expect(first).toMatchObject({ type: 'RoutineUpdated', data: { schedule: other, epoch: 2, first_slot: anew } });
    expect(second).toMatchObject({ type: 'RoutineRebound', data: { schedule: other, epoch: 3, first_slot: anew } });
  });

  it('is refused where the steps are not those that were checked', () => {
    const others = [{ operation: 'list_reports', input: {} }];
    const changed: RoutineEvent = {
      type: 'RoutineUpdated',
      data: { ...definition, steps: others, first_slot: null, epoch: 1, at },
    };
    expect(decided([created, changed], rebind(NEW, 'toado'))).toBe('changed_meanwhile');
    const given = { definition: { steps: others }, checked: { steps: others, catalogue: 'comma' } };
    expect(decided([created, rebound(binding(NEW, 'toado'), 2, anew)], update(given))).toBe('changed_meanwhile');
    expect(decided([created, rebound(binding(NEW), 2, anew)], update(given))).toHaveLength(1);
  });

  it('P2 what becomes of the token before pauses it no more; of the one it has, it does', () => {
    const given = [created, rebound(binding(NEW), 2, anew)];
    expect(decided(given, pause(OLD))).toEqual([]);
    expect(decided(given, pause(NEW))).toMatchObject([{ type: 'RoutinePaused', data: { epoch: 2 } }]);
    expect(decided([created], pause(OLD))).toHaveLength(1);
    expect(decided(given, pause(null))).toHaveLength(1);
  });

  it('a deleted one is not bound', () => {
    const deleted: RoutineEvent = { type: 'RoutineDeleted', data: { epoch: 1, at } };
    expect(decided([created, deleted], rebind(NEW))).toBe('not_found');
  });
});
