import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { type AuditFilter, CountAudit, ListAudit, ListWriters } from '../../libs/audit/queries.ts';
import type { NewEvent } from '../../libs/event-log/event-log.ts';
import { type RunningProjection, startProjection } from '../../libs/projection/runner.ts';
import { BadCursor } from '../../libs/read-db/page.ts';
import type { ReadDb } from '../../libs/read-db/read-db.ts';
import { audit } from '../../projections/audit/audit.projection.ts';
import { CountAuditHandler, ListAuditHandler, ListWritersHandler } from '../../projections/audit/queries.ts';
import { MemoryEventLog } from '../doubles/memory-event-log.ts';

const jason = { id: 'jason', name: 'Jason' };
const mia = { id: 'mia', name: 'Mia' };
const by = (token: string | null, person = jason, label = 'claude-code') => ({ person, token, label, face: 'mcp' });

const use = (token: string, request_id: string, more: object = {}) => ({
  token,
  workspace: 'w1',
  time: '2026-11-10T10:00:00.000Z',
  face: 'mcp',
  operation: 'list_reports',
  resource: null,
  decision: 'allowed',
  reason: null,
  status: 200,
  duration_ms: 1,
  request_id,
  client_address: '192.0.2.7',
  client_name: 'claude/1',
  budget: 'reads',
  cost: 1,
  window_second: 1,
  ...more,
});

const event = (type: string, data: object, metadata: object = {}): NewEvent => ({
  id: randomUUID(),
  type,
  data,
  metadata: { $correlationId: 'r', $causationId: 'r', schema: 1, ...metadata },
});

/** The audit trail, whichever engine keeps it. */
export function auditContract(
  engine: string,
  start: () => Promise<{ open(): Promise<ReadDb>; stop(): Promise<void> }>,
) {
  describe(`the audit trail on ${engine}`, () => {
    let store: Awaited<ReturnType<typeof start>>;
    let db: ReadDb;
    let running: RunningProjection;
    const log = new MemoryEventLog();

    beforeAll(async () => {
      store = await start();
      db = await store.open();
      const at = '2026-10-31T23:59:59.000Z';
      const made = { use: use('OP', 'q1', { operation: 'create_token', resource: 'token/T1', time: at }) };
      await log.append('token-T1', 'no-stream', [
        event(
          'TokenCreated',
          { id: 'T1', workspace: 'w1', digest: 'd1g35t', at },
          { ...made, actor: by('OP', mia, 'ops') },
        ),
      ]);
      await log.append('usage-a', 'no-stream', [
        event('TokenUsed', use('T1', 'q2'), { actor: by('T1') }),
        event(
          'TokenUsed',
          use('T1', 'q3', { decision: 'refused', reason: 'missing_scope', status: 403, face: 'rest' }),
          {
            actor: by('T1'),
          },
        ),
        event('TokenUsed', use('X1', 'q4', { workspace: 'w2' }), { actor: by('X1') }),
      ]);
      const written = use('T1', 'q5', { operation: 'update_report', resource: 'report/R1', budget: 'writes' });
      const write = { actor: by('T1'), use: written };
      await log.append('report-R1', 'no-stream', [
        event('ReportUpdated', { title: 'a', at: written.time }, write),
        event('CommentAdded', { comment: 'C1', body: 'b', at: written.time }, write),
      ]);
      const later = '2026-12-01T00:00:00.000Z';
      await log.append('denials-d', 'no-stream', [
        event('TokenUsesDenied', {
          token: 'T1',
          workspace: 'w1',
          face: 'rest',
          operation: 'list_reports',
          reason: 'throttled',
          address: '192.0.2.0/24',
          count: 400,
          from: later,
          to: later,
        }),
        event('TokenUsesDenied', {
          token: null,
          face: 'rest',
          operation: 'list_reports',
          reason: 'unknown',
          address: '203.0.113.0/24',
          count: 9,
          from: later,
          to: later,
        }),
      ]);
      await log.append('ticket-K1', 'no-stream', [
        event('TicketCreated', { company: 'acme', workspace: 'w1', at: later }, { actor: by('T2', mia, '100%') }),
      ]);
      await log.append('other-1', 'no-stream', [event('NobodysEvent', { at: later })]);
      running = await startProjection({ log, readDb: db, projection: audit });
      expect(await running.waitFor((await log.head()) ?? 0, 60_000)).toBe(true);
    }, 300_000);
    afterAll(async () => {
      await running.stop();
      await db.close();
      await store.stop();
    });

    const list = async (filter: Partial<AuditFilter>, page = { cursor: null as string | null, limit: 50 }) =>
      await new ListAuditHandler(db).execute(new ListAudit({ workspace: 'w1', ...filter }, page));
    const types = async (filter: Partial<AuditFilter>): Promise<string[]> =>
      (await list(filter)).items.map(({ type, position, request_id }) => `${position} ${type} ${request_id ?? '-'}`);

    const ALL = [
      '9 TicketCreated -',
      '7 TokenUsesDenied -',
      '6 CommentAdded q5',
      '5 TokenUsed q5',
      '5 ReportUpdated q5',
      '3 TokenUsed q3',
      '2 TokenUsed q2',
      '1 TokenUsed q1',
      '1 TokenCreated q1',
    ];

    it('holds every use, denial, change of a token and attribution once, newest first, without the digest', async () => {
      expect(await types({})).toEqual(ALL);
      const { items } = await list({ kind: 'change', resource: 'token/T1' });
      expect(items).toMatchObject([{ token: 'T1', by_token: 'OP', owner: mia, label: 'ops', data: { id: 'T1' } }]);
      expect(JSON.stringify(await list({}))).not.toContain('d1g35t');
    });

    it('P13 of another workspace nothing is there, nor of none unless asked', async () => {
      expect(await types({ workspace: 'w2' })).toEqual(['4 TokenUsed q4']);
      expect(await types({ workspace: 'w3' })).toEqual([]);
      expect(await types({ workspace: null })).toEqual(['8 TokenUsesDenied -']);
    });

    it.each<[Partial<AuditFilter>, number[]]>([
      [{ token: 'T1' }, [1, 2, 3, 4, 5, 6, 8]],
      [{ owner: 'mia' }, [0, 7, 8]],
      [{ label: '100%' }, [0]],
      [{ company: 'acme' }, [0]],
      [{ operation: 'update_report' }, [2, 3, 4]],
      [{ face: 'rest' }, [1, 5]],
      [{ decision: 'refused' }, [1, 5]],
      [{ resource: 'report/R1' }, [3, 4]],
      [{ client_address: '192.0.2.7' }, [3, 5, 6, 7]],
      [{ kind: 'denials' }, [1]],
      [{ from: '2026-11-01T00:00:00.000Z', to: '2026-12-01T00:00:00.000Z' }, [2, 3, 4, 5, 6]],
      [{ text: 'CLAUDE-code' }, [2, 3, 4, 5, 6]],
      [{ text: '0%' }, [0]],
      [{ text: 'missing_sc' }, [5]],
      [{ text: 'missing%sc' }, []],
      [{ token: 'T1', decision: 'refused', face: 'rest', kind: 'use' }, [5]],
    ])('finds by %j', async (filter, found) => {
      expect(await types(filter)).toEqual(found.map((index) => ALL[index]));
    });

    it('pages stay put, across months too', async () => {
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof list>> = await list({}, { cursor, limit: 2 });
        seen.push(...page.items.map(({ type, position, request_id }) => `${position} ${type} ${request_id ?? '-'}`));
        cursor = page.next;
      } while (cursor !== null);
      expect(seen).toEqual(ALL);
      await expect(list({}, { cursor: 'x', limit: 2 })).rejects.toThrow(BadCursor);
    });

    it('counts calls, not events, by time and by what they share', async () => {
      const count = (by: CountAudit['by'], filter: Partial<AuditFilter> = {}) =>
        new CountAuditHandler(db).execute(new CountAudit({ workspace: 'w1', ...filter }, by));
      expect(await count('day')).toEqual([
        { key: '2026-10-31', calls: 1, refused: 0 },
        { key: '2026-11-10', calls: 3, refused: 1 },
        { key: '2026-12-01', calls: 400, refused: 400 },
      ]);
      expect(await count('operation')).toEqual([
        { key: 'list_reports', calls: 402, refused: 401 },
        { key: 'create_token', calls: 1, refused: 0 },
        { key: 'update_report', calls: 1, refused: 0 },
      ]);
      expect(await count('face', { token: 'T1', decision: 'allowed' })).toEqual([{ key: 'mcp', calls: 2, refused: 0 }]);
    });

    it('tells who wrote a thing', async () => {
      const writers = (resource: string, workspace = 'w1') =>
        new ListWritersHandler(db).execute(new ListWriters({ workspace, resource }));
      expect(await writers('comment/C1')).toMatchObject([{ by_token: 'T1', owner: jason, type: 'CommentAdded' }]);
      expect(await writers('ticket/K1')).toMatchObject([{ by_token: 'T2', owner: mia }]);
      expect(await writers('comment/C1', 'w2')).toEqual([]);
    });

    it('P6 rebuilds to the same rows, in the same partitions', async () => {
      await running.rebuild(false);
      await running.verify();
      for (;;) {
        const { rebuild, verification } = await running.status();
        if (rebuild === null && verification !== null && verification.state !== 'running') {
          expect(verification.state).toBe('same');
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(await types({})).toEqual(ALL);
      const { rows } = await sql<{ name: string }>`select relname as name from pg_class
        where relispartition and relkind = 'r' and relname like 'entries_%' order by 1`.execute(db.db);
      const months = ['entries_202610', 'entries_202611', 'entries_202612'];
      expect([...new Set(rows.map(({ name }) => name))]).toEqual(db.engine === 'postgresql' ? months : []);
    }, 120_000);
  });
}
