import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readOperatorToken } from '../../libs/founding/operator-token-file.ts';
import { type OtlpCollector, startOtlpCollector } from '../doubles/siem/otlp-collector.ts';
import { startSyslogServer, type SyslogServer } from '../doubles/siem/syslog-server.ts';
import { writ } from '../support/cli.ts';
import { startServerProcess } from '../support/server-process.ts';
import { startServer } from '../support/server.ts';

jest.setTimeout(240_000);

describe('the server pushes its history to a SIEM', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-siem-'));
  let collector: OtlpCollector;
  let syslog: SyslogServer;
  beforeAll(async () => {
    [collector, syslog] = await Promise.all([startOtlpCollector(), startSyslogServer()]);
  });
  afterAll(async () => {
    await Promise.all([collector.close(), syslog.close()]);
    rmSync(dataDir, { recursive: true });
  });

  it('P1 killed at any moment, it loses no use on the way; none of it holds a secret', async () => {
    const env = {
      DATA_DIR: dataDir,
      SIEM_OTLP_URL: collector.url,
      SIEM_SYSLOG_URL: `syslog+tcp://127.0.0.1:${syslog.port}`,
    };
    const requests: string[] = [];
    let operator = '';
    for (let round = 0; round < 2; round++) {
      const server = await startServerProcess(env);
      operator = readOperatorToken(dataDir) ?? '';
      for (let call = 0; call < 40; call++) {
        const answer = await fetch(`${server.url}/api/v1/me`, { headers: { authorization: `Bearer ${operator}` } });
        requests.push(answer.headers.get('x-request-id') ?? '');
      }
      await sleep(round * 150);
      server.child.kill('SIGKILL');
      await once(server.child, 'exit');
    }
    const last = await startServerProcess(env);
    const pushed = (text: string): Set<string> =>
      new Set(text.match(/"request_id":"[^"]+"/g)?.map((one) => one.slice(14, -1)));
    const byOtlp = () => pushed(collector.records.map(({ body }) => body.stringValue).join());
    const bySyslog = () => pushed(syslog.messages.map(({ text }) => text).join());
    const deadline = Date.now() + 60_000;
    while (Date.now() < deadline && !requests.every((id) => byOtlp().has(id) && bySyslog().has(id))) await sleep(50);
    await last.stop();
    expect(requests.filter((id) => !byOtlp().has(id))).toEqual([]);
    expect(requests.filter((id) => !bySyslog().has(id))).toEqual([]);
    const all = JSON.stringify([collector.records, syslog.messages]);
    expect(all).not.toContain(operator.slice(-38, -6));
  });

  it('tells operators how far it is, and what stands still', async () => {
    collector.behaviour = { status: 401 };
    const folder = join(dataDir, 'nowhere');
    const server = await startServer({
      siem: [{ kind: 'otlp', url: collector.url, headers: { authorization: 'Bearer hidden-secret' } }],
      scheduledExport: { folder, every: '@daily', format: 'csv' },
    });
    expect(await server.parts.outlets.scheduledExport?.status()).toMatchObject({ folder, up_to: 0, begun: null });
    const run = () =>
      writ(['audit', 'outlets'], { WRIT_URL: server.url, WRIT_TOKEN: server.operator, DATA_DIR: dataDir });
    let shown = await run();
    const deadline = Date.now() + 60_000;
    while (Date.now() < deadline && !shown.out.includes('STANDS STILL')) {
      await sleep(50);
      shown = await run();
    }
    expect(shown.out).toMatch(/^push otlp-127\.0\.0\.1:\d+: up to position none of \d+;/m);
    expect(shown.out).toMatch(/STANDS STILL: the receiver answered 401/);
    expect(shown.out).toMatch(/^folder .*nowhere: csv, @daily, the first 0 leaves are there, next at 20/m);
    expect(server.logged.join()).toMatch(/the history is not pushed/);
    expect(server.logged.join() + shown.out).not.toContain('hidden-secret');
    // The gate answers meanwhile.
    expect(await server.call('GET', '/api/v1/me', { token: server.operator })).toMatchObject({ status: 200 });
    await server.close();
  });
});
