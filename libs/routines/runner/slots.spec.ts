import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MemoryEventLog } from '../../../test/doubles/memory-event-log.ts';
import { decideAndAppend } from '../../event-log/decide-and-append.ts';
import { newId } from '../../ids/new-id.ts';
import type { DueSchedule } from '../queries.ts';
import { runDecider } from '../runs/decide.ts';
import { type RunOpened, runStream } from '../runs/events.ts';
import { slotRunId } from '../runs/run-id.ts';
import { nextSlot } from '../schedule.ts';
import { GRACE_MS, Slots } from './slots.ts';

const MINUTE_MS = 60_000;
const START_MS = Date.parse('2026-11-24T12:00:00Z');
const schedule = { cron: '* * * * *', time_zone: 'UTC' };

/** What the read model says, updated only when it is told to follow: until then it lags. */
class ReadModel {
  #claims: RunOpened['data'][] = [];
  #row: DueSchedule;

  constructor(routine: string) {
    const dueAtMs = nextSlot(schedule, START_MS) ?? 0;
    this.#row = { routine, epoch: 1, schedule, dueAtMs, lastSlotMs: null };
  }

  get row(): DueSchedule {
    return this.#row;
  }

  claimed(opened: RunOpened['data']): void {
    this.#claims.push(opened);
  }

  follow(): void {
    for (const { slot, next_slot } of this.#claims.splice(0)) {
      this.#row = { ...this.#row, dueAtMs: Date.parse(next_slot ?? ''), lastSlotMs: Date.parse(slot) };
    }
  }
}

type Move =
  | { readonly kind: 'look'; readonly runner: 0 | 1 }
  | { readonly kind: 'follow' }
  | { readonly kind: 'pass'; readonly ms: number };

const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('look' as const), runner: fc.constantFrom(0 as const, 1 as const) }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'follow' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1_000, max: 3 * MINUTE_MS }) }),
  },
  // A clock that is put forward, and one that is put back.
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.integer({ min: -90 * MINUTE_MS, max: 90 * MINUTE_MS }),
    }),
  },
);

describe('slots, as two runners share them', () => {
  it('any interleaving of looks, a lagging read model and jumping clocks takes each slot at most once, and goes on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 60 }), async (moves) => {
        const log = new MemoryEventLog();
        const routine = newId(START_MS);
        const model = new ReadModel(routine);
        const runners = [
          { name: 'one', slots: new Slots() },
          { name: 'two', slots: new Slots() },
        ] as const;
        const taken: number[] = [];
        let nowMs = START_MS;
        const look = async ({ name, slots }: (typeof runners)[number]): Promise<void> => {
          const due = slots.due(model.row, nowMs);
          if (due === null) return;
          expect(due.slotMs).toBeLessThanOrEqual(nowMs);
          const opened = openedAt(routine, due.slotMs, due.nextSlotMs, nowMs);
          const outcome = await decideAndAppend(
            log,
            runStream(opened.id),
            runDecider,
            { type: 'ClaimSlot', opened, runner: name, leaseUntilMs: nowMs + MINUTE_MS },
            { eventId: () => crypto.randomUUID(), metadata: { $correlationId: 'c', $causationId: 'c', schema: 1 } },
          );
          slots.taken(model.row, due.slotMs);
          if (outcome.kind !== 'done') return;
          taken.push(due.slotMs);
          model.claimed(opened);
        };
        for (const each of moves) {
          if (each.kind === 'look') await look(runners[each.runner]);
          else if (each.kind === 'follow') model.follow();
          else nowMs += each.ms;
        }
        expect(new Set(taken).size).toBe(taken.length);
        // Whatever happened: once the clock behaves and the read model follows, a slot is taken again before long.
        const before = taken.length;
        // A clock put back before anything was due has that way to go first.
        const minutes = 200 + Math.ceil(Math.max(0, START_MS - nowMs) / MINUTE_MS);
        for (let minute = 0; minute < minutes && taken.length === before; minute++) {
          nowMs += MINUTE_MS;
          model.follow();
          await look(runners[0]);
          await look(runners[1]);
        }
        expect(taken.length).toBeGreaterThan(before);
      }),
      { numRuns: 150 },
    );
  }, 120_000);

  it('two that look at the same moment: one has it', async () => {
    const log = new MemoryEventLog();
    const routine = newId(START_MS);
    const opened = openedAt(routine, START_MS + MINUTE_MS, null, START_MS + MINUTE_MS);
    const claims = ['one', 'two', 'three'].map((runner) =>
      decideAndAppend(
        log,
        runStream(opened.id),
        runDecider,
        { type: 'ClaimSlot', opened, runner, leaseUntilMs: START_MS + 2 * MINUTE_MS },
        { eventId: () => crypto.randomUUID(), metadata: { $correlationId: 'c', $causationId: 'c', schema: 1 } },
      ),
    );
    const outcomes = (await Promise.all(claims)).map(({ kind }) => kind);
    expect(outcomes.toSorted()).toEqual(['done', 'refused', 'refused']);
  });

  it('a slot within its grace is not late; later it is, and says since when nobody was there', () => {
    const routine = newId(START_MS);
    const row = (cron: string): DueSchedule => {
      const daily = { cron, time_zone: 'UTC' };
      return { routine, epoch: 1, schedule: daily, dueAtMs: nextSlot(daily, START_MS) ?? 0, lastSlotMs: null };
    };
    const { dueAtMs } = row('30 12 * * *');
    expect(new Slots().due(row('30 12 * * *'), dueAtMs - 1)).toBeNull();
    expect(new Slots().due(row('30 12 * * *'), dueAtMs + GRACE_MS)).toMatchObject({ late: false, missedSinceMs: null });
    const late = new Slots().due(row('30 12 * * *'), dueAtMs + GRACE_MS + 1);
    expect(late).toMatchObject({ late: true, slotMs: dueAtMs, missedSinceMs: dueAtMs });
    const days = new Slots().due(row('30 12 * * *'), dueAtMs + 3 * 1_440 * MINUTE_MS);
    expect(days).toMatchObject({ late: false, slotMs: dueAtMs + 3 * 1_440 * MINUTE_MS, missedSinceMs: dueAtMs });
  });

  it('what is taken is not tried again, nor called missed, while the read model has yet to hear of it', () => {
    const slots = new Slots();
    const { row } = new ReadModel(newId(START_MS));
    const nowMs = row.dueAtMs + 1_000;
    slots.taken(row, row.dueAtMs);
    expect(slots.due(row, nowMs)).toBeNull();
    expect(slots.due(row, nowMs + MINUTE_MS)).toMatchObject({ slotMs: row.dueAtMs + MINUTE_MS, missedSinceMs: null });
  });

  it('a clock that was a day ahead and is put back begins anew with the next slot', () => {
    const slots = new Slots();
    const { row } = new ReadModel(newId(START_MS));
    const aheadMs = START_MS + 1_440 * MINUTE_MS;
    const ahead: DueSchedule = { ...row, dueAtMs: aheadMs + MINUTE_MS, lastSlotMs: aheadMs };
    expect(slots.due(ahead, START_MS)).toBeNull();
    expect(slots.due(ahead, START_MS + MINUTE_MS)).toMatchObject({ slotMs: START_MS + MINUTE_MS });
  });
});

const openedAt = (routine: string, slotMs: number, nextMs: number | null, nowMs: number): RunOpened['data'] => ({
  id: slotRunId(routine, slotMs),
  routine,
  workspace: 'w',
  lineage: 'l',
  token: 't',
  label: 'nightly',
  trigger: 'schedule',
  slot: new Date(slotMs).toISOString(),
  missed_since: null,
  epoch: 1,
  definition: 0,
  next_slot: nextMs === null ? null : new Date(nextMs).toISOString(),
  at: new Date(nowMs).toISOString(),
});
