import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { formatToken, newSecret, parseToken } from '../../libs/tokens/token-format.ts';
import { newTokenId } from '../../libs/tokens/token-id.ts';
import { startServer, type TestServer } from '../support/server.ts';

interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Headers exactly as given, repeated ones included, which fetch would join. */
function get(url: string, authorization: readonly string[]): Promise<RawAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const headers = ['Host', new URL(url).host, ...authorization.flatMap((value) => ['Authorization', value])];
  const sent = request(`${url}/api/v1/me`, { headers }, (response) => {
    let body = '';
    response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
  });
  sent.on('error', reject).end();
  return promise;
}

describe('credentials that are none', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());

  const idOf = (token: string): string => parseToken(token)?.id ?? '';
  const lastSwapped = (token: string): string => token.slice(0, -1) + (token.endsWith('a') ? 'b' : 'a');
  const WRONG: readonly (readonly [string, (token: string) => readonly string[]])[] = [
    ['none', () => []],
    ['an empty one', () => ['']],
    ['the scheme alone', () => ['Bearer']],
    ['the token without a scheme', (token) => [token]],
    ['Basic', (token) => [`Basic ${Buffer.from(`user:${token}`).toString('base64').slice(0, 100)}`]],
    ['the right one as Basic', (token) => [`Basic ${token}`]],
    ['a truncated one', (token) => [`Bearer ${token.slice(0, -1)}`]],
    ['half of one', (token) => [`Bearer ${token.slice(0, 40)}`]],
    ['a padded one', (token) => [`Bearer ${token}A`]],
    ['one padded with =', (token) => [`Bearer ${token}==`]],
    ['one in quotes', (token) => [`Bearer "${token}"`]],
    ['one and a word', (token) => [`Bearer ${token} x`]],
    ['a wrong checksum', (token) => [`Bearer ${lastSwapped(token)}`]],
    ['another prefix', (token) => [`Bearer ${token.replace('writ_', 'tok_')}`]],
    ['no prefix', (token) => [`Bearer ${token.replace('writ_', '')}`]],
    ['upper case', (token) => [`Bearer ${token.toUpperCase()}`]],
    ['lower case', (token) => [`Bearer ${token.toLowerCase()}`]],
    ['another prefix with its right checksum', (token) => [`Bearer ${reformatted('tok_', token)}`]],
    ['a known id with a wrong secret', (token) => [`Bearer ${formatToken('writ_', idOf(token), newSecret())}`]],
    ['an unknown id', () => [`Bearer ${formatToken('writ_', newTokenId(Date.now()), newSecret())}`]],
    ['two headers, the right one twice', (token) => [`Bearer ${token}`, `Bearer ${token}`]],
    ['two headers, the right one first', (token) => [`Bearer ${token}`, 'Bearer x']],
    ['two headers, the right one last', (token) => ['Bearer x', `Bearer ${token}`]],
    ['two in one header', (token) => [`Bearer ${token}, Bearer ${token}`.slice(0, 130)]],
  ];

  it('the right one is let in, however its scheme is written (RFC 9110 §11.1)', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      expect((await get(server.url, [`${scheme} ${server.operator}`])).status).toBe(200);
    }
  });

  it.each(WRONG)('P12 %s: 401, and how to authenticate', async (_, authorization) => {
    const { status, headers, body } = await get(server.url, authorization(server.operator));
    expect({ status, ask: headers['www-authenticate'], type: headers['content-type'] }).toEqual({
      status: 401,
      ask: 'Bearer',
      type: 'application/problem+json',
    });
    // Nothing tells a wrong secret from an unknown id.
    expect(JSON.parse(body)).toEqual({
      type: 'urn:writ:problem:unauthorized',
      title: 'Unauthorized',
      status: 401,
      code: 'unauthorized',
      detail: 'A live token is needed: Authorization: Bearer …',
    });
  });

  it('P11 an over-long one: 431, not even read', async () => {
    const { status, headers, body } = await get(server.url, [`Bearer ${server.operator}${'A'.repeat(4_000)}`]);
    expect(status).toBe(431);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ status: 431, code: 'unauthorized' });
  });

  it('P11 two hundred of them: one count in the log, and nothing else', async () => {
    await server.parts.denials.flush();
    const before = await server.events();
    for (let call = 0; call < 200; call++) {
      const [, authorization] = WRONG[call % WRONG.length]!;
      await get(server.url, authorization(server.operator));
    }
    expect(await server.events()).toHaveLength(before.length);
    await server.parts.denials.flush();
    const added = (await server.events()).slice(before.length);
    // Two, should the timer have written in between.
    expect(added.length).toBeLessThanOrEqual(2);
    expect(added.every(({ stream }) => stream.startsWith('denials-'))).toBe(true);
    const counts = added.map(({ data }) => data as { readonly token: null; readonly count: number });
    expect(counts.every(({ token }) => token === null)).toBe(true);
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(200);
  });
});

/** The same id and secret under another prefix, whole again: only the digest gives it away. */
const reformatted = (prefix: string, token: string): string =>
  formatToken(prefix, parseToken(token)?.id ?? '', token.slice(-38, -6));
