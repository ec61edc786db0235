import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import {
  attributeOf,
  type Behaviour,
  type OtlpCollector,
  startOtlpCollector,
} from '../../test/doubles/siem/otlp-collector.ts';
import { startSyslogServer, type SyslogServer } from '../../test/doubles/siem/syslog-server.ts';
import { type EventLog, LogUnavailable } from '../event-log/event-log.ts';
import { PUSHES_PREFIX } from './events.ts';
import { OtlpReceiver } from './otlp-receiver.ts';
import { Push, type PushOptions } from './push.ts';
import type { Receiver } from './receiver.ts';
import { SyslogReceiver } from './syslog-receiver.ts';

jest.setTimeout(120_000);

const METADATA = { $correlationId: 'r', $causationId: 'r', schema: 1 };
const NEVER_MS = 3_600_000;

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it has not come about');
    await sleep(5);
  }
}

/** Uses, one append each; answers their ids. */
async function use(log: EventLog, count: number, more: Readonly<Record<string, unknown>> = {}): Promise<string[]> {
  const ids: string[] = [];
  for (let each = 0; each < count; each++) {
    const id = randomUUID();
    const data = { token: 't1', operation: 'get_report', decision: 'allowed', status: 200, ...more };
    await log.append('usage-1', 'any', [{ id, type: 'TokenUsed', data, metadata: METADATA }]);
    ids.push(id);
  }
  return ids;
}

/** What a process that is killed can still do to the log: nothing. */
function killable(log: EventLog): { readonly log: EventLog; kill(): void } {
  let killed = false;
  const append: EventLog['append'] = (...append) =>
    killed ? Promise.reject(new LogUnavailable('killed')) : log.append(...append);
  return {
    log: new Proxy(log, {
      get: (target, name) => {
        if (name === 'append') return append;
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    }),
    kill: () => (killed = true),
  };
}

const checkpoints = async (log: EventLog): Promise<number> =>
  (await Array.fromAsync(log.readAll({ streamPrefixes: [PUSHES_PREFIX] }))).length;

describe('a push to a SIEM', () => {
  let log: MemoryEventLog;
  let faults: string[];
  let pushes: Push[];
  const start = (receiver: Receiver, options: Partial<PushOptions> = {}): Push => {
    const onFault = ({ message }: Error): number => faults.push(message);
    const push = new Push({
      name: 'siem',
      receiver,
      log,
      alone: true,
      onFault,
      checkpointMs: 20,
      backOffMs: 10,
      ...options,
    });
    pushes.push(push.start());
    return push;
  };

  beforeEach(() => {
    log = new MemoryEventLog();
    faults = [];
    pushes = [];
  });
  afterEach(async () => {
    await Promise.all(pushes.map((push) => push.stop()));
    await log.close();
  });

  describe('as OpenTelemetry logs', () => {
    let collector: OtlpCollector;
    const receiver = (headers: Readonly<Record<string, string>> = {}): Receiver =>
      new OtlpReceiver({ url: collector.url, headers, logId: 'log-1' });
    beforeEach(async () => {
      collector = await startOtlpCollector();
    });
    afterEach(() => collector.close());

    it('sends the whole history, then what comes, each with who and what', async () => {
      const before = await use(log, 600);
      const push = start(receiver({ authorization: 'Bearer abc' }));
      await until(() => collector.ids.length === 600);
      const refused = await use(log, 1, { decision: 'refused', reason: 'throttled', status: 429 });
      await until(() => collector.ids.length === 601);
      expect(collector.ids).toEqual([...before, ...refused]);
      expect(collector.headers[0]).toMatchObject({ authorization: 'Bearer abc', 'content-type': 'application/json' });
      const record = collector.records.at(-1)!;
      expect(record).toMatchObject({ severityNumber: 13, eventName: 'writ.TokenUsed' });
      expect(record.timeUnixNano).toMatch(/^\d{19}$/);
      expect(attributeOf(record, 'writ.token')).toBe('t1');
      expect(attributeOf(record, 'writ.status')).toBe('429');
      expect(JSON.parse(record.body.stringValue)).toMatchObject({ reason: 'throttled' });
      await until(async () => (await push.status()).sent === 601 && (await push.status()).up_to !== null);
      expect(await push.status()).toMatchObject({ leading: true, rejected: 0, fault: null });
    });

    it('what it keeps of itself in the log makes no more of it', async () => {
      await use(log, 3);
      start(receiver());
      await until(async () => (await checkpoints(log)) === 2);
      await sleep(200);
      expect(await checkpoints(log)).toBe(2);
      expect(collector.ids).toHaveLength(3);
      // Nor does what signing and exporting keep: it is pushed, and the log comes to rest.
      const signed = { id: randomUUID(), type: 'CheckpointPublished', data: {}, metadata: METADATA };
      await log.append('checkpoints', 'any', [signed]);
      await until(() => collector.ids.length === 4);
      await sleep(200);
      expect(await checkpoints(log)).toBe(2);
    });

    it('goes on when the receiver is back, and after a restart where it stopped', async () => {
      const sent = await use(log, 10);
      const first = start(receiver());
      await until(() => collector.ids.length === 10);
      const port = Number(new URL(collector.url).port);
      const stored = collector.ids;
      await collector.close();
      sent.push(...(await use(log, 10)));
      await until(async () => (await first.status()).fault !== null);
      expect(faults[0]).toMatch(/no answer from the receiver/);
      collector = await startOtlpCollector(port);
      await until(async () => collector.ids.length === 10 && (await first.status()).fault === null);
      expect([...stored, ...collector.ids]).toEqual(sent);

      await first.stop();
      sent.push(...(await use(log, 5)));
      start(receiver());
      // Stopped before it heard the answer to its last batch, it sends that again.
      await until(() => new Set(collector.ids).size === 15);
      expect([...new Set([...stored, ...collector.ids])]).toEqual(sent);
    });

    it.each<[Behaviour, RegExp]>([
      ['half-answer', /no answer/],
      [{ status: 503, retryAfter: '1' }, /answered 503/],
      [{ status: 401 }, /answered 401/],
    ])('does not take %j for taken', async (behaviour, told) => {
      collector.behaviour = behaviour;
      const sent = await use(log, 5);
      const push = start(receiver());
      await until(() => faults.length > 0);
      expect(faults[0]).toMatch(told);
      expect((await push.status()).up_to).toBeNull();
      collector.behaviour = 'well';
      await until(async () => (await push.status()).up_to !== null);
      expect(collector.ids.slice(-5)).toEqual(sent);
    });

    it('sends less at a time to who takes less, and counts what is thrown away', async () => {
      collector.behaviour = { mostRecords: 7 };
      const sent = await use(log, 100);
      const push = start(receiver());
      await until(() => collector.ids.length === 100);
      expect(collector.ids).toEqual(sent);
      collector.behaviour = { rejects: 1 };
      await use(log, 1);
      await until(async () => (await push.status()).rejected === 1);
      expect(faults).toEqual(['the receiver threw 1 of 1 records away']);
    });

    it('killed between sending and checkpoint, it repeats, and loses nothing', async () => {
      const sent = await use(log, 20);
      const first = killable(log);
      const killed = start(receiver(), { log: first.log, checkpointMs: NEVER_MS });
      await until(() => collector.ids.length === 20);
      first.kill();
      await killed.stop();
      expect((await killed.status()).up_to).toBeNull();
      sent.push(...(await use(log, 5)));
      start(receiver());
      await until(() => new Set(collector.ids).size === 25);
      expect(collector.ids).toEqual([...sent.slice(0, 20), ...sent]);
    });

    it('whatever fails in whatever order, every event arrives, the first time in order', async () => {
      const step = fc.oneof(
        fc.record({ kind: fc.constant('use' as const), count: fc.integer({ min: 1, max: 300 }) }),
        fc.constant({ kind: 'kill' as const }),
        fc.constant({ kind: 'restart' as const }),
        fc.record({
          kind: fc.constant('behave' as const),
          as: fc.constantFrom<Behaviour>('well', 'half-answer', { status: 503 }, { mostRecords: 50 }),
        }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
          const own = new MemoryEventLog();
          collector.behaviour = 'well';
          const sent = await use(own, 1);
          // A request that was broken off may still arrive, in a later run even.
          const arrived = (): ReadonlySet<string> => new Set(collector.ids.filter((id) => sent.includes(id)));
          const begin = () => {
            const process = killable(own);
            return { process, push: start(receiver(), { log: process.log, checkpointMs: 1, backOffMs: 1 }) };
          };
          let running = begin();
          for (const each of steps) {
            switch (each.kind) {
              case 'use':
                sent.push(...(await use(own, each.count)));
                break;
              case 'behave':
                collector.behaviour = each.as;
                break;
              case 'kill':
                running.process.kill();
                await running.push.stop();
                running = begin();
                break;
              case 'restart':
                await running.push.stop();
                running = begin();
                break;
            }
          }
          collector.behaviour = 'well';
          await until(() => arrived().size === sent.length);
          await running.push.stop();
          expect([...arrived()]).toEqual(sent);
        }),
        { numRuns: 25 },
      );
    });

    it('of two processes one pushes; where it dies, the other goes on', async () => {
      const sent = await use(log, 5);
      const first = killable(log);
      const leader = start(receiver(), { log: first.log, alone: false, patienceMs: 100 });
      await until(async () => (await leader.status()).up_to !== null);
      const other = start(receiver(), { alone: false, patienceMs: 100 });
      sent.push(...(await use(log, 5)));
      await until(() => collector.ids.length === 10);
      await sleep(300);
      expect(await other.status()).toMatchObject({ leading: false, sent: 0 });

      first.kill();
      await leader.stop();
      sent.push(...(await use(log, 5)));
      await until(() => new Set(collector.ids).size === 15);
      expect([...new Set(collector.ids)]).toEqual(sent);
      expect(await other.status()).toMatchObject({ leading: true });
    });
  });

  describe('as syslog', () => {
    let server: SyslogServer;
    const receiver = (): Receiver => new SyslogReceiver({ host: '127.0.0.1', port: server.port, tls: null });
    const ids = (): string[] => server.messages.map(({ text }) => (JSON.parse(text) as { id: string }).id);
    afterEach(() => server.close());

    it('sends messages of RFC 5424, each framed by its length', async () => {
      server = await startSyslogServer();
      const sent = await use(log, 600);
      start(receiver());
      await until(() => server.messages.length === 600);
      sent.push(...(await use(log, 1, { decision: 'refused', client_name: 'Ünïcode ✓' })));
      sent.push(...(await use(log, 1, { note: 'x'.repeat(20_000) })));
      await until(() => server.messages.length === 602);
      expect(ids()).toEqual(sent);
      expect(server.messages[0]).toMatchObject({ priority: 110, app: 'writ', id: 'TokenUsed' });
      expect(server.messages[0]?.structured).toBe('[origin software="writ"]');
      expect(server.messages[600]).toMatchObject({ priority: 108 });
      expect(JSON.parse(server.messages[600]!.text)).toMatchObject({ client_name: 'Ünïcode ✓', token: 't1' });
      const long = server.messages[601]!;
      expect(long.bytes).toBeLessThan(8192);
      expect(JSON.parse(long.text)).toMatchObject({ id: sent.at(-1), truncated: true });
    });

    it.each(['breaks-off', 'turns-away'] as const)('a receiver that %s has not taken it', async (behaviour) => {
      server = await startSyslogServer();
      server.behaviour = behaviour;
      const sent = await use(log, 50);
      start(receiver());
      await until(() => faults.length > 0);
      server.behaviour = 'well';
      await until(() => new Set(ids()).size === 50);
      expect(ids().slice(-50)).toEqual(sent);
    });

    it('goes on when the receiver is back', async () => {
      server = await startSyslogServer();
      const { port } = server;
      await server.close();
      const sent = await use(log, 5);
      start(receiver());
      await until(() => faults.length > 0);
      expect(faults[0]).toMatch(/ECONNREFUSED/);
      server = await startSyslogServer(null, port);
      await until(() => server.messages.length === 5);
      expect(ids()).toEqual(sent);
    });

    it('over TLS, to whom its certificate is trusted', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'writ-tls-'));
      const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
      const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
      const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
      execFileSync('openssl', [...made, '-keyout', keyFile, '-out', certFile, ...names], { stdio: 'ignore' });
      const cert = readFileSync(certFile);
      server = await startSyslogServer({ key: readFileSync(keyFile), cert });
      rmSync(folder, { recursive: true });

      const sent = await use(log, 300);
      const stranger = start(new SyslogReceiver({ host: '127.0.0.1', port: server.port, tls: {} }));
      await until(() => faults.length > 0);
      expect(faults[0]).toMatch(/self-signed certificate/);
      expect(server.messages).toEqual([]);
      await stranger.stop();

      const push = start(new SyslogReceiver({ host: '127.0.0.1', port: server.port, tls: { ca: cert } }));
      await until(async () => (await push.status()).sent === 300);
      expect(ids()).toEqual(sent);
      server.behaviour = 'breaks-off';
      sent.push(...(await use(log, 1)));
      await until(() => new Set(ids()).size === 301);
    });
  });
});
