import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { ReadDb } from '../../libs/read-db/read-db.ts';
import type { TestServer } from './server.ts';

/** A call as it comes from another machine: of another loopback address, and of a client that names itself. */
export function callFrom(
  { url }: Pick<TestServer, 'url'>,
  from: { readonly address: string; readonly client: string; readonly token: string },
  method: string,
  path: string,
  body?: object,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${from.token}`,
      'user-agent': from.client,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const call = request(url + path, { method, headers, localAddress: from.address }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    });
    call.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** The bytes of every file of a folder, and of those below that are not left out. */
export function bytesIn(folder: string, without: readonly string[]): string {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !without.includes(name))
    .map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? bytesIn(path, without) : readFileSync(path, 'latin1');
    })
    .join('\n');
}

/** Every row of every table of the read models, as JSON, a line each. */
export async function rowsOf({ db }: ReadDb): Promise<string> {
  const { rows: tables } = await sql<{ schema: string; name: string }>`
    select table_schema as schema, table_name as name from information_schema.tables
    where table_schema not in ('pg_catalog', 'information_schema') order by 1, 2`.execute(db);
  const lines: string[] = [];
  for (const { schema, name } of tables) {
    const { rows } = await sql<{ row: string }>`
      select to_jsonb(t)::text as row from ${sql.id(schema, name)} t`.execute(db);
    lines.push(...rows.map(({ row }) => `${schema}.${name} ${row}`));
  }
  return lines.join('\n');
}
