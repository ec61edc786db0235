import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { end, type Load, load, median, startBare } from './child.ts';

const ROUNDS = 3;
const CONNECTIONS = 50;
const WARM_SECONDS = 2;
const SECONDS = 6;
const REVOCATIONS = 30;
const PLENTY = 1_000_000;

export interface Token {
  readonly id: string;
  readonly token: string;
}

export interface CallFigures {
  readonly http: Load;
  readonly nest: Load;
  readonly full: Load;
}

export interface RevocationFigures {
  readonly revokeMs: number;
  readonly first401Ms: number;
  readonly slowest401Ms: number;
  readonly passedAfter: number;
}

/**
 * The same answer from bare node:http, bare Nest and the whole server. One alive at a time, each started anew for each
 * round, the order turned from round to round.
 */
export async function measureCalls(): Promise<CallFigures> {
  const body = await withServer(async ({ url }, token) => {
    const response = await fetch(`${url}/api/v1/me`, { headers: { authorization: `Bearer ${token.token}` } });
    return response.text();
  });
  const bare = (name: string) => async (): Promise<Load> => {
    const server = await startBare(`test/bench/servers/${name}.ts`, body);
    try {
      return await warmedLoad(server.url);
    } finally {
      await end(server);
    }
  };
  const candidates = {
    http: bare('bare-http'),
    nest: bare('bare-nest'),
    full: () => withServer(({ url }, { token }) => warmedLoad(url, token)),
  };
  const names = ['http', 'nest', 'full'] as const;
  const loads: Record<(typeof names)[number], Load[]> = { http: [], nest: [], full: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round) % names.length] ?? 'http';
      loads[name].push(await candidates[name]());
    }
  }
  return { http: middle(loads.http), nest: middle(loads.nest), full: middle(loads.full) };
}

/** From the answer of a revocation to the first 401, asked for at once. */
export function measureRevocations(): Promise<RevocationFigures> {
  return withServer(async ({ url }, _token, operator) => {
    const revokes: number[] = [];
    const firsts: number[] = [];
    let passedAfter = 0;
    for (let count = 0; count < REVOCATIONS; count++) {
      const { id, token } = await createToken(url, operator);
      const headers = { authorization: `Bearer ${token}` };
      await (await fetch(`${url}/api/v1/me`, { headers })).text();
      const askedMs = performance.now();
      const revoked = await fetch(`${url}/api/v1/tokens/${id}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${operator}` },
      });
      const answeredMs = performance.now();
      if (!revoked.ok) throw new Error(`a revocation was answered ${revoked.status}`);
      await revoked.text();
      for (let status = 0; status !== 401;) {
        const response = await fetch(`${url}/api/v1/me`, { headers });
        status = response.status;
        if (status !== 401) passedAfter++;
        await response.text();
      }
      firsts.push(performance.now() - answeredMs);
      revokes.push(answeredMs - askedMs);
    }
    return {
      revokeMs: median(revokes),
      first401Ms: median(firsts),
      slowest401Ms: Math.max(...firsts),
      passedAfter,
    };
  });
}

/** A product token with limits no load reaches. */
export async function createToken(url: string, operator: string): Promise<Token> {
  const limits = { reads: { per_minute: PLENTY }, writes: { per_minute: PLENTY } };
  const response = await fetch(`${url}/api/v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json' },
    body: JSON.stringify({ catalogue: 'comma', name: 'bench', scopes: ['reports:read'], limits }),
  });
  if (response.status !== 201) throw new Error(`no token was created: ${await response.text()}`);
  return (await response.json()) as Token;
}

export const readOperator = (dataDir: string): string => readFileSync(join(dataDir, 'operator-token'), 'utf8').trim();

async function withServer<T>(use: (server: ServerProcess, token: Token, operator: string) => Promise<T>): Promise<T> {
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-bench-'));
  const server = await startServerProcess({ DATA_DIR: dataDir });
  try {
    const operator = readOperator(dataDir);
    return await use(server, await createToken(server.url, operator), operator);
  } finally {
    await end(server);
    rmSync(dataDir, { recursive: true });
  }
}

async function warmedLoad(url: string, token?: string): Promise<Load> {
  await load(`${url}/api/v1/me`, WARM_SECONDS, CONNECTIONS, token);
  return load(`${url}/api/v1/me`, SECONDS, CONNECTIONS, token);
}

const middle = (loads: readonly Load[]): Load => ({
  perSecond: median(loads.map(({ perSecond }) => perSecond)),
  p50Ms: median(loads.map(({ p50Ms }) => p50Ms)),
  p99Ms: median(loads.map(({ p99Ms }) => p99Ms)),
});
