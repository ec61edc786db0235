import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type KyselyPlugin, sql } from 'kysely';
import { GetComment, GetReport, ListActivity, ListComments, ListReports } from '../../libs/comma/reports/queries.ts';
import type { EventLog, NewEvent, RecordedEvent } from '../../libs/event-log/event-log.ts';
import { type Projection, schemaOf } from '../../libs/projection/projection.ts';
import { type RunningProjection, startProjection } from '../../libs/projection/runner.ts';
import { LostLead } from '../../libs/projection/build.ts';
import { moveCheckpoint, readBuilds } from '../../libs/projection/builds.ts';
import { BadCursor } from '../../libs/read-db/page.ts';
import type { ReadDb } from '../../libs/read-db/read-db.ts';
import { ListTokens } from '../../libs/tokens/queries.ts';
import { FindUse, LastUsed, TokenHistory, UsedAt } from '../../libs/usage/queries.ts';
import {
  GetCommentHandler,
  GetReportHandler,
  ListActivityHandler,
  ListCommentsHandler,
  ListReportsHandler,
} from '../../projections/reports/queries.ts';
import { reports } from '../../projections/reports/reports.projection.ts';
import {
  FindUseHandler,
  LastUsedHandler,
  TokenHistoryHandler,
  UsedAtHandler,
} from '../../projections/token-uses/queries.ts';
import { tokenUses } from '../../projections/token-uses/token-uses.projection.ts';
import { ListTokensHandler } from '../../projections/tokens/queries.ts';
import { tokens } from '../../projections/tokens/tokens.projection.ts';
import { MemoryEventLog } from '../doubles/memory-event-log.ts';

const at = '2026-01-02T03:04:05.000Z';
const nowMs = Date.parse(at) + 30_000;
const jason = { id: 'jason', name: 'Jason' };
const actor = { person: jason, token: 'T1', label: 'claude-code on macbook', face: 'mcp' };
const use = (token: string, request_id: string, operation = 'create_report') => ({
  token,
  request_id,
  operation,
  workspace: 'w1',
  time: at,
  face: 'rest',
  resource: null,
  decision: 'allowed',
  reason: null,
  status: 200,
  duration_ms: 1,
  client_address: '127.0.0.1',
  client_name: '',
  budget: 'writes',
  cost: 1,
  window_second: 1,
});

const event = (type: string, data: object, metadata: object = {}): NewEvent => ({
  id: randomUUID(),
  type,
  data: { at, ...data },
  metadata: { $correlationId: 'r', $causationId: 'r', schema: 1, actor, ...metadata },
});
const created = (id: string, workspace = 'w1', title = `Title ${id}`) =>
  event('ReportCreated', { id, workspace, title, body: 'Body', status: 'draft' });
const tokenCreated = (id: string, more: object = {}) =>
  event('TokenCreated', {
    id,
    catalogue: 'comma',
    kind: 'agent',
    name: `Name ${id}`,
    owner: jason,
    workspace: 'w1',
    scopes: ['a'],
    restrict: { companies: [], projects: [] },
    limits: { reads: null, writes: null },
    expires_at: null,
    digest: 'd1g35t',
    lineage: id,
    predecessor: null,
    ...more,
  });

/** What holds of every read model, whichever engine keeps it. The factory opens one and the same store again and again. */
export function readModelsContract(
  engine: string,
  start: () => Promise<{ open(): Promise<ReadDb>; stop(): Promise<void> }>,
) {
  describe(`read models on ${engine}`, () => {
    let store: Awaited<ReturnType<typeof start>>;
    let db: ReadDb;
    let log: EventLog;
    const running: RunningProjection[] = [];

    beforeAll(async () => {
      store = await start();
      db = await store.open();
    }, 180_000);
    afterEach(async () => {
      for (const projection of running.splice(0)) await projection.stop();
    });
    afterAll(async () => {
      await db.close();
      await store.stop();
    });

    const begin = async (projection: Projection, batchSize = 500): Promise<RunningProjection> => {
      const runner = await startProjection({ log, readDb: db, projection, batchSize });
      running.push(runner);
      return runner;
    };
    const caughtUp = async (runner: RunningProjection): Promise<void> =>
      expect(await runner.waitFor((await log.head()) ?? 0, 10_000)).toBe(true);
    const rows = async (projection: Projection): Promise<string> => {
      const all = [];
      for (const [name, { primaryKey }] of Object.entries(projection.tables)) {
        const order = sql.raw(primaryKey.map((column) => `"${column}"`).join());
        const table = sql.id(schemaOf(projection), name);
        all.push((await sql`select * from ${table} order by ${order}`.execute(db.db)).rows);
      }
      return JSON.stringify(all);
    };
    const fill = async (count: number): Promise<void> => {
      log = new MemoryEventLog();
      for (let n = 0; n < count; n++) {
        await log.append(`report-R${n}`, 'no-stream', [
          created(`R${n}`, n % 2 === 0 ? 'w1' : 'w2'),
          event('CommentAdded', { comment: `C${n}`, body: 'Why?' }),
          event('CommentReplied', { comment: `D${n}`, parent: `C${n}`, body: 'Because' }),
          event('CommentResolved', { comment: `C${n}` }),
          event('ReportUpdated', { title: `New ${n}`, body: 'B', status: 'published' }),
        ]);
        await log.append(`usage-x`, 'any', [event('TokenUsed', use('T1', `q${n}`))]);
      }
    };

    it('P6 a crash at every batch boundary and before every event repeats nothing', async () => {
      await fill(6);
      await caughtUp(await begin(reports));
      await running.pop()?.stop();
      const expected = await rows(reports);
      const events = log;
      const head = (await log.head()) ?? 0;
      // Another log makes the runner begin again; it is the same one under another name.
      log = renamed(events);
      for (let last = 1; last <= head; last++) {
        let seen = 0;
        const crashing: Projection = {
          ...reports,
          streamPrefixes: null,
          apply(one) {
            if (one.position > last) throw Object.assign(new Error('crash'), { position: seen++ });
            return one.stream.startsWith('report-') ? reports.apply(one) : [];
          },
        };
        const cut = truncated(log, last);
        const runner = await startProjection({ log: cut, readDb: db, projection: crashing, batchSize: 4 });
        expect(await runner.waitFor(last, 10_000)).toBe(true);
        await runner.stop();
        expect(seen).toBe(0);
      }
      expect(await rows(reports)).toBe(expected);
    });

    it('P6 a crash before any statement of a batch loses and repeats nothing', async () => {
      await fill(3);
      await caughtUp(await begin(reports, 4));
      await running.pop()?.stop();
      const expected = await rows(reports);
      for (let statement = 0; statement < 12; statement++) {
        log = renamed(log);
        let left = Infinity;
        const crash: KyselyPlugin = {
          transformQuery({ node }) {
            if (left-- <= 0) throw new Error('crash');
            return node;
          },
          transformResult: ({ result }) => Promise.resolve(result),
        };
        let crashed = (): void => undefined;
        const crashes = new Promise<void>((resolve) => (crashed = resolve));
        const readDb = { ...db, db: db.db.withPlugin(crash) };
        const counted = {
          ...reports,
          apply: (one: RecordedEvent) => ((left = Math.min(left, statement)), reports.apply(one)),
        };
        const runner = await startProjection({ log, readDb, projection: counted, batchSize: 4, onFault: crashed });
        await crashes;
        left = Infinity;
        await runner.stop();
        await caughtUp(await begin(reports, 4));
        await running.pop()?.stop();
        expect(await rows(reports)).toBe(expected);
      }
    });

    it('P6 a former leader that wakes up late writes nothing', async () => {
      await fill(1);
      const runner = await begin(reports);
      await caughtUp(runner);
      await runner.stop();
      const [{ build } = { build: 0 }] = await readBuilds(db.db, 'reports');
      const move = (from: number | null, to: number) => moveCheckpoint(db.db, { build, from, to, events: 0, ms: 0 });
      await expect(move(1, 2)).rejects.toThrow(LostLead);
      await expect(move(null, 2)).rejects.toThrow(LostLead);
      await move(await log.head(), 1000);
    });

    it('P6 a read model of another log, or ahead of this one, is thrown away and built again to the same rows', async () => {
      await fill(5);
      await caughtUp(await begin(reports, 3));
      const expected = await rows(reports);
      await running.pop()?.stop();
      log = renamed(log);
      await caughtUp(await begin(reports));
      expect(await rows(reports)).toBe(expected);
      await running.pop()?.stop();
      log = truncated(log, 2);
      await caughtUp(await begin(reports));
      expect(await rows(reports)).toContain('Title R0');
      expect(await rows(reports)).not.toContain('New 0');
      await running.pop()?.stop();
      // Another one that has got further: nothing of the last is left, nothing of this is missing.
      log = new MemoryEventLog();
      for (const n of Array(10).keys()) await log.append(`report-X${n}`, 'no-stream', [created(`X${n}`)]);
      await caughtUp(await begin(reports));
      const [found] = JSON.parse(await rows(reports)) as [{ id: string }[]];
      expect(found.map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, n) => `X${n}`));
    });

    it('P6 a start beside a runner that moves on meanwhile throws nothing away', async () => {
      await fill(1);
      const first = await begin(reports);
      await caughtUp(first);
      const builds = (await readBuilds(db.db, 'reports')).map(({ build }) => build);
      const later = log;
      log = overriding(later, {
        async head() {
          const head = await later.head();
          await later.append(`report-${randomUUID()}`, 'no-stream', [created('LATE')]);
          // Where one session serves all, nobody moves on while the start holds it.
          await first.waitFor((await later.head()) ?? 0, 300);
          return head;
        },
      });
      const runner = await begin(reports);
      log = later;
      await caughtUp(runner);
      expect((await readBuilds(db.db, 'reports')).map(({ build }) => build)).toEqual(builds);
    });

    it('an event that cannot be applied parks its stream only, whether the mapping or the database refuses it', async () => {
      await fill(2);
      await log.append('report-BAD', 'no-stream', [created('BAD'), event('ReportPainted', {})]);
      await log.append('report-NUL', 'no-stream', [created('NUL', 'w1', 'zero \0 byte')]);
      await log.append('report-BAD', 1, [event('ReportUpdated', { title: 'late', body: '', status: 'draft' })]);
      await log.append('report-GOOD', 'no-stream', [created('GOOD')]);
      const runner = await begin(reports);
      await caughtUp(runner);
      const { parked } = await runner.status();
      expect(parked.map(({ stream, revision }) => [stream, revision])).toEqual([
        ['report-BAD', 1],
        ['report-NUL', 0],
      ]);
      expect(parked[0]?.reason).toBe('ReportPainted: unknown report event ReportPainted');
      const all = await rows(reports);
      expect(all).toContain('Title GOOD');
      expect(all).toContain('Title BAD');
      expect(all).not.toContain('late');
      await running.pop()?.stop();
      await log.append('report-BAD', 2, [event('ReportUpdated', { title: 'later', body: '', status: 'draft' })]);
      await caughtUp(await begin(reports));
      expect(await rows(reports)).not.toContain('later');
    });

    it('two runners on one store write everything once', async () => {
      await fill(4);
      const first = await begin(tokenUses, 3);
      const second = await begin(tokenUses, 3);
      await Promise.all([caughtUp(first), caughtUp(second)]);
      for (let n = 0; n < 10; n++) await log.append('usage-y', 'any', [event('TokenUsed', use('T9', `y${n}`))]);
      await Promise.all([caughtUp(first), caughtUp(second)]);
      await first.stop();
      await log.append('usage-y', 'any', [event('TokenUsed', use('T9', 'last'))]);
      await caughtUp(second);
      const { items } = await new TokenHistoryHandler(db, log).execute(
        new TokenHistory({ token: 'T9', cursor: null, limit: 50 }),
      );
      expect(items).toHaveLength(11);
    });

    it('waits for a position until it is applied, and gives up in time', async () => {
      await fill(1);
      const runner = await begin(reports);
      const next = ((await log.head()) ?? 0) + 1;
      expect(await runner.waitFor(next, 20)).toBe(false);
      const waiting = runner.waitFor(next, 20_000);
      await log.append('report-NEW', 'no-stream', [created('NEW')]);
      expect(await waiting).toBe(true);
      expect(
        await new GetReportHandler(db).execute(new GetReport({ workspace: 'w1', id: 'NEW', nowMs })),
      ).toMatchObject({
        title: 'Title NEW',
      });
    });

    it('P13 a report, its comments and its activity are not there for another workspace', async () => {
      await fill(2);
      await caughtUp(await begin(reports));
      const ask = async (workspace: string) => ({
        report: await new GetReportHandler(db).execute(new GetReport({ workspace, id: 'R0', nowMs })),
        comment: await new GetCommentHandler(db).execute(new GetComment({ workspace, id: 'C0', nowMs })),
        comments: await new ListCommentsHandler(db).execute(
          new ListComments({ workspace, report: 'R0', cursor: null, limit: 9, nowMs }),
        ),
        activity: await new ListActivityHandler(db).execute(
          new ListActivity({ workspace, report: 'R0', cursor: null, limit: 9, nowMs }),
        ),
      });
      expect(await ask('w2')).toEqual({ report: null, comment: null, comments: null, activity: null });
      const by = { owner: jason, label: actor.label, token: 'T1', face: 'mcp', at };
      const text = 'Jason (claude-code on macbook) · via MCP · just now';
      const { report, comment, comments, activity } = await ask('w1');
      expect(report).toEqual({
        id: 'R0',
        title: 'New 0',
        body: 'B',
        status: 'published',
        version: 4,
        by: { ...by, text },
        created_at: at,
        updated_at: at,
      });
      expect(comment).toMatchObject({ id: 'C0', report: 'R0', resolved: true, parent: null });
      expect(comments?.items.map(({ id, parent }) => [id, parent])).toEqual([
        ['D0', 'C0'],
        ['C0', null],
      ]);
      expect(activity?.items.map(({ version }) => version)).toEqual([4, 3, 2, 1, 0]);
      const list = await new ListReportsHandler(db).execute(
        new ListReports({ workspace: 'w2', cursor: null, limit: 9, nowMs }),
      );
      expect(list.items.map(({ id }) => id)).toEqual(['R1']);
    });

    it('pages stay put while rows come in, and a cursor of another list is refused', async () => {
      await fill(10);
      const runner = await begin(reports);
      await caughtUp(runner);
      const handler = new ListReportsHandler(db);
      const page = (cursor: string | null) =>
        handler.execute(new ListReports({ workspace: 'w1', cursor, limit: 2, nowMs }));
      const ids: string[] = [];
      let cursor: string | null = null;
      do {
        const { items, next } = await page(cursor);
        ids.push(...items.map(({ id }) => id));
        await log.append(`report-late${ids.length}`, 'no-stream', [created(`late${ids.length}`)]);
        await caughtUp(runner);
        cursor = next;
      } while (cursor !== null);
      expect(ids).toEqual(['R8', 'R6', 'R4', 'R2', 'R0']);
      for (const bad of ['', 'x', Buffer.from('tokens:3').toString('base64url'), '%00'])
        await expect(page(bad)).rejects.toThrow(BadCursor);
    });

    it("a token's history holds its life and every use once, in the log's order, without its digest", async () => {
      log = new MemoryEventLog();
      const both = { use: use('T1', 'q1') };
      await log.append('token-T1', 'no-stream', [tokenCreated('T1')]);
      await log.append('report-R', 'no-stream', [
        event('ReportCreated', { id: 'R', workspace: 'w1', title: '', body: '', status: 'draft' }, both),
        event('CommentAdded', { comment: 'C', body: '' }, both),
      ]);
      await log.append('usage-a', 'no-stream', [event('TokenUsed', use('T1', 'q2', 'list_reports'))]);
      await log.append('denials-d', 'any', [
        event('TokenUsesDenied', { token: 'T1', operation: 'o', reason: 'throttled', to: at }),
        event('TokenUsesDenied', { token: null, operation: 'o', reason: 'unknown', to: at }),
      ]);
      await log.append('token-T1', 0, [
        event('TokenRenamed', { name: 'new' }, { use: use('T1', 'q3', 'update_token') }),
      ]);
      await caughtUp(await begin(tokenUses));
      const history = new TokenHistoryHandler(db, log);
      const seen = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof history.execute>> = await history.execute(
          new TokenHistory({ token: 'T1', cursor, limit: 2 }),
        );
        seen.push(...page.items);
        cursor = page.next;
      } while (cursor !== null);
      expect(seen.map(({ position, type, stream }) => [position, type, stream])).toEqual([
        [1, 'TokenCreated', 'token-T1'],
        [2, 'TokenUsed', 'report-R'],
        [4, 'TokenUsed', 'usage-a'],
        [5, 'TokenUsesDenied', 'denials-d'],
        [7, 'TokenRenamed', 'token-T1'],
        [7, 'TokenUsed', 'token-T1'],
      ]);
      expect(await rows(tokenUses)).not.toContain('d1g35t');
      const found = new FindUseHandler(db, log);
      expect(await found.execute(new FindUse({ requestId: 'q2', workspace: 'w1' }))).toMatchObject([
        { token: 'T1', position: 4, data: { operation: 'list_reports' } },
      ]);
      expect(await found.execute(new FindUse({ requestId: 'q2', workspace: 'w2' }))).toEqual([]);
      expect(await new LastUsedHandler(db).execute(new LastUsed(['T1', 'T2']))).toEqual(new Map([['T1', at]]));
    });

    it('P10 tells what a lineage had used at an instant', async () => {
      log = new MemoryEventLog();
      const lineage = 'BBBBBBBBBBBBBBBB';
      const [old, heir] = [`AAAAAAAAAA${lineage}`, `CCCCCCCCCC${lineage}`];
      const second = Date.parse(at) / 1000;
      const used = (token: string, seconds: number, budget: string) =>
        event('TokenUsed', {
          ...use(token, `${token} ${seconds}`),
          time: new Date((second + seconds) * 1000).toISOString(),
          window_second: second + seconds,
          budget,
        });
      await log.append('usage-a', 'no-stream', [
        used(old, 0, 'reads'),
        used(heir, 30, 'writes'),
        used(heir, 40, 'reads'),
        used('unrelated', 40, 'reads'),
        used(old, 65, 'reads'),
        used(old, 70, 'refusals'),
      ]);
      await caughtUp(await begin(tokenUses));
      const asked = (seconds: number) =>
        new UsedAtHandler(db, log).execute(
          new UsedAt({ lineage: [old, heir], token: heir, atMs: (second + seconds) * 1000 }),
        );
      expect(await asked(20)).toEqual({ used: { reads: 1, writes: 0 }, lastUsedAt: null });
      expect(await asked(60)).toMatchObject({ used: { reads: 2, writes: 1 } });
      const lastUsedAt = new Date((second + 40) * 1000).toISOString();
      expect(await asked(61)).toEqual({ used: { reads: 1, writes: 1 }, lastUsedAt });
      expect(await asked(200)).toMatchObject({ used: { reads: 0, writes: 0 } });
    });

    it('lists the tokens of a workspace as their events left them (P13)', async () => {
      log = new MemoryEventLog();
      await log.append('token-A', 'no-stream', [tokenCreated('A')]);
      await log.append('token-B', 'no-stream', [tokenCreated('B', { predecessor: 'A', lineage: 'A' })]);
      await log.append('token-C', 'no-stream', [tokenCreated('C', { predecessor: 'A' })]);
      await log.append('token-X', 'no-stream', [tokenCreated('X', { workspace: 'w2' })]);
      await log.append('token-A', 0, [
        event('TokenRotated', { successor: 'B', overlap_ends_at: null }),
        event('TokenRevoked', { reason: 'rotation', note: null }),
      ]);
      await log.append('token-B', 0, [event('TokenSuspended', {})]);
      await caughtUp(await begin(tokens));
      const list = new ListTokensHandler(db);
      const { items } = await list.execute(new ListTokens({ workspace: 'w1', cursor: null, limit: 9 }));
      expect(items.map(({ token, revision, activated }) => [token.id, token.status, revision, activated])).toEqual([
        ['C', 'active', 0, false],
        ['B', 'suspended', 1, true],
        ['A', 'revoked', 2, true],
      ]);
      expect(items[2]?.token).toMatchObject({ rotation: { successor: 'B' }, reason: 'rotation', owner: jason });
      expect(await rows(tokens)).not.toContain('d1g35t');
    });
  });
}

/** The same events in what calls itself another log. */
function renamed(log: EventLog): EventLog {
  const id = randomUUID();
  return overriding(log, { id: () => Promise.resolve(id) });
}

/** The log as it was at a position. */
function truncated(log: EventLog, last: number): EventLog {
  return overriding(log, {
    head: () => Promise.resolve(last),
    async *subscribe(options) {
      const events: RecordedEvent[] = [];
      for await (const one of log.readAll(options.after === null ? {} : { after: options.after }))
        if (one.position <= last) events.push(one);
      if (events.length > 0) yield { kind: 'events', events };
      yield { kind: 'caught-up', position: last };
      await new Promise((resolve) => options.signal?.addEventListener('abort', resolve));
    },
  });
}

const overriding = (log: EventLog, some: Partial<EventLog>): EventLog => ({
  filteredCheckpoints: log.filteredCheckpoints,
  id: () => log.id(),
  append: (...given) => log.append(...given),
  truncate: (...given) => log.truncate(...given),
  readStream: (...given) => log.readStream(...given),
  readAll: (options) => log.readAll(options),
  subscribe: (options) => log.subscribe(options),
  head: () => log.head(),
  close: () => log.close(),
  ...some,
});
