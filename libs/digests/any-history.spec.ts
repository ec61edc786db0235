import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CLOSED_AT, created, DAY, digestOf, event, iso } from '../../test/support/digest-of.ts';
import { useOfToken } from '../../test/support/history.ts';
import type { RecordedEvent } from '../event-log/event-log.ts';
import { newTokenId } from '../tokens/token-id.ts';
import { DAY_MS } from './period.ts';

const HOUR_MS = 3_600_000;

/** Calls of a few tokens of two workspaces, in and around the period, some of them carried by several events of a write. */
const TOKENS = [
  { id: newTokenId(DAY.fromMs - DAY_MS), workspace: 'w1' },
  { id: newTokenId(DAY.fromMs - DAY_MS + 1), workspace: 'w1' },
  { id: newTokenId(DAY.fromMs - DAY_MS + 2), workspace: 'w2' },
] as const;

const call = fc.record({
  of: fc.constantFrom(...TOKENS),
  timeMs: fc.integer({ min: DAY.fromMs - 40 * DAY_MS, max: DAY.toMs + DAY_MS }),
  inside: fc.boolean(),
  how: fc.constantFrom('allowed', 'failed', 'throttled', 'missing_scope'),
  face: fc.constantFrom('rest', 'mcp', 'routine', 'cli'),
  operation: fc.constantFrom('list_reports', 'create_report', 'get_report'),
  address: fc.integer({ min: 1, max: 4 }),
  as: fc.constantFrom('journal', 'write', 'counted'),
  times: fc.integer({ min: 1, max: 3 }),
});
type Call = ReturnType<(typeof call)['generate']>['value'];

const timeOf = ({ inside, timeMs }: Call): number => (inside ? DAY.fromMs + (timeMs % DAY_MS) : timeMs);
const outcomeOf = ({ how, as }: Call) =>
  as === 'write' || how === 'allowed' ? 'allowed' : how === 'failed' && as !== 'counted' ? 'failed' : 'denied';

function eventsOf(made: Call): RecordedEvent[] {
  const { of, how, face, operation, address, as, times } = made;
  const time = iso(timeOf(made));
  if (as === 'counted' && how !== 'allowed') {
    const who = { token: of.id, workspace: of.workspace, face, operation, reason: how, address: '192.0.2.0/24' };
    return [event('denials-x', 'TokenUsesDenied', { ...who, count: times, from: time, to: time })];
  }
  const allowed = as === 'write' || how === 'allowed';
  const use = useOfToken(of.id, timeOf(made), {
    workspace: of.workspace,
    face,
    operation,
    decision: allowed ? 'allowed' : 'refused',
    reason: allowed ? null : how,
    client_address: `192.0.2.${address}`,
    client_name: face === 'routine' ? 'routine R1' : 'curl',
  });
  if (as !== 'write') return [event('usage-1', 'TokenUsed', use)];
  return Array.from({ length: times }, () => event('report-1', 'ReportEdited', {}, { use }));
}

const lives = (): RecordedEvent[] =>
  TOKENS.map(({ id, workspace }) => created(id, DAY.fromMs - 45 * DAY_MS, { workspace }));

describe('any history', () => {
  const calls = fc.array(call, { maxLength: 60 });

  it('is counted as a naive count does it', () => {
    fc.assert(
      fc.property(calls, (made) => {
        const digest = digestOf([...lives(), ...made.flatMap(eventsOf)]);
        const own = made.filter(
          (each) => each.of.workspace === 'w1' && timeOf(each) >= DAY.fromMs && timeOf(each) < DAY.toMs,
        );
        const count = (some: readonly Call[], outcome: string): number =>
          some
            .filter((each) => outcomeOf(each) === outcome)
            .reduce((sum, each) => sum + (each.as === 'counted' && each.how !== 'allowed' ? each.times : 1), 0);
        const counts = (some: readonly Call[]) => ({
          allowed: count(some, 'allowed'),
          failed: count(some, 'failed'),
          denied: count(some, 'denied'),
        });
        expect(digest.totals).toMatchObject(counts(own));
        for (const { face, ...rest } of digest.faces) {
          expect(rest).toEqual(counts(own.filter((each) => each.face === face)));
        }
        for (const { id } of TOKENS.slice(0, 2)) {
          const of = own.filter((each) => each.of.id === id);
          const row = digest.tokens.items.find(({ token }) => token.id === id);
          expect(row === undefined).toBe(of.length === 0);
          if (row !== undefined) expect(row).toMatchObject(counts(of));
        }
        for (const [hour, { from, ...rest }] of digest.timeline.entries()) {
          const within = own.filter((each) => Math.floor((timeOf(each) - DAY.fromMs) / HOUR_MS) === hour);
          expect([from, rest]).toEqual([iso(DAY.fromMs + hour * HOUR_MS), counts(within)]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same bytes again, whatever else lies outside of the period, and wherever reading its uses began', () => {
    fc.assert(
      fc.property(calls, calls, fc.integer({ min: 0, max: 20 }), (made, noise, ago) => {
        const history = made.flatMap(eventsOf);
        const expected = JSON.stringify(digestOf([...lives(), ...history]));
        const stored = JSON.parse(JSON.stringify([...lives(), ...history])) as RecordedEvent[];
        expect(JSON.stringify(digestOf(stored))).toBe(expected);

        // Too long ago, or not yet: among all the rest.
        const outside = noise.flatMap((each) => {
          const timeMs =
            ago % 2 === 0 ? DAY.fromMs - 31 * DAY_MS - (each.timeMs % DAY_MS) : DAY.toMs + (each.timeMs % DAY_MS);
          return eventsOf({ ...each, timeMs, inside: false });
        });
        const later = event(`token-${TOKENS[0].id}`, 'TokenRenamed', { name: 'later', at: iso(DAY.toMs) });
        const strange = event('comment-1', 'Strange', { at: 'never' });
        const mixed = history.flatMap((each, index) => [
          ...(outside[index] === undefined ? [] : [outside[index]]),
          each,
        ]);
        const full = [...lives(), ...mixed, later, strange, ...outside.slice(history.length)];
        expect(JSON.stringify(digestOf(full))).toBe(expected);

        const beyond = created(newTokenId(DAY.fromMs), DAY.fromMs);
        const afterClosing = { ...beyond, position: CLOSED_AT };
        expect(JSON.stringify(digestOf([...full, afterClosing]))).toBe(expected);
      }),
      { numRuns: 200 },
    );
  });
});
