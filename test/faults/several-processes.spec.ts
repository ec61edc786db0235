import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventLog } from '../../libs/event-log/event-log.ts';
import { openEventStoreLog } from '../../libs/event-log/eventstoredb/eventstore-log.ts';
import { newId } from '../../libs/ids/new-id.ts';
import { EventStoreDouble } from '../doubles/eventstoredb/server.ts';
import { foundWorkspace } from '../support/found-workspace.ts';
import { startPostgres } from '../support/postgres.ts';
import { type ReplicatedRedis, startReplicatedRedis } from '../support/redis-replica.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { createElsewhere } from '../support/token-elsewhere.ts';
import { Evidence, expectPromisesKept, type Limit, readRecord, type Revocation, succeeded } from './evidence.ts';
import { Callers, createToken, type Pace, PLENTY, type Token } from './load.ts';
import { reportRounds } from './report.ts';

const ROUNDS = Number(process.env['WRIT_FAULT_ROUNDS'] ?? 3);
const ROUND_MS = 180_000;
const FEW = 30;
const CEILING = 50;
/** Between the calls of one caller: the log must stay small enough to be read again after every loss of the view. */
const PAUSE_MS = 30;

/** What happens to Redis in a round; a process is killed in every one. */
const FAULTS = ['emptied', 'restarted', 'replaced by a replica that lags'] as const;

describe('two API processes over EventStoreDB (its double), Redis and PostgreSQL, under load', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-faults-'));
  const ending: (() => Promise<unknown>)[] = [];
  const callers = new Callers();
  const revoked = new Map<string, Revocation>();
  let env: Record<string, string> & { DATA_DIR: string };
  let redis: ReplicatedRedis;
  const servers: ServerProcess[] = [];
  let operator: Token;
  let busy: Token;
  let limited: Token;
  /** Of another workspace, below its ceiling. */
  let sharing: readonly Token[];
  let evidence: Evidence;
  /** Rounds in which the view was seen not ready. */
  let lost = 0;

  beforeAll(
    async () => {
      const double = new EventStoreDouble();
      await double.start();
      ending.push(async () => double.stop());
      redis = await startReplicatedRedis('faults over several processes');
      ending.push(() => redis.stop());
      const postgres = await startPostgres('faults over several processes');
      ending.push(() => postgres.stop());
      env = {
        EVENTSTORE_URL: double.connectionString,
        REDIS_URL: redis.url,
        DATABASE_URL: postgres.url,
        PERSON_KEYS_URL: postgres.url,
        ASSETS_URL: `file://${dataDir}/shared-assets`,
        DATA_DIR: dataDir,
      };
      operator = { id: 'operator', token: await foundWorkspace(env) };
      servers.push(...(await Promise.all([startServerProcess(env), startServerProcess(env)])));
      ending.push(() => Promise.all(servers.map((server) => server.stop())));
      busy = await createToken(callers, servers[0]!.url, operator, 'busy', PLENTY);
      limited = await createToken(callers, servers[1]!.url, operator, 'limited', FEW);
      const log = await openEventStoreLog({ connectionString: double.connectionString });
      sharing = await belowCeiling(log);

      for (let round = 0; round < ROUNDS; round++) await breakUnderLoad(round);

      // Whatever the rounds have left of the windows: on both together they end.
      for (const each of [limited, ...sharing]) {
        for (let call = 0, status = 0; status !== 429; call++) {
          status = (await callers.call(servers[call % 2]!.url, each, { path: '/api/v1/me' }))?.status ?? 0;
        }
      }
      evidence = new Evidence(callers.answers, revoked, await readRecord(log));
      await log.close();
      reportRounds({
        set: 'two processes, EventStoreDB (its double), Redis, PostgreSQL',
        broken: `kill -9 of a process; Redis ${FAULTS.join(', ')} in turn`,
        rounds: ROUNDS,
        evidence,
        violations: evidence.violations(limits()),
      });
    },
    180_000 + ROUND_MS * ROUNDS,
  );
  afterAll(async () => {
    for (const end of ending.toReversed()) await end();
    rmSync(dataDir, { recursive: true });
  }, 120_000);

  it('was a load: calls succeeded, every round lost the view, tokens died and were asked after, limits were met', () => {
    expect(evidence.succeeded.length).toBeGreaterThan(20 * ROUNDS);
    expect(lost).toBe(ROUNDS);
    expect(revoked.size).toBe(ROUNDS);
    expect(evidence.record.byKey.size).toBeGreaterThan(0);
    expect(evidence.afterRevocation().length).toBeGreaterThanOrEqual(2 * revoked.size);
    for (const { id } of [limited, ...sharing])
      expect(callers.answers.some(({ token, status }) => token === id && status === 429)).toBe(true);
    const ids = new Set(sharing.map(({ id }) => id));
    // Calls that were let in and not answered, the view or the process being lost, took of the ceiling too.
    expect(evidence.succeeded.filter(({ token }) => ids.has(token)).length).toBeGreaterThan(CEILING / 2);
  });

  it('P1 P2 P3 every answer is in the log, nothing revoked passes, no limit is exceeded, whatever Redis has lost', () => {
    expectPromisesKept(evidence, limits());
  });

  function limits(): readonly Limit[] {
    return [
      { tokens: [limited], perMinute: FEW, countedIn: 'window_second' },
      { tokens: sharing, perMinute: CEILING, countedIn: 'ceiling_second' },
    ];
  }

  async function belowCeiling(log: EventLog): Promise<readonly Token[]> {
    const workspace = newId();
    const { url } = servers[0]!;
    const made = ['writ', 'comma', 'comma'].map((catalogue) => createElsewhere(log, workspace, catalogue));
    const [operating, ...tokens] = await Promise.all(made);
    const set = () =>
      fetch(`${url}/api/v1/admin/workspace/limits`, {
        method: 'PATCH',
        headers: { authorization: `Bearer ${operating!.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ reads: { per_minute: CEILING } }),
      });
    while ((await set()).status !== 200) await sleep(100);
    return tokens;
  }

  /** Redis loses the view while all call, a token is revoked before or beside; then a process dies, and comes again. */
  async function breakUnderLoad(round: number): Promise<void> {
    const fault = FAULTS[round % FAULTS.length]!;
    const doomed = await createToken(callers, servers[0]!.url, operator, 'doomed', PLENTY);
    const lagging = fault === 'replaced by a replica that lags';
    if (lagging) await redis.fallBehind();
    const stopping = new AbortController();
    const pace: Pace = { pauseMs: PAUSE_MS, signal: stopping.signal };
    const load = servers.flatMap(({ url }) => [
      ...Array.from({ length: 2 }, () => callers.read(url, busy, pace)),
      callers.write(url, busy, false, pace),
      callers.write(url, busy, true, pace),
      callers.read(url, doomed, pace),
      callers.write(url, doomed, false, pace),
      callers.read(url, limited, { ...pace, pauseMs: 200 }),
      ...sharing.map((token) => callers.read(url, token, { ...pace, pauseMs: 200 })),
    ]);
    const asked = callers.answers.length;
    const revoking = sleep(lagging ? 0 : Math.random() * 1_000).then(() => revoke(round, doomed));
    // Of a revocation that the replica never hears of, the answer comes first.
    if (lagging) await revoking;
    await sleep(Math.random() * 600);
    await lose(fault);
    await revoking;
    await Promise.all(servers.map(({ url }) => answersAgain(url)));
    if (callers.answers.slice(asked).some(({ status }) => status === 503)) lost++;

    const [dying, staying] = [round % 2, (round + 1) % 2];
    const { child } = servers[dying]!;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    await callers.call(servers[staying]!.url, doomed, { path: '/api/v1/me' });
    servers[dying] = await startServerProcess(env);
    stopping.abort();
    await Promise.all(load);
    for (const { token } of revoked.values()) await callers.call(servers[dying]!.url, token, { path: '/api/v1/me' });
  }

  function lose(fault: (typeof FAULTS)[number]): Promise<void> {
    switch (fault) {
      case 'emptied':
        return redis.flush();
      case 'restarted':
        return redis.restart();
      case 'replaced by a replica that lags':
        return redis.failOver();
      default:
        return unknownFault(fault);
    }
  }

  /** Until it is answered. */
  async function revoke(round: number, token: Token): Promise<void> {
    for (;;) {
      const { url } = servers[round % 2]!;
      const answer = await callers.call(url, operator, { method: 'DELETE', path: `/api/v1/tokens/${token.id}` });
      if (answer !== null && succeeded(answer)) {
        revoked.set(token.id, { token, answeredMs: answer.answeredMs });
        return;
      }
      await sleep(100);
    }
  }

  async function answersAgain(url: string): Promise<void> {
    while ((await callers.call(url, busy, { path: '/api/v1/me' }))?.status !== 200) await sleep(100);
  }
});

function unknownFault(fault: never): never {
  throw new Error(`unknown fault ${String(fault)}`);
}
