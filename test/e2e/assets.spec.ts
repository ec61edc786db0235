import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { formatToken, newSecret } from '../../libs/tokens/token-format.ts';
import { newTokenId } from '../../libs/tokens/token-id.ts';
import { type Answer, type Body, createToken, startServer, type TestServer } from '../support/server.ts';

jest.setTimeout(240_000);

const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(100_000, 'pixels')]);
const NOWHERE = '01J9ZK3V8Q6T4W2Y0B7D5F1G3H';

interface Place {
  readonly company: string;
  readonly project: string;
  readonly ticket: string;
}

describe('assets, annotations and search', () => {
  let server: TestServer;
  let here: Place;
  let there: Place;
  /** May read everything; pinned to `here`. */
  let everywhere: string;
  let pinned: string;

  const operate = (method: string, path: string, body?: unknown): Promise<Answer> =>
    server.call(method, `/api/v1/admin/${path}`, { token: server.operator, ...(body === undefined ? {} : { body }) });
  const idOf = ({ body }: Answer): string => String(body['id']);
  const read = async (path: string, token: string): Promise<Answer> => {
    const headers = { 'x-log-position': String(await server.log.head()) };
    return server.call('GET', `/api/v1/${path}`, { token, headers });
  };
  const items = ({ body }: Answer): Body[] => body['items'] as Body[];
  const upload = async (
    ticket: string,
    bytes: Buffer,
    {
      name = 'a file',
      token = server.operator,
      headers = {},
    }: { name?: string; token?: string; headers?: object } = {},
  ): Promise<{ status: number; body: Body }> => {
    const path = `/api/v1/admin/tickets/${ticket}/assets?name=${encodeURIComponent(name)}`;
    const answer = await fetch(server.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'image/svg+xml', ...headers },
      body: new Uint8Array(bytes),
    });
    return { status: answer.status, body: (await answer.json()) as Body };
  };
  const keptFiles = async (): Promise<number> => {
    const folder = join(server.dataDir, 'assets');
    return (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;
  };
  const download = (asset: string, token: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${server.url}/api/v1/assets/${asset}/content`, {
      headers: { authorization: `Bearer ${token}`, ...headers },
    });

  async function place(name: string, writer: string): Promise<Place> {
    const company = idOf(await operate('POST', 'companies', { name }));
    const project = idOf(
      await operate('POST', 'projects', { company, name: `${name} rocket`, description: 'Fly me.' }),
    );
    const body = { project, title: `Engine of ${name}`, body: 'It leaks <b>fuel</b> when running.' };
    const ticket = idOf(await server.call('POST', '/api/v1/tickets', { token: writer, body }));
    await server.call('POST', `/api/v1/tickets/${ticket}/comments`, {
      token: writer,
      body: { body: `Leaks at ${name}, too` },
    });
    return { company, project, ticket };
  }

  beforeAll(async () => {
    server = await startServer();
    const { token: writer } = await createToken(server, { catalogue: 'toado', scopes: ['tickets:write'] });
    here = await place('Acme', writer);
    there = await place('Bolt', writer);
    everywhere = (await createToken(server, { catalogue: 'toado', scopes: ['read'] })).token;
    const restrict = { companies: [here.company], projects: [here.project] };
    pinned = (await createToken(server, { catalogue: 'toado', scopes: ['read'], restrict })).token;
  });
  afterAll(() => server.close());

  it('P1 come back as they were, whole or in part, and as nothing that runs', async () => {
    const uploaded = await upload(here.ticket, PNG, { name: 'screen “shot”.png' });
    expect(uploaded).toMatchObject({
      status: 201,
      body: { ticket: here.ticket, name: 'screen “shot”.png', media_type: 'image/png', length_bytes: PNG.length },
    });
    expect(uploaded.body['by']).toMatchObject({ text: 'Operator (operator) · via REST · just now' });
    const asset = String(uploaded.body['id']);
    expect(items(await read(`tickets/${here.ticket}/assets`, pinned))).toEqual([uploaded.body]);
    expect((await read(`assets/${asset}`, pinned)).body).toEqual(uploaded.body);

    const whole = await download(asset, pinned);
    expect(Buffer.from(await whole.arrayBuffer()).equals(PNG)).toBe(true);
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-disposition': expect.stringMatching(/^attachment;/),
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox'),
      'x-accepted-scopes': 'read',
    });
    const part = await download(asset, pinned, { range: 'bytes=1-3' });
    expect([part.status, await part.text()]).toEqual([206, 'PNG']);
    const known = await download(asset, pinned, { 'if-none-match': String(whole.headers.get('etag')) });
    expect(known.status).toBe(304);

    const requestId = whole.headers.get('x-request-id');
    const uses = (await server.events('usage-')).filter(({ data }) => (data as Body)['request_id'] === requestId);
    expect(uses.map(({ type, data }) => [type, (data as Body)['outcome'], (data as Body)['bytes']])).toEqual([
      ['TokenUsed', undefined, undefined],
      ['TokenUseEnded', 'complete', PNG.length],
    ]);
  });

  it('P12 are kept as what their bytes say, or not at all', async () => {
    const html = await upload(here.ticket, Buffer.from('<script>alert(1)</script>'), { name: 'page.html' });
    expect(html.body).toMatchObject({ media_type: 'text/plain; charset=utf-8' });
    await read(`assets/${String(html.body['id'])}`, pinned);
    const sent = await download(String(html.body['id']), pinned);
    expect(sent.headers.get('content-type')).toBe('text/plain; charset=utf-8');

    const before = (await server.events('asset-')).length;
    expect((await upload(here.ticket, Buffer.from('PK\x03\x04zip', 'latin1'))).status).toBe(415);
    expect((await upload(here.ticket, Buffer.alloc(0))).status).toBe(415);
    expect((await upload(NOWHERE, PNG)).status).toBe(404);
    expect((await upload(here.ticket, PNG, { name: 'two\nlines' })).status).toBe(422);
    expect((await upload(here.ticket, PNG, { token: everywhere })).status).toBe(403);
    expect(await server.events('asset-')).toHaveLength(before);
  });

  it('P5 a text that holds a token is not kept, wherever it stands', async () => {
    const token = formatToken('tok_', newTokenId(Date.now()), newSecret());
    for (const padding of [0, 65_500, 200_000]) {
      const leaking = await upload(here.ticket, Buffer.from(`${'word '.repeat(padding / 5)}${token} end`));
      expect(leaking).toMatchObject({ status: 422, body: { code: 'contains_secret' } });
    }
  });

  it('are uploaded once under a key, and the key is of these bytes', async () => {
    const headers = { 'idempotency-key': 'upload-once' };
    const once = await upload(here.ticket, PNG, { headers });
    expect((await upload(here.ticket, PNG, { headers })).body).toEqual(once.body);
    const before = await keptFiles();
    expect((await upload(here.ticket, PNG, { headers })).status).toBe(201);
    expect((await upload(here.ticket, Buffer.from('other bytes'), { headers })).status).toBe(422);
    expect(await keptFiles()).toBe(before);
  });

  it('P8 are seen, with what is said of them, by who sees their ticket', async () => {
    const asset = String((await upload(there.ticket, PNG)).body['id']);
    const point = await operate('POST', `assets/${asset}/annotations`, { x: 0.25, y: 1, text: 'Here it drips' });
    expect(point).toMatchObject({ status: 201, body: { asset, shape: { kind: 'point', x: 0.25, y: 1 } } });
    const box = await operate('POST', `assets/${asset}/annotations`, {
      x: 0.5,
      y: 0,
      width: 0.5,
      height: 0.1,
      text: 'All of it',
    });
    expect(items(await read(`assets/${asset}/annotations`, everywhere))).toEqual([box.body, point.body]);

    for (const path of [`tickets/${there.ticket}/assets`, `assets/${asset}`, `assets/${asset}/annotations`]) {
      expect([path, (await read(path, pinned)).status, (await read(path, everywhere)).status]).toEqual([
        path,
        404,
        200,
      ]);
    }
    expect((await download(asset, pinned)).status).toBe(404);
    for (const wrong of [
      { x: 1.1, y: 0 },
      { x: 0, y: 0, width: 0.5 },
      { x: 0.6, y: 0, width: 0.5, height: 0.5 },
    ]) {
      expect((await operate('POST', `assets/${asset}/annotations`, { ...wrong, text: 'no' })).status).toBe(422);
    }
  });

  it('P13 are removed for good, bytes and annotations too, by who operates', async () => {
    const [kept, removed] = [await upload(there.ticket, PNG), await upload(there.ticket, PNG)];
    const [twin, asset] = [String(kept.body['id']), String(removed.body['id'])];
    const annotate = async (text: string) =>
      idOf(await operate('POST', `assets/${asset}/annotations`, { x: 0, y: 0, text }));
    const [first, second] = [await annotate('first'), await annotate('second')];
    const bytesOf = async (id: string): Promise<boolean> => {
      const [event] = await server.events(`asset-${id}`);
      const { workspace, place } = event!.data as { readonly workspace: string; readonly place: string };
      return server.parts.assets.has(workspace, place);
    };

    const mark = `assets/${asset}/annotations/${first}`;
    for (const _ of ['once', 'twice']) {
      expect(await operate('DELETE', mark)).toMatchObject({ status: 200, body: { id: first, asset, removed: true } });
    }
    expect(items(await read(`assets/${asset}/annotations`, everywhere)).map(({ id }) => id)).toEqual([second]);
    expect((await operate('DELETE', `assets/${asset}/annotations/${NOWHERE}`)).status).toBe(404);
    expect((await operate('DELETE', `assets/${twin}/annotations/${second}`)).status).toBe(404);
    expect((await server.call('DELETE', `/api/v1/admin/assets/${asset}`, { token: everywhere })).status).toBe(403);

    const body = { id: asset, ticket: there.ticket, removed: true, bytes_deleted: true };
    for (const _ of ['once', 'twice']) {
      expect(await operate('DELETE', `assets/${asset}`)).toMatchObject({ status: 200, body });
    }
    for (const path of [`assets/${asset}`, `assets/${asset}/annotations`]) {
      expect([path, (await read(path, everywhere)).status]).toEqual([path, 404]);
    }
    expect((await download(asset, everywhere)).status).toBe(404);
    const listed = items(await read(`tickets/${there.ticket}/assets`, everywhere)).map(({ id }) => id);
    expect([listed.includes(asset), listed.includes(twin)]).toEqual([false, true]);
    expect((await operate('POST', `assets/${asset}/annotations`, { x: 0, y: 0, text: 'late' })).status).toBe(404);
    expect((await operate('DELETE', `assets/${asset}/annotations/${second}`)).status).toBe(404);
    expect((await operate('DELETE', `assets/${NOWHERE}`)).status).toBe(404);
    expect([await bytesOf(asset), await bytesOf(twin)]).toEqual([false, true]);
    expect(Buffer.from(await (await download(twin, everywhere)).arrayBuffer()).equals(PNG)).toBe(true);
    expect((await server.events(`asset-${asset}`)).map(({ type }) => type)).toEqual([
      'AssetUploaded',
      'AssetAnnotated',
      'AssetAnnotated',
      'AnnotationRemoved',
      'AssetRemoved',
    ]);
  });

  it('P8 a search finds and counts what the token can see', async () => {
    const search = async (query: string, token: string) =>
      (await read(`search?q=${encodeURIComponent(query)}`, token)).body;
    const kinds = (body: Body): unknown[] =>
      (body['items'] as Body[]).map(({ kind, company }) => [kind, company]).toSorted();
    const ofPlace = ({ company }: Place) => [
      ['comment', company],
      ['ticket', company],
    ];
    const all = await search('leaking', everywhere);
    expect(kinds(all)).toEqual([...ofPlace(here), ...ofPlace(there)].toSorted());
    expect(all['counts']).toEqual({ ticket: 2, comment: 2, project: 0 });
    const mine = await search('leaking', pinned);
    expect(kinds(mine)).toEqual(ofPlace(here));
    expect(mine['counts']).toEqual({ ticket: 1, comment: 1, project: 0 });
    expect((await search('"Acme rocket"', everywhere))['counts']).toEqual({ ticket: 0, comment: 0, project: 1 });
    expect((await search('leaks -fuel', pinned))['counts']).toEqual({ ticket: 0, comment: 1, project: 0 });
    expect((await search('the', pinned))['items']).toEqual([]);
    expect((await read('search?q=', pinned)).status).toBe(422);
  });

  it('shows where it was found as plain pieces, whatever the text looks like, page by page', async () => {
    const { body } = await read('search?q=fuel&kind=ticket&limit=1', everywhere);
    const [hit] = body['items'] as { readonly snippet: readonly { text: string; hit: boolean }[] }[];
    expect(hit?.snippet.filter((piece) => piece.hit)).toEqual([{ text: 'fuel', hit: true }]);
    expect(hit?.snippet.map(({ text }) => text).join('')).toMatch(/It leaks +fuel +when running/);
    const next = await read(`search?q=fuel&kind=ticket&limit=1&cursor=${String(body['next'])}`, everywhere);
    expect(items(next)).toHaveLength(1);
    expect(items(next)[0]).not.toEqual(hit);
    expect(next.body['next']).toBeNull();
  });
});
