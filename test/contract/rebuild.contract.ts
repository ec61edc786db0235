import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type KyselyPlugin, sql } from 'kysely';
import type { NewEvent, RecordedEvent, SubscribeOptions, SubscriptionMessage } from '../../libs/event-log/event-log.ts';
import { BuildWriter } from '../../libs/projection/build-writer.ts';
import { changingBuilds, createBuild } from '../../libs/projection/builds.ts';
import { put, set } from '../../libs/projection/change.ts';
import { Courtesy } from '../../libs/projection/courtesy.ts';
import type { ViewStatus } from '../../libs/projection/maintained-view.ts';
import { type Projection, schemaOf } from '../../libs/projection/projection.ts';
import { type RunningProjection, startProjection } from '../../libs/projection/runner.ts';
import { switchTo } from '../../libs/projection/switch.ts';
import type { ReadDb } from '../../libs/read-db/read-db.ts';
import { MemoryEventLog } from '../doubles/memory-event-log.ts';
import type { CuttingProxy } from '../support/cutting-proxy.ts';

interface ThingData {
  readonly text: string;
}

/** Things with a text and a count of changes; every event of a thing matters, and so does their order. */
const things: Projection = {
  name: 'things',
  version: 1,
  streamPrefixes: ['thing-'],
  tables: {
    things: { columns: { id: 'text', text: 'text', revision: 'integer' }, primaryKey: ['id'] },
    changes: { columns: { id: 'text', revision: 'integer', text: 'text' }, primaryKey: ['id', 'revision'] },
  },
  apply({ type, stream, revision, data }) {
    const id = stream.slice('thing-'.length);
    const { text } = data as ThingData;
    const change = put('changes', { id, revision, text });
    if (type === 'ThingMade') return [put('things', { id, text, revision }), change];
    if (type === 'ThingChanged') return [set('things', { id }, { text, revision }), change];
    throw new Error(`unknown event ${type}`);
  },
};

/** The next release: one more column, one more table. */
const next: Projection = {
  ...things,
  version: 2,
  tables: {
    ...things.tables,
    things: { columns: { id: 'text', text: 'text', shout: 'text', revision: 'integer' }, primaryKey: ['id'] },
    seen: { columns: { id: 'text' }, primaryKey: ['id'] },
  },
  apply(event) {
    const id = event.stream.slice('thing-'.length);
    const shout = (event.data as ThingData).text.toUpperCase();
    return [...things.apply(event), set('things', { id }, { shout }), put('seen', { id })];
  },
};

const event = (type: string, text: string): NewEvent => {
  const id = randomUUID();
  return { id, type, data: { text }, metadata: { $correlationId: id, $causationId: id, schema: 1 } };
};

const IN_TIME_MS = 30_000;

export interface RebuildStore {
  open(): Promise<ReadDb>;
  /** Over a network that breaks; none where there is no network in between. */
  readonly breakable?: { readonly proxy: CuttingProxy; open(): Promise<ReadDb> };
  stop(): Promise<void>;
}

/** How views are rebuilt, compared and mended while they serve (P6), whichever engine keeps them. */
export function rebuildContract(engine: string, start: () => Promise<RebuildStore>) {
  describe(`rebuilding on ${engine}`, () => {
    let store: Awaited<ReturnType<typeof start>>;
    let db: ReadDb;
    let log: HeldLog;
    let running: RunningProjection[];
    const holds: (() => void)[] = [];

    beforeAll(async () => {
      store = await start();
      db = await store.open();
    }, 300_000);
    beforeEach(() => {
      log = new HeldLog();
      running = [];
    });
    afterEach(async () => {
      for (const release of holds.splice(0)) release();
      for (const projection of running) await projection.stop();
    });
    afterAll(async () => {
      await db.close();
      await store.stop();
    });

    const begin = async (projection: Projection, readDb = db, batchSize = 7): Promise<RunningProjection> => {
      const runner = await startProjection({ log, readDb, projection, batchSize });
      running.push(runner);
      return runner;
    };
    const end = async (): Promise<void> => {
      for (const projection of running.splice(0)) await projection.stop();
    };
    /** As a process of its own would: its sessions on PostgreSQL, and the locks they hold, end with it. */
    const connect = async (): Promise<ReadDb> => (db.engine === 'postgresql' ? await store.open() : db);
    const disconnect = async (own: ReadDb): Promise<void> => {
      if (own !== db) await own.close();
    };
    const make = async (count: number, name = 'a'): Promise<void> => {
      for (let n = 0; n < count; n++) {
        await log.append(`thing-${name}${n}`, 'no-stream', [event('ThingMade', `text ${n}`)]);
        await log.append(`other-${name}${n}`, 'no-stream', [event('Elsewhere', '')]);
        await log.append(`thing-${name}${n}`, 0, [event('ThingChanged', `changed ${n}`), event('ThingChanged', 'x')]);
      }
    };
    const caughtUp = async (runner: RunningProjection): Promise<void> => {
      const head = await log.head();
      if (head !== null) expect(await runner.waitFor(head, IN_TIME_MS)).toBe(true);
    };
    const until = async (runner: RunningProjection, holds: (status: ViewStatus) => boolean): Promise<ViewStatus> => {
      for (const deadlineMs = Date.now() + IN_TIME_MS; ;) {
        const status = await runner.status();
        if (holds(status)) return status;
        if (Date.now() > deadlineMs) throw new Error(`not in time: ${JSON.stringify(status)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const switched = async (runner: RunningProjection): Promise<unknown> =>
      until(runner, ({ rebuild, version, serving_version }) => rebuild === null && serving_version === version);
    const rows = async (of: Projection): Promise<string> => {
      const all = [];
      for (const [name, { primaryKey }] of Object.entries(of.tables)) {
        const order = sql.raw(primaryKey.map((column) => `"${column}"`).join());
        all.push((await sql`select * from ${sql.id(schemaOf(of), name)} order by ${order}`.execute(db.db)).rows);
      }
      return JSON.stringify(all);
    };
    /** What the tables must hold: the log applied by a few lines of other code. */
    const expected = async (): Promise<string> => {
      const made = new Map<string, { id: string; text: string; revision: number }>();
      const changes = [];
      for await (const { stream, revision, data } of log.readAll({ streamPrefixes: ['thing-'] })) {
        const id = stream.slice('thing-'.length);
        const { text } = data as ThingData;
        made.set(id, { id, text, revision });
        changes.push({ id, revision, text });
      }
      const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
      return JSON.stringify([
        [...made.values()].sort(byId),
        changes.sort((a, b) => byId(a, b) || a.revision - b.revision),
      ]);
    };
    const schemas = async (): Promise<string[]> => {
      const { rows: found } = await sql<{ name: string }>`
        select nspname as name from pg_namespace where nspname like 'things%' order by 1`.execute(db.db);
      return found.map(({ name }) => name);
    };

    it('P6 fills a new build while the old one serves and events come, switches, and drops the old', async () => {
      await make(10);
      const runner = await begin(things);
      await caughtUp(runner);
      const before = await schemas();
      // What nobody can see in the log, and a rebuild therefore takes away.
      const serving = sql.id(before[0] ?? '', 'things');
      await sql`insert into ${serving} values ('forged', 'never written', 1)`.execute(db.db);
      expect(await rows(things)).toContain('forged');
      expect(await runner.rebuild(false)).toBeNull();
      await make(5, 'during');
      await switched(runner);
      await caughtUp(runner);
      expect(await rows(things)).toBe(await expected());
      await make(3, 'after');
      await caughtUp(runner);
      expect(await rows(things)).toBe(await expected());
      const after = await schemas();
      expect(after).toHaveLength(before.length);
      expect(after).not.toEqual(before);
    }, 120_000);

    it('the planner knows of a table that has grown, and finds a page of it by an index', async () => {
      await make(400);
      await caughtUp(await begin(things, db, 500));
      const changes = sql.id(schemaOf(things), 'changes');
      const { rows: plan } = await sql`explain select * from ${changes}
        where text is not distinct from 'x' order by id desc, revision desc limit 5`.execute(db.db);
      expect(JSON.stringify(plan)).toContain('Index Scan Backward');
    }, 120_000);

    it('P6 what takes over holds all that the one before it held', async () => {
      await make(12);
      await caughtUp(await begin(things));
      await end();
      const logId = await log.id();
      const { build } = await changingBuilds(db.db, (trx) => createBuild(trx, things, 'building', logId));
      const writer = await BuildWriter.open(db.db, log, things, build, new Courtesy());
      expect(await switchTo(db.db, things, build, writer)).toBe(true);
      expect(await rows(things)).toBe(await expected());
    });

    it('P6 stops where it is told to, and goes on from there after a restart', async () => {
      await make(20);
      const first = await begin(things);
      await caughtUp(first);
      const seen: number[] = [];
      const slow: Projection = {
        ...things,
        apply(one) {
          seen.push(one.position);
          return things.apply(one);
        },
      };
      await end();
      const runner = await begin(slow);
      await caughtUp(runner);
      seen.length = 0;
      await runner.rebuild(false);
      // A rebuild is stopped between two batches; where exactly does not matter.
      await until(runner, ({ rebuild }) => rebuild === null || rebuild.events > 0);
      await runner.stopRebuild();
      const { rebuild } = await until(runner, (status) => status.rebuild?.state !== 'running');
      await end();
      const again = await begin(slow);
      if (rebuild !== null) {
        expect((await again.status()).rebuild).toMatchObject({ state: 'stopped', position: rebuild.position });
        expect(await again.rebuild(false)).toBeNull();
      }
      await switched(again);
      expect(await rows(things)).toBe(await expected());
      // Nothing before the checkpoint is applied again; the batch that met the stop is.
      expect(seen.length - new Set(seen).size).toBeLessThanOrEqual(7);
      expect(await again.stopRebuild()).toBe('No rebuild is under way.');
    }, 120_000);

    it('P6 a new version builds itself, the old tables serving old and new queries meanwhile', async () => {
      await make(5);
      await caughtUp(await begin(things));
      await end();
      const release = log.holdSubscriptions();
      holds.push(release);
      const runner = await begin(next);
      expect(await runner.status()).toMatchObject({ version: 2, serving_version: 1, rebuild: { version: 2 } });
      const meanwhile = JSON.parse(await rows(next)) as [
        { shout: string | null; text: string }[],
        unknown[],
        unknown[],
      ];
      expect(meanwhile[0]).toHaveLength(5);
      expect(meanwhile[0][0]).toMatchObject({ id: 'a0', text: 'x', shout: null });
      expect(meanwhile[2]).toEqual([]);
      expect(await rows(things)).toBe(await expected());
      release();
      await switched(runner);
      const now = JSON.parse(await rows(next)) as typeof meanwhile;
      expect(now[0][0]).toMatchObject({ id: 'a0', text: 'x', shout: 'X' });
      expect(now[2]).toHaveLength(5);
      // The older release still runs somewhere: its queries find what they know.
      expect(await rows(things)).toBe(await expected());
      await end();
      const older = await begin(things);
      expect((await until(older, ({ fault }) => fault !== null)).fault).toContain('of a newer release');
      await older.rebuild(false);
      await switched(older);
      expect(await rows(things)).toBe(await expected());
    }, 120_000);

    it('P6 verify names the first row that differs, and a rebuild mends it', async () => {
      await make(12);
      const runner = await begin(things);
      await caughtUp(runner);
      const verified = async () => {
        expect(await runner.verify()).toBeNull();
        await until(runner, ({ verification }) => verification?.state === 'running' || verification !== null);
        const { verification } = await until(runner, (status) => status.verification?.state !== 'running');
        if (verification === null || verification.state === 'running') throw new Error('no outcome');
        return verification;
      };
      expect(await verified()).toMatchObject({
        state: 'same',
        difference: null,
        position: await log.head(),
        tables: [
          { table: 'things', rows: 12, same: true },
          { table: 'changes', rows: 36, same: true },
        ],
      });
      const serving = (await schemas()).find((name) => name.startsWith('things_b')) ?? '';
      await sql`update ${sql.id(serving, 'changes')} set text = 'edited' where id = 'a4' and revision = 1`.execute(
        db.db,
      );
      await sql`update ${sql.id(serving, 'changes')} set text = 'edited' where id = 'a7'`.execute(db.db);
      expect(await verified()).toMatchObject({
        state: 'different',
        difference: { table: 'changes', key: { id: 'a4', revision: 1 }, what: 'different', columns: ['text'] },
      });
      await sql`delete from ${sql.id(serving, 'things')} where id = 'a3'`.execute(db.db);
      expect(await verified()).toMatchObject({ difference: { table: 'things', key: { id: 'a3' }, what: 'missing' } });
      await sql`insert into ${sql.id(serving, 'things')} values ('a00', 'forged', 1)`.execute(db.db);
      expect(await verified()).toMatchObject({ difference: { key: { id: 'a00' }, what: 'unexpected' } });
      await runner.rebuild(false);
      await switched(runner);
      expect(await verified()).toMatchObject({ state: 'same' });
      expect((await schemas()).filter((name) => name.startsWith('things_b'))).toHaveLength(1);
    }, 120_000);

    it('P6 a poisoned event parks its stream with its reason; a retry applies it from where it stopped', async () => {
      await make(3);
      await log.append('thing-bad', 'no-stream', [event('ThingMade', 'fine'), event('ThingCursed', 'poison')]);
      await log.append('thing-bad', 1, [event('ThingChanged', 'late')]);
      const runner = await begin(things);
      await caughtUp(runner);
      const { parked } = await runner.status();
      const reason = 'ThingCursed: unknown event ThingCursed';
      expect(parked).toMatchObject([{ stream: 'thing-bad', revision: 1, reason }]);
      expect(await runner.retry('thing-a0')).toBe('The stream thing-a0 is not parked in things.');
      expect(await runner.retry('thing-bad')).toBeNull();
      await make(1, 'b');
      await caughtUp(runner);
      expect((await runner.status()).parked).toMatchObject([{ stream: 'thing-bad', revision: 1, reason }]);
      await end();
      const cured: Projection = {
        ...things,
        apply: (one: RecordedEvent) => things.apply({ ...one, type: one.type.replace('Cursed', 'Changed') }),
      };
      const mended = await begin(cured);
      await log.append('thing-bad', 2, [event('ThingChanged', 'after')]);
      await caughtUp(mended);
      expect(await mended.retry('thing-bad')).toBeNull();
      await until(mended, (status) => status.parked.length === 0);
      await log.append('thing-bad', 3, [event('ThingChanged', 'last')]);
      await caughtUp(mended);
      expect(await rows(things)).toBe(await expected());
    }, 120_000);

    it('P6 two leaders that fight over a rebuild write everything once', async () => {
      await make(15);
      const [one, other] = [await begin(things), await begin(things)];
      await Promise.all([one.rebuild(false), other.rebuild(false)]);
      await make(5, 'during');
      await Promise.all([switched(one), switched(other)]);
      await one.stop();
      await make(5, 'after');
      await caughtUp(other);
      expect(await rows(things)).toBe(await expected());
    }, 120_000);

    it('P6 killed at any batch boundary of a rebuild, or within any batch, it ends in the same tables', async () => {
      await make(6);
      const events = 18;
      // After which event, and how many statements later: 0 none of its batch, 1 the checkpoint, more: rows, the switch.
      const places: readonly (readonly [number | 'last', number])[] = [
        ...Array.from({ length: events }, (_, at) => [at + 1, 0] as const),
        ...Array.from({ length: events / 3 }, (_, at) => [3 * at + 1, 1] as const),
        ...Array.from({ length: 10 }, (_, statements) => ['last', statements] as const),
      ];
      let crashes = 0;
      let own = await connect();
      for (const [place, statements] of places) {
        const { length: all } = await Array.fromAsync(log.readAll({ streamPrefixes: ['thing-'] }));
        const at = place === 'last' ? all : place;
        let left = Infinity;
        let applied = -Infinity;
        let crashed = false;
        const dying: Projection = {
          ...things,
          apply(one) {
            if (++applied === at) left = statements;
            return things.apply(one);
          },
        };
        const failed = failing(() => (crashed ||= left-- <= 0));
        const victim = await begin(dying, { ...own, db: own.db.withPlugin(failed) }, 3);
        await caughtUp(victim);
        applied = 0;
        await victim.rebuild(true);
        for (const deadlineMs = Date.now() + IN_TIME_MS; !crashed && applied > -Infinity;) {
          if (Date.now() > deadlineMs) throw new Error(`neither crashed nor switched, after ${applied} events`);
          // A look at the builds is no statement of the rebuild's: not asked through the one that dies.
          const { rows: building } = await sql`
            select 1 from writ.builds where projection = ${things.name} and role = 'building'`.execute(db.db);
          if (building.length === 0) applied = -Infinity;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        if (crashed) crashes++;
        left = 0;
        await end();
        await disconnect(own);
        own = await connect();
        const heir = await begin(things, own, 3);
        await make(1, `after${place}-${statements}-`);
        await switched(heir);
        await caughtUp(heir);
        expect(await rows(things)).toBe(await expected());
        expect((await heir.status()).rebuild).toBeNull();
        await end();
      }
      await disconnect(own);
      expect(crashes).toBeGreaterThanOrEqual(events + events / 3);
    }, 300_000);

    // PGlite is in the process: there is no network to break.
    if (engine === 'PostgreSQL') {
      it('P6 a database gone in the middle of a batch and back loses nothing and doubles nothing', async () => {
        const { breakable } = store;
        if (breakable === undefined) throw new Error('no network to break');
        const { proxy } = breakable;
        const own = await breakable.open();
        await make(40);
        const runner = await begin(things, own, 10);
        await caughtUp(runner);
        let cuts = 0;
        let round = 0;
        const place = fc.record({
          bytes: fc.integer({ min: 1, max: 12_000 }),
          // What the client says is broken off in a statement; what the server says, in its answer: to a COMMIT, too.
          side: fc.constantFrom('client' as const, 'server' as const),
          rebuilt: fc.boolean(),
        });
        await fc.assert(
          fc.asyncProperty(place, async ({ bytes, side, rebuilt }) => {
            round++;
            proxy.cutAfter(bytes, side);
            if (rebuilt) await runner.rebuild(true).catch(() => undefined);
            await make(3, `cut${round}-`);
            for (const deadlineMs = Date.now() + 1_500; !proxy.cut && Date.now() < deadlineMs;)
              await new Promise((resolve) => setTimeout(resolve, 5));
            if (proxy.cut) cuts++;
            proxy.away = true;
            await make(2, `away${round}-`);
            await new Promise((resolve) => setTimeout(resolve, 50));
            proxy.away = false;
            proxy.cutAfter(Number.POSITIVE_INFINITY, side);
            await switched(runner);
            await caughtUp(runner);
            expect(await rows(things)).toBe(await expected());
          }),
          { numRuns: 20, endOnFailure: true },
        );
        expect(cuts).toBeGreaterThan(5);
        await end();
        await own.close();
      }, 300_000);
    }

    it('P6 any interleaving of crash, restart, rebuild and live writes ends in the same tables', async () => {
      const act = fc.oneof(
        {
          weight: 3,
          arbitrary: fc.record({ kind: fc.constant('write' as const), count: fc.integer({ min: 1, max: 6 }) }),
        },
        { weight: 2, arbitrary: fc.record({ kind: fc.constant('rebuild' as const), anew: fc.boolean() }) },
        {
          weight: 2,
          arbitrary: fc.record({ kind: fc.constant('crash' as const), after: fc.integer({ min: 0, max: 25 }) }),
        },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const) }) },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('verify' as const) }) },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(act, { minLength: 3, maxLength: 8 }), async (acts) => {
          await end();
          log = new HeldLog();
          let left = Infinity;
          let own = await connect();
          const crashing = (): ReadDb => ({ ...own, db: own.db.withPlugin(failing(() => left-- <= 0)) });
          let runner = await begin(things, crashing(), 4);
          let named = 0;
          for (const one of acts) {
            if (one.kind === 'write') await make(one.count, `w${named++}`);
            else if (one.kind === 'crash') {
              left = one.after;
              await new Promise((resolve) => setTimeout(resolve, 15));
              // Nothing more reaches the database of what runs now.
              left = 0;
              await end();
              await disconnect(own);
              own = await connect();
              left = Infinity;
              runner = await begin(things, crashing(), 4);
            } else if (one.kind === 'rebuild') await runner.rebuild(one.anew);
            else if (one.kind === 'stop') await runner.stopRebuild();
            else await runner.verify();
          }
          await runner.rebuild(false);
          await switched(runner);
          await caughtUp(runner);
          expect(await rows(things)).toBe(await expected());
          const { verification } = await until(runner, (status) => status.verification?.state !== 'running');
          expect(verification === null || verification.state === 'same').toBe(true);
          await end();
          await disconnect(own);
        }),
        { numRuns: 8, endOnFailure: true },
      );
    }, 300_000);
  });
}

/** A log whose readers can be kept waiting. */
class HeldLog extends MemoryEventLog {
  #released = Promise.resolve();

  holdSubscriptions(): () => void {
    let release = (): void => undefined;
    this.#released = new Promise((resolve) => (release = resolve));
    return release;
  }

  override async *subscribe(options: SubscribeOptions): AsyncIterable<SubscriptionMessage> {
    await this.#released;
    yield* super.subscribe(options);
  }
}

/** The process has crashed, as far as the database sees: what it asks from then on does not arrive. */
const failing = (crashed: () => boolean): KyselyPlugin => ({
  transformQuery({ node }) {
    if (crashed()) throw new Error('crash');
    return node;
  },
  transformResult: ({ result }) => Promise.resolve(result),
});
