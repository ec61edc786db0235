import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useOf } from '../../libs/usage/use.ts';
import { createToken, startServer, type TestServer } from '../support/server.ts';

const LIMIT = 10;
const FLOOD = 100 * LIMIT;
/** Refusals of one reason that are recorded singly, a token and minute (P1). */
const SINGLE_REFUSALS = 20;
const NEIGHBOURS = 5;
const CALLS_A_NEIGHBOUR = 40;
const AT_ONCE = 25;

describe('a token at a hundred times its limit', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());

  const mint = (perMinute: number) => {
    const limits = { reads: { per_minute: perMinute } };
    return createToken(server, { catalogue: 'toado', scopes: ['read'], limits });
  };
  const read = async (token: string): Promise<number> =>
    (await server.call('GET', '/api/v1/tickets', { token })).status;
  const times = async (count: number, token: string): Promise<number[]> => {
    const statuses: number[] = [];
    while (statuses.length < count) {
      const some = Math.min(AT_ONCE, count - statuses.length);
      statuses.push(...(await Promise.all(Array.from({ length: some }, () => read(token)))));
    }
    return statuses;
  };

  it('P11 leaves its neighbours theirs, and the log as small as it was', async () => {
    const noisy = await mint(LIMIT);
    const neighbours = await Promise.all(Array.from({ length: NEIGHBOURS }, () => mint(CALLS_A_NEIGHBOUR)));
    const startedMs = Date.now();
    const [flood, ...served] = await Promise.all([
      times(FLOOD, noisy.token),
      ...neighbours.map(({ token }) => times(CALLS_A_NEIGHBOUR, token)),
    ]);
    const minutes = 1 + Math.ceil((Date.now() - startedMs) / 60_000);

    for (const statuses of served) expect(new Set(statuses)).toEqual(new Set([200]));
    const allowed = flood.filter((status) => status === 200).length;
    expect(allowed).toBeGreaterThan(0);
    expect(allowed).toBeLessThanOrEqual(LIMIT * minutes);
    expect(flood.filter((status) => status === 429)).toHaveLength(FLOOD - allowed);

    const uses = (await server.events()).flatMap((event) => useOf(event) ?? []);
    const ofNoisy = uses.filter(({ token }) => token === noisy.id);
    expect(ofNoisy.filter(({ decision }) => decision === 'allowed')).toHaveLength(allowed);
    const refused = ofNoisy.filter(({ decision }) => decision === 'refused');
    expect(refused.length).toBeGreaterThanOrEqual(SINGLE_REFUSALS);
    expect(refused.length).toBeLessThanOrEqual(SINGLE_REFUSALS * minutes);
    const kept = uses.filter(({ token }) => neighbours.some(({ id }) => id === token));
    expect(kept).toHaveLength(NEIGHBOURS * CALLS_A_NEIGHBOUR);
  });
});
