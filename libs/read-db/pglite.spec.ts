import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { type RawBuilder, sql } from 'kysely';
import { readModelsContract } from '../../test/contract/read-models.contract.ts';
import { toadoReadModelContract } from '../../test/contract/toado-read-model.contract.ts';
import { ran } from '../../test/support/coverage-report.ts';
import { openReadDb } from './read-db.ts';

async function startPglite(what: string) {
  await ran(what, 'PGlite');
  const directory = await mkdtemp(path.join(tmpdir(), 'writ-read-'));
  return {
    open: () => openReadDb({ directory: path.join(directory, 'read') }),
    stop: () => rm(directory, { recursive: true }),
  };
}

readModelsContract('PGlite', () => startPglite('read models'));
toadoReadModelContract('PGlite', () => startPglite('Toado’s read model'));

describe('PGlite', () => {
  it('P6 throws a damaged folder away', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'writ-read-'));
    await mkdir(path.join(directory, 'base'));
    await writeFile(path.join(directory, 'PG_VERSION'), 'not a version');
    const { db, close } = await openReadDb({ directory });
    expect((await sql<{ one: number }>`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }]);
    await close();
    await rm(directory, { recursive: true });
  }, 60_000);

  it('a transaction has the session to itself until it ends, well or badly', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'writ-read-'));
    const { db, close } = await openReadDb({ directory });
    await sql`create table things (n bigint)`.execute(db);
    const count = async () => (await sql<{ n: number }>`select count(*) as n from things`.execute(db)).rows[0]?.n;
    let beside: Promise<number | undefined> | undefined;
    await db.transaction().execute(async (trx) => {
      await sql`insert into things values (1)`.execute(trx);
      beside = count();
      await sleep(20);
      await sql`savepoint here`.execute(trx);
      await sql`rollback to here`.execute(trx);
      await sleep(20);
      await sql`insert into things values (2)`.execute(trx);
    });
    expect(await beside).toBe(2);
    const failing = (statement: RawBuilder<unknown>) =>
      db.transaction().execute(async (trx) => {
        await sql`insert into things values (3)`.execute(trx);
        await statement.execute(trx);
        throw new Error('no');
      });
    await expect(failing(sql`select 1`)).rejects.toThrow('no');
    await expect(failing(sql`insert into nowhere values (1)`)).rejects.toMatchObject({ code: '42P01' });
    expect(await Promise.all([count(), count()])).toEqual([2, 2]);
    await close();
    await rm(directory, { recursive: true });
  }, 60_000);

  it('asks a changed table anew, and takes and gives every type as it is', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'writ-read-'));
    const { db, close } = await openReadDb({ directory });
    const all = async () => (await sql`select * from things where n = any(${[1, 2]}::bigint[])`.execute(db)).rows;
    await sql`create table things (n bigint, said text, done boolean, data jsonb)`.execute(db);
    const row = { n: 1, said: "it's", done: true, data: { a: [1, null] } };
    const added = await sql`insert into things values (${row.n}, ${row.said}, ${row.done}, ${row.data})`.execute(db);
    expect(added.numAffectedRows).toBe(1n);
    expect(await all()).toEqual([row]);
    await sql`alter table things add column more text`.execute(db);
    expect(await all()).toEqual([{ ...row, more: null }]);
    await expect(sql`insert into things (n) values (${'one'})`.execute(db)).rejects.toMatchObject({ code: '22P02' });
    expect(await all()).toHaveLength(1);
    await close();
    await rm(directory, { recursive: true });
  }, 60_000);
});
