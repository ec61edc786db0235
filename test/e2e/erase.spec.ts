import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ERASED } from '../../libs/privacy/erased.ts';
import { orderErasure } from '../../libs/privacy/erasures.ts';
import { personKeysFile } from '../../libs/privacy/sqlite/sqlite-key-store.ts';
import type { ViewStatus } from '../../libs/projection/maintained-view.ts';
import { consistent } from '../../libs/proof/proofs.ts';
import type { Verdict } from '../../libs/proof/verify-export.ts';
import { writ } from '../support/cli.ts';
import { readCheckpoint } from '../support/independent-verifier.ts';
import { type Answer, createToken, startServer, type TestServer } from '../support/server.ts';
import { bytesIn, callFrom, rowsOf } from '../support/traces.ts';
import { verifyText } from '../support/verified-export.ts';

jest.setTimeout(180_000);

/** Everything of somebody that must not be found any more, or still. */
interface Somebody {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly address: string;
  readonly client: string;
  readonly token: { readonly id: string; readonly token: string };
}

const traces = ({ name, label, address, client }: Somebody): readonly string[] => [
  name,
  `${label}-renamed`,
  label,
  address,
  client,
];

let server: TestServer;
let dataDir: string;
let company: string;

const asOperator = (method: string, path: string, body?: unknown): Promise<Answer> =>
  server.call(method, path, { token: server.operator, ...(body === undefined ? {} : { body }) });
const textOf = async (path: string): Promise<string> => {
  const headers = { authorization: `Bearer ${server.operator}`, 'x-log-position': String(await server.log.head()) };
  const response = await fetch(server.url + path, { headers });
  expect(`${path} ${response.status}`).toBe(`${path} 200`);
  return await response.text();
};

async function somebody(name: string, label: string, address: string, client: string): Promise<Somebody> {
  const { body } = await asOperator('POST', '/api/v1/admin/people', { name });
  const id = String(body['id']);
  await asOperator('POST', `/api/v1/admin/companies/${company}/members`, { person: id });
  const scopes = ['reports:read', 'reports:write', 'routines:write'];
  const token = await createToken(server, { catalogue: 'comma', scopes, owner: id, name: label });
  const one = { id, name, label, address, client, token };
  const from = { address, client, token: token.token };
  expect(await callFrom(server, from, 'POST', '/api/v1/reports', { title: 'Plans', body: 'all of them' })).toBe(201);
  expect(await callFrom(server, from, 'GET', '/api/v1/reports')).toBe(200);
  expect(await callFrom(server, from, 'GET', '/api/v1/tokens')).toBe(403);
  await asOperator('PATCH', `/api/v1/tokens/${token.id}`, { name: `${label}-renamed` });
  expect(await callFrom(server, from, 'GET', '/api/v1/me')).toBe(200);
  return one;
}

const erase = (person: string, body: object = {}): Promise<Answer> =>
  asOperator('POST', `/api/v1/admin/people/${person}/erase`, { confirm: person, ...body });

async function projections(): Promise<readonly ViewStatus[]> {
  return (JSON.parse(await textOf('/api/v1/admin/projections')) as { items: readonly ViewStatus[] }).items;
}

async function untilBuilt(): Promise<void> {
  while ((await projections()).some(({ rebuild }) => rebuild !== null)) await sleep(100);
}

/** A build that a switch has replaced is dropped a moment later. */
async function untilGone(one: Somebody): Promise<void> {
  await untilBuilt();
  for (;;) {
    const rows = await rowsOf(server.parts.readDb);
    if (!traces(one).some((trace) => rows.includes(trace))) return;
    await sleep(100);
  }
}

/** All that the server shows, keeps and says. */
async function everything(somebodies: readonly Somebody[]): Promise<string> {
  const paths = [
    '/api/v1/admin/people?limit=200',
    '/api/v1/tokens?limit=200',
    '/api/v1/audit?limit=200',
    '/api/v1/audit/export',
    '/api/v1/audit/export?open=true',
    '/api/v1/audit/export?format=csv',
    '/api/v1/audit/export?format=cloudevents',
    ...somebodies.flatMap(({ token: { id } }) => [
      `/api/v1/tokens/${id}`,
      `/api/v1/tokens/${id}?at=${new Date().toISOString()}`,
      `/api/v1/tokens/${id}/history?limit=200`,
      `/api/v1/audit/export?format=csv&token=${id}`,
    ]),
  ];
  const answers: string[] = [];
  for (const path of paths) answers.push(await textOf(path));
  const view = await Promise.all(somebodies.map(({ token }) => server.parts.view.get(token.id)));
  return [
    ...answers,
    JSON.stringify(await server.events()),
    JSON.stringify(view),
    await rowsOf(server.parts.readDb),
    // PGlite's own files are of its rows above; it lets go of what it dropped when it likes (docs/compliance.md).
    bytesIn(dataDir, ['read']),
    server.logged.join('\n'),
  ].join('\n');
}

async function verified(text: string): Promise<Verdict> {
  const { keys } = JSON.parse(await textOf('/api/v1/audit/keys')) as { keys: readonly string[] };
  return verifyText(text, keys);
}

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'writ-erase-'));
  server = await startServer({ dataDir });
  company = String((await asOperator('POST', '/api/v1/admin/companies', { name: 'Acme' })).body['id']);
});
afterAll(async () => {
  await server.close();
  rmSync(dataDir, { recursive: true, force: true });
});

describe('erasing a person', () => {
  let ada: Somebody;
  let bo: Somebody;
  let before: string;

  beforeAll(async () => {
    ada = await somebody('Ada Quillfeather', 'quill-laptop', '127.0.0.71', 'quill-client/1.0');
    bo = await somebody('Bo Thistlewood', 'thistle-laptop', '127.0.0.72', 'thistle-client/1.0');
  });

  it('P5 P9 the log’s own bytes name nobody, not even before; whoever may read is shown everything', async () => {
    const files = bytesIn(dataDir, ['read']);
    const shown = await everything([ada, bo]);
    for (const trace of [...traces(ada), ...traces(bo)]) {
      expect(shown).toContain(trace);
      expect(files).not.toContain(trace);
    }
    before = await textOf('/api/v1/audit/export');
    for (const trace of [...traces(ada), ...traces(bo)]) expect(before).not.toContain(trace);
    expect((await verified(before)).findings).toEqual([]);
  });

  it('P9 an export that shows what is sealed proves that it is that', async () => {
    const shown = await textOf('/api/v1/audit/export?open=true');
    for (const trace of [...traces(ada), ...traces(bo)]) expect(shown).toContain(trace);
    expect((await verified(shown)).findings).toEqual([]);
    // Lines' own hashes cover what is sealed; that what is shown was sealed, only the commitments say.
    const forged = await verified(shown.replaceAll(ada.client, ada.client.replace('quill', 'quack')));
    expect(forged.findings.map(({ kind }) => kind)).toContain('altered');
    const line = shown.split('\n').findIndex((text) => text.includes('"opened":') && text.includes(ada.client));
    expect(forged.findings).toContainEqual(expect.objectContaining({ kind: 'altered', line: line + 1 }));
    const swapped = await verified(shown.replaceAll(`"person":"${ada.id}","values"`, `"person":"${bo.id}","values"`));
    expect(swapped.findings.map(({ kind }) => kind)).toContain('altered');
  });

  it('P12 it is not done by mistake, to oneself, to nobody, or to who still holds living tokens', async () => {
    const { body: me } = await asOperator('GET', '/api/v1/me');
    expect((await asOperator('POST', `/api/v1/admin/people/${ada.id}/erase`, { confirm: bo.id })).status).toBe(422);
    expect((await erase((me['owner'] as { id: string }).id, { revoke_tokens: true })).status).toBe(409);
    expect((await erase('01J9ZK3V8Q6T4W2Y0B7D5F1G3H')).status).toBe(404);
    expect((await erase(ada.id)).body['detail']).toMatch(/own 1 living tokens/);
    expect(await everything([ada])).toContain(ada.name);
    expect((await server.events('erasures')).length).toBe(0);
    expect((await server.call('GET', '/api/v1/me', { token: ada.token.token })).status).toBe(200);
  });

  it('P2 P6 P9 leaves nothing of them in log, views, exports and answers; everybody else is as they were', async () => {
    const head = await textOf('/api/v1/audit/checkpoint');
    const answer = await erase(ada.id, { revoke_tokens: true });
    expect(answer).toMatchObject({ status: 200, body: { person: ada.id, revoked: [ada.token.id] } });
    expect((await server.call('GET', '/api/v1/me', { token: ada.token.token })).status).toBe(401);
    await untilGone(ada);
    const shown = await everything([ada, bo]);
    for (const trace of traces(ada)) expect(shown).not.toContain(trace);
    for (const trace of traces(bo)) expect(shown).toContain(trace);
    const people = (await asOperator('GET', '/api/v1/admin/people')).body['items'] as Record<string, unknown>[];
    expect(people.find(({ id }) => id === ada.id)).toMatchObject({ name: ERASED, companies: [] });
    expect((await asOperator('GET', `/api/v1/tokens/${ada.token.id}`)).body).toMatchObject({
      name: ERASED,
      owner: { id: ada.id, name: ERASED },
      status: 'revoked',
    });

    const after = await textOf('/api/v1/audit/export');
    expect((await verified(before)).findings).toEqual([]);
    expect(await verified(after)).toMatchObject({ findings: [], completeness: 'proved' });
    // What was signed before is a prefix of what is signed now: no byte of it has changed.
    const { keys } = JSON.parse(await textOf('/api/v1/audit/keys')) as { keys: [string] };
    const older = readCheckpoint(head, keys[0]);
    const growth = JSON.parse(await textOf(`/api/v1/audit/proofs/consistency?from=${older.size}`)) as {
      proof: string[];
      checkpoint: string;
    };
    const path = growth.proof.map((hash) => Buffer.from(hash, 'base64'));
    expect(consistent(older, readCheckpoint(growth.checkpoint, keys[0]), path)).toBe(true);
  });

  it('P6 what serves is what the log gives anew', async () => {
    for (const { name } of await projections()) {
      await asOperator('POST', `/api/v1/admin/projections/${name}/verify`);
      for (;;) {
        const view = (await projections()).find((each) => each.name === name)!;
        if (view.verification?.state === 'running' || view.verification === null) await sleep(100);
        else {
          expect(`${name} ${view.verification.state}`).toBe(`${name} same`);
          break;
        }
      }
    }
  });

  it('P13 an erased person is given nothing more, and erasing them again changes nothing', async () => {
    const token = { catalogue: 'comma', name: 'x', scopes: ['reports:read'], owner: ada.id };
    expect((await asOperator('POST', '/api/v1/tokens', token)).status).toBe(422);
    expect((await asOperator('PATCH', `/api/v1/admin/people/${ada.id}`, { name: 'Ada' })).status).toBe(404);
    const members = `/api/v1/admin/companies/${company}/members`;
    expect((await asOperator('POST', members, { person: ada.id })).status).toBe(404);
    const events = (await server.events(`person-${ada.id}`)).length;
    expect(await erase(ada.id)).toMatchObject({ status: 200, body: { person: ada.id, revoked: [] } });
    expect((await server.events(`person-${ada.id}`)).length).toBe(events);
    await untilBuilt();
    // A refused call with what was theirs is on record, and says nothing of where it came from.
    const { address, client } = ada;
    const from = { address, client, token: ada.token.token };
    expect(await callFrom(server, from, 'GET', '/api/v1/reports')).toBe(401);
    const shown = await everything([ada]);
    for (const trace of traces(ada)) expect(shown).not.toContain(trace);
  });

  it('`writ people erase` asks for the id twice, and waits until every view is built anew', async () => {
    const cy = await somebody('Cy Bramblewick', 'bramble-laptop', '127.0.0.73', 'bramble-client/1.0');
    const env = { WRIT_URL: server.url, WRIT_TOKEN: server.operator };
    expect((await writ(['people', 'erase', cy.id], env)).exit).toBe(2);
    const done = await writ(['people', 'erase', cy.id, '--confirm', cy.id, '--revoke-tokens'], env);
    expect(done).toMatchObject({ exit: 0, out: expect.stringContaining(`Tokens ended with it: ${cy.token.id}`) });
    await untilGone(cy);
    const shown = await everything([cy]);
    for (const trace of traces(cy)) expect(shown).not.toContain(trace);
  });
});

describe('an erasure that broke off, or came undone', () => {
  const restart = async (meanwhile: () => void = () => undefined): Promise<void> => {
    await server.close();
    meanwhile();
    server = await startServer({ dataDir });
    await untilBuilt();
  };
  const gone = async (one: Somebody): Promise<void> => {
    await untilGone(one);
    const shown = await everything([one]);
    for (const trace of traces(one)) expect(shown).not.toContain(trace);
  };
  const actor = { person: { id: 'x', name: 'x' }, token: null, label: null, face: 'cli' } as const;
  const order = (person: string): Promise<void> =>
    orderErasure(server.log, { person, workspace: 'w', at: new Date().toISOString() }, actor);

  it('P6 killed after the order, or after the key: the next start finishes it', async () => {
    const di = await somebody('Di Hawthornwaite', 'hawthorn-laptop', '127.0.0.74', 'hawthorn-client/1.0');
    const ed = await somebody('Ed Juniperly', 'juniper-laptop', '127.0.0.75', 'juniper-client/1.0');
    expect(await everything([di, ed])).toContain(di.name);
    await order(di.id);
    await order(ed.id);
    await server.parts.keys.erase(ed.id);
    await restart();
    await gone(di);
    await gone(ed);
  });

  it('P6 a restored back-up of the keys revives nobody', async () => {
    const flo = await somebody('Flo Larkspurson', 'larkspur-laptop', '127.0.0.76', 'larkspur-client/1.0');
    const backUp = join(dataDir, '..', `${dataDir.split('/').at(-1)}.keys`);
    cpSync(personKeysFile(dataDir), backUp);
    expect((await erase(flo.id, { revoke_tokens: true })).status).toBe(200);
    await restart(() => cpSync(backUp, personKeysFile(dataDir)));
    rmSync(backUp);
    await gone(flo);
  });

  it('P4 without its keys a server does not start', async () => {
    await server.close();
    const kept = join(dataDir, 'kept');
    cpSync(personKeysFile(dataDir), kept);
    rmSync(personKeysFile(dataDir));
    await expect(startServer({ dataDir })).rejects.toThrow(/Restore them from their back-up/);
    cpSync(kept, personKeysFile(dataDir));
    rmSync(kept);
    server = await startServer({ dataDir });
    expect((await asOperator('GET', '/api/v1/me')).status).toBe(200);
  });
});
