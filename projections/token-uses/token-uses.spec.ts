import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sql } from 'kysely';
import type { EventLog } from '../../libs/event-log/event-log.ts';
import { startProjection } from '../../libs/projection/runner.ts';
import { openReadDb, type ReadDb } from '../../libs/read-db/read-db.ts';
import { FindUse, LastUsed, ListUses, TokenHistory } from '../../libs/usage/queries.ts';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import { FindUseHandler, LastUsedHandler, ListUsesHandler, TokenHistoryHandler } from './queries.ts';
import { tokenUses } from './token-uses.projection.ts';

/** One append: a use in one of two journals, a write of so many events, or a change of the token by another. */
type Step =
  | { readonly kind: 'use'; readonly token: string; readonly journal: string }
  | { readonly kind: 'write'; readonly token: string; readonly report: string; readonly events: number }
  | { readonly kind: 'change'; readonly token: string; readonly by: string };

const tokens = ['A', 'B', 'C'];
const token = fc.constantFrom(...tokens);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('use' as const), token, journal: fc.constantFrom('usage-x', 'usage-y') }),
  fc.record({
    kind: fc.constant('write' as const),
    token,
    report: fc.constantFrom('report-r', 'report-s'),
    events: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ kind: fc.constant('change' as const), token, by: token }),
);

interface Expected {
  readonly token: string;
  readonly type: string;
  readonly position: number;
  readonly request: string | null;
  readonly time: string;
}

const request = (n: number): string => `01J00000000000000000${String(n).padStart(6, '0')}`;
const timeOf = (n: number): string => new Date(1_700_000_000_000 + n * 1000).toISOString();

/** Writes the steps, and says what every token's history must be. */
async function write(log: EventLog, steps: readonly Step[]): Promise<Expected[]> {
  const expected: Expected[] = [];
  let position = 0;
  for (const [n, one] of steps.entries()) {
    const user = one.kind === 'change' ? one.by : one.token;
    const use = { token: user, workspace: 'w', time: timeOf(n), operation: 'o', request_id: request(n) };
    const metadata = { $correlationId: 'r', $causationId: 'r', schema: 1 };
    const used = { token: user, type: 'TokenUsed', position: position + 1, request: request(n), time: timeOf(n) };
    switch (one.kind) {
      case 'use':
        await log.append(one.journal, 'any', [{ id: randomUUID(), type: 'TokenUsed', data: use, metadata }]);
        position += 1;
        break;
      case 'write': {
        const event = () => ({ id: randomUUID(), type: 'ReportUpdated', data: {}, metadata: { ...metadata, use } });
        await log.append(one.report, 'any', Array.from({ length: one.events }, event));
        position += one.events;
        break;
      }
      case 'change': {
        const data = { name: 'n', at: timeOf(n) };
        const event = { id: randomUUID(), type: 'TokenRenamed', data, metadata: { ...metadata, use } };
        await log.append(`token-${one.token}`, 'any', [event]);
        position += 1;
        expected.push({ token: one.token, type: 'TokenRenamed', position, request: null, time: timeOf(n) });
        break;
      }
      default:
        return unknownStep(one);
    }
    expected.push(used);
  }
  return expected;
}

function unknownStep(one: never): never {
  throw new Error(`unknown step ${JSON.stringify(one)}`);
}

describe('the index of uses', () => {
  const directory = mkdtempSync(join(tmpdir(), 'writ-uses-'));
  let db: ReadDb;
  beforeAll(async () => {
    db = await openReadDb({ directory });
  }, 120_000);
  afterAll(async () => {
    await db.close();
    rmSync(directory, { recursive: true });
  });

  async function indexed(log: EventLog, batchSize: number): Promise<string> {
    const runner = await startProjection({ log, readDb: db, projection: tokenUses, batchSize });
    expect(await runner.waitFor((await log.head()) ?? 0, 60_000)).toBe(true);
    await runner.stop();
    const { rows } = await sql`select * from token_uses_v2.places order by token, block, stream`.execute(db.db);
    const { rows: requests } = await sql`select * from token_uses_v2.requests order by stream, block`.execute(db.db);
    return JSON.stringify([rows, requests]);
  }

  it('P6 is the same however the log was cut into batches, and finds every event of a token once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 9 }),
        async (steps, limit, batchSize) => {
          const log = new MemoryEventLog();
          const expected = await write(log, steps);
          const inOne = await indexed(log, 1_000);
          const again = new MemoryEventLog();
          await write(again, steps);
          expect(await indexed(again, batchSize)).toBe(inOne);

          for (const id of tokens) {
            const own = expected.filter((item) => item.token === id);
            const uses = own.filter(({ type }) => type === 'TokenUsed');
            const seen = await pages(
              new TokenHistoryHandler(db, again),
              (cursor) => new TokenHistory({ token: id, cursor, limit }),
            );
            expect(seen).toEqual(own.map(({ type, position, time }) => ({ type, position, time })));
            const used = await pages(
              new ListUsesHandler(db, again),
              (cursor) => new ListUses({ token: id, cursor, limit }),
            );
            expect(used).toEqual(uses.map(({ type, position, time }) => ({ type, position, time })));
            const last = await new LastUsedHandler(db).execute(new LastUsed([id]));
            expect(last.get(id)).toBe(uses.at(-1)?.time);
          }
          for (const { request: requestId, token: user, position } of expected) {
            if (requestId === null) continue;
            const found = await new FindUseHandler(db, again).execute(new FindUse({ requestId, workspace: 'w' }));
            expect(found.map((item) => [item.token, item.position])).toEqual([[user, position]]);
          }
        },
      ),
      { numRuns: 8 },
    );
  }, 300_000);
});

interface Asked {
  execute(query: TokenHistory | ListUses): ReturnType<TokenHistoryHandler['execute']>;
}

async function pages(handler: Asked, ask: (cursor: string | null) => TokenHistory | ListUses) {
  const seen: { type: string; position: number; time: string }[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Asked['execute']>> = await handler.execute(ask(cursor));
    seen.push(...page.items.map(({ type, position, time }) => ({ type, position, time })));
    cursor = page.next;
  } while (cursor !== null);
  return seen;
}
