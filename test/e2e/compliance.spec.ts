import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { expectFollowed } from '../support/followed-document.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';

jest.setTimeout(240_000);

describe('the questions of docs/compliance.md', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-compliance-'));
  const env: Record<string, string> = { DATA_DIR: dataDir };
  let server: ServerProcess;

  const call = async (token: string, method: string, path: string, body?: object): Promise<Record<string, string>> => {
    const answer = await fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    return (await answer.json()) as Record<string, string>;
  };
  const given = (answer: Record<string, string>, field: string): string => {
    expect(answer).toHaveProperty(field);
    return answer[field]!;
  };

  beforeAll(async () => {
    server = await startServerProcess({ DATA_DIR: dataDir });
    const operator = readFileSync(join(dataDir, 'operator-token'), 'utf8').trim();
    const create = (body: object) => call(operator, 'POST', '/api/v1/tokens', body);
    const auditor = await create({ catalogue: 'writ', name: 'auditor', scopes: ['audit:read', 'tokens:read'] });
    const scopes = ['reports:write', 'comments:write'];
    const agent = await create({ catalogue: 'comma', name: 'nightly', scopes });
    const token = given(agent, 'token');
    const day = new Date().toISOString();
    const report = await call(token, 'POST', '/api/v1/reports', { title: 'Week 48' });
    const path = `/api/v1/reports/${given(report, 'id')}/comments`;
    const comment = await call(token, 'POST', path, { body: 'All is well.' });
    expect(await call(token, 'GET', '/api/v1/tokens')).toMatchObject({ status: 403 });
    const why = new URLSearchParams({ reason: 'leak', note: 'found in a gist' });
    await call(operator, 'DELETE', `/api/v1/tokens/${given(agent, 'id')}?${why}`);
    Object.assign(env, { WRIT_URL: server.url, WRIT_TOKEN: auditor['token'], TOKEN: agent['id'], DAY: day });
    Object.assign(env, { COMMENT: given(comment, 'id') });
    // The document's reader comes later: the read models know by then.
    const trail = `/api/v1/audit?token=${agent['id']}&kind=change&limit=1`;
    for (;;) {
      const { items } = (await call(env['WRIT_TOKEN']!, 'GET', trail)) as unknown as { items?: { type: string }[] };
      if (items?.[0]?.type === 'TokenRevoked') break;
      await sleep(200);
    }
  });
  afterAll(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true });
  });

  it('P1 P9 P10 are answered word for word', () => {
    const main = join(process.cwd(), 'dist/apps/cli/main.js');
    // In a folder of its own, since it writes files there.
    const before = `writ() { '${process.execPath}' '${main}' "$@" 2> /dev/null; }; cd '${dataDir}'`;
    expectFollowed('docs/compliance.md', 'questions', { env, before });
  });
});
