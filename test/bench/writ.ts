import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServerProcess } from '../support/server-process.ts';
import { end, type Listening } from './child.ts';

export interface Token {
  readonly id: string;
  readonly token: string;
}

const PLENTY = 1_000_000;
/** A benchmark waits for a busy machine; it does not fail. */
const LONGEST_START_MS = 120_000;

/** The whole server on a log of its own, a product token, and the operator's; all gone afterwards. */
export async function withWrit<T>(
  use: (server: Listening, token: Token, operator: string) => Promise<T>,
  env: Readonly<Record<string, string>> = {},
  start: (env: Readonly<Record<string, string>>) => Promise<Listening> = startBuilt,
): Promise<T> {
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-bench-'));
  try {
    const server = await start({ DATA_DIR: dataDir, ...env });
    try {
      const operator = readOperator(dataDir);
      return await use(server, await createToken(server.url, operator), operator);
    } finally {
      await end(server);
    }
  } finally {
    rmSync(dataDir, { recursive: true });
  }
}

const startBuilt = (env: Readonly<Record<string, string>>): Promise<Listening> =>
  startServerProcess(env, LONGEST_START_MS);

/** A product token with limits no load reaches. */
export async function createToken(
  url: string,
  operator: string,
  scopes = ['reports:read'],
  readsPerMinute = PLENTY,
): Promise<Token> {
  const limits = { reads: { per_minute: readsPerMinute }, writes: { per_minute: PLENTY } };
  const response = await fetch(`${url}/api/v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json' },
    body: JSON.stringify({ catalogue: 'comma', name: 'bench', scopes, limits }),
  });
  if (response.status !== 201) throw new Error(`no token was created: ${await response.text()}`);
  return (await response.json()) as Token;
}

export const readOperator = (dataDir: string): string => readFileSync(join(dataDir, 'operator-token'), 'utf8').trim();
