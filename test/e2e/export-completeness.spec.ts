import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readOperatorToken } from '../../libs/founding/operator-token-file.ts';
import { parseEventLine, type ShownEvent } from '../../libs/proof/export-lines.ts';
import type { Verdict } from '../../libs/proof/verify-export.ts';
import { writ } from '../support/cli.ts';
import { type Body, createToken, startServer, type TestServer } from '../support/server.ts';
import { startServerProcess } from '../support/server-process.ts';
import { makeProject } from '../support/toado.ts';
import { verifyText } from '../support/verified-export.ts';

jest.setTimeout(180_000);

type Shown = ShownEvent<Buffer>;

interface Stored {
  readonly stream: string;
  readonly type: string;
  readonly metadata: { readonly counted_in?: { readonly journal: string } };
}

describe('an export of one token, of a server that was killed, ended, and started again', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-completeness-'));
  let server: TestServer;
  let agent: { readonly id: string; readonly token: string };
  let keys: readonly string[];

  const get = async (path: string): Promise<string> =>
    await (await fetch(server.url + path, { headers: { authorization: `Bearer ${server.operator}` } })).text();
  const exported = (): Promise<string> => get(`/api/v1/audit/export?token=${agent.id}`);
  const verify = (text: string): Verdict => verifyText(text, keys);
  const eventIn = (line: string): Shown | null => parseEventLine(Buffer.from(line));
  const stored = ({ event }: Shown): Stored => JSON.parse(event.toString()) as Stored;
  /** The events shown that calls wrote. */
  const written = (text: string): readonly Shown[] =>
    text
      .split('\n')
      .flatMap((line) => eventIn(line) ?? [])
      .filter((shown) => stored(shown).metadata.counted_in !== undefined);

  /** Left out as an exporter would do it: its hash stands among the hidden ones, and the end is mended. */
  function without(text: string, leaves: readonly number[]): string {
    const lines = text.split('\n').slice(0, -2);
    const body = lines.map((line) => {
      const shown = eventIn(line);
      if (shown === null || !leaves.includes(shown.leaf)) return line;
      return JSON.stringify({ kind: 'hidden', from: shown.leaf, to: shown.leaf + 1, hashes: [shown.hash] });
    });
    const before = body.map((line) => `${line}\n`).join('');
    const events = body.filter((line) => eventIn(line) !== null).length;
    const sha256 = createHash('sha256').update(before).digest('hex');
    return `${before}${JSON.stringify({ kind: 'end', events, sha256 })}\n`;
  }

  beforeAll(async () => {
    const killed = await startServerProcess({ DATA_DIR: dataDir });
    const operator = readOperatorToken(dataDir)!;
    const call = async (method: string, path: string, token: string, body?: object, key?: string) => {
      const headers = {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        ...(key && { 'idempotency-key': key }),
      };
      const answer = await fetch(killed.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
      return { status: answer.status, body: (await answer.json()) as Body };
    };
    const scopes = ['reports:read', 'reports:write'];
    const made = await call('POST', '/api/v1/tokens', operator, { catalogue: 'comma', name: 'agent', scopes });
    agent = { id: String(made.body['id']), token: String(made.body['token']) };
    const report = await call('POST', '/api/v1/reports', agent.token, { title: 'Before it was killed' });
    const path = `/api/v1/reports/${report.body['id']}`;
    // Twice under one key, at once.
    const change = { title: 'Changed' };
    const changes = [1, 2].map(() => call('PATCH', path, agent.token, change, 'k'));
    expect((await Promise.all(changes)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await call('PATCH', '/api/v1/reports/01ARZ3NDEKTSV4RRFFQ69G5FAV', agent.token, change)).status).toBe(404);
    killed.child.kill('SIGKILL');
    await once(killed.child, 'exit');

    server = await startServer({ dataDir });
    await server.call('POST', '/api/v1/reports', { token: agent.token, body: { title: 'After it' } });
    await server.call('POST', `/api/v1/tokens/${agent.id}/suspend`, { token: server.operator });
    await server.call('POST', `/api/v1/tokens/${agent.id}/resume`, { token: server.operator });
    keys = (JSON.parse(await get('/api/v1/audit/keys')) as { keys: readonly string[] }).keys;
  });
  afterAll(async () => {
    await server.close();
    rmSync(dataDir, { recursive: true });
  });

  it('P9 proves itself, and owns to what is not tallied yet', async () => {
    let verdict = verify(await exported());
    // What was killed is tallied in the background.
    for (let tries = 0; tries < 100 && (verdict.untallied?.events ?? 0) > 3; tries++) {
      await sleep(100);
      verdict = verify(await exported());
    }
    expect(verdict).toMatchObject({ findings: [], completeness: 'proved' });
    expect(verdict.untallied).toEqual({ events: 3, openJournals: 1, since: expect.any(String) });
    expect(verdict.hidden).toBeGreaterThan(0);
  });

  it('P9 any one event that a call wrote is missed when it is left out, and its journal named', async () => {
    await server.close();
    server = await startServer({ dataDir });
    const text = await exported();
    expect(verify(text)).toMatchObject({ findings: [], completeness: 'proved', untallied: { events: 0 } });
    const events = written(text);
    expect(events.map((shown) => stored(shown).type)).toEqual([
      'TokenCreated',
      'ReportCreated',
      'ReportUpdated',
      'ReportCreated',
      'TokenSuspended',
      'TokenResumed',
    ]);
    expect(new Set(events.map((shown) => stored(shown).metadata.counted_in!.journal)).size).toBe(2);
    for (const shown of events) {
      const { journal } = stored(shown).metadata.counted_in!;
      const reason = expect.stringMatching(
        /^it tallied \d events that calls wrote up to its revision \d+; \d are shown$/,
      );
      expect(verify(without(text, [shown.leaf])).findings).toEqual([{ kind: 'incomplete', journal, reason }]);
    }
  });

  it('P9 the command line names it too, and says of the unaltered one what it does not reach', async () => {
    const text = await exported();
    const [file, key] = [join(dataDir, 'agent.jsonl'), join(dataDir, 'writ.pub')];
    writeFileSync(key, keys.join('\n'));
    writeFileSync(file, text);
    const sound = await writ(['audit', 'verify', file, '--key', key], {});
    expect(sound).toMatchObject({ exit: 0, err: '' });
    expect(sound.out).toMatch(/^Proved: .*complete up to there\.\nNot tallied yet: .* since 20\S+\./);
    const [, report] = written(text);
    writeFileSync(file, without(text, [report!.leaf]));
    const forged = await writ(['audit', 'verify', file, '--key', key], {});
    expect(forged.exit).toBe(1);
    expect(forged.out).toMatch(/NOT PROVED.*\nusage-\S+: it tallied 3 events that calls wrote .*; 2 are shown/);
  });

  it('P9 each ticket of a bulk call is an event of its own', async () => {
    const { project, columns } = await makeProject(server);
    const mover = await createToken(server, { catalogue: 'toado', scopes: ['tickets:write'] });
    const tickets: unknown[] = [];
    for (const title of ['one', 'two', 'three']) {
      const made = await server.call('POST', '/api/v1/tickets', { token: mover.token, body: { project, title } });
      tickets.push(made.body['id']);
    }
    const body = { tickets, project, column: columns.at(-1) };
    const moved = await server.call('POST', '/api/v1/tickets/bulk-move', { token: mover.token, body });
    expect(moved.body['done']).toBe(3);
    await server.close();
    server = await startServer({ dataDir });
    const text = await get(`/api/v1/audit/export?token=${mover.id}`);
    expect(verify(text)).toMatchObject({ findings: [], untallied: { events: 0 } });
    const moves = written(text).filter((shown) => stored(shown).type === 'TicketMoved');
    expect(moves).toHaveLength(3);
    for (const { leaf } of moves) expect(verify(without(text, [leaf])).findings).toHaveLength(1);
  });
});
