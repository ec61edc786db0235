import { beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { IsString } from 'class-validator';
import { viewToken } from '../../test/contract/hot-view.contract.ts';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import { LogUnavailable, type RecordedEvent } from '../event-log/event-log.ts';
import type { ViewToken } from '../hot-view/hot-view.ts';
import { MemoryHotView } from '../hot-view/memory/memory-hot-view.ts';
import { type Call, type DeclaredOperation, READ, type Result } from '../operation/operation.ts';
import { isProblem } from '../problem/problem.ts';
import { formatToken, newSecret, tokenDigest } from '../tokens/token-format.ts';
import { Denials } from '../usage/denials.ts';
import { UsageJournal } from '../usage/journal.ts';
import type { TokenUse } from '../usage/use.ts';
import { authenticate } from './authenticate.ts';
import type { Envelope } from './envelope.ts';
import { Gate, type Reply } from './gate.ts';

class NoteInput {
  @IsString()
  text!: string;
}

describe('the gate', () => {
  let log: MemoryEventLog;
  let view: MemoryHotView;
  let gate: Gate;
  let denials: Denials;
  let secret: string;
  let token: ViewToken;
  let run: (input: NoteInput, call: Call) => Promise<Result> | Result;

  const operation = (): DeclaredOperation => ({
    spec: {
      name: 'note',
      title: 'Note',
      summary: 'Notes.',
      catalogue: 'comma',
      scope: 'comma/reports:read',
      cost: READ,
      http: { method: 'post', path: '/note' },
      input: NoteInput,
      output: {},
      effect: 'reads',
    },
    operation: { run: (input, call) => run(input as NoteInput, call) },
  });
  const envelope = (change: Partial<Envelope> = {}): Envelope => ({
    face: 'rest',
    requestId: 'r1',
    clientAddress: '127.0.0.1',
    clientName: 'test',
    idempotencyKey: undefined,
    ifMatch: undefined,
    logPosition: undefined,
    authenticate: () => authenticate([`Bearer ${secret}`]),
    input: () => ({ ok: true, value: { text: 'hello' } }),
    ...change,
  });
  const handle = (change: Partial<Envelope> = {}): Promise<Reply> => gate.handle(operation(), envelope(change));
  const status = ({ result }: Reply): number => (isProblem(result) ? result.status : 200);
  const uses = async (): Promise<TokenUse[]> =>
    (await Array.fromAsync(log.readAll()))
      .filter(({ type }) => type === 'TokenUsed')
      .map(({ data }) => data as TokenUse);

  beforeEach(() => {
    Logger.overrideLogger(false);
    log = new MemoryEventLog();
    view = new MemoryHotView();
    view.certify(null);
    denials = new Denials(log, Date.now);
    gate = new Gate(view, { waitFor: async () => 'reached' }, new UsageJournal(log), denials);
    token = viewToken();
    secret = formatToken('comma_sk_', token.id, newSecret());
    token = { ...token, digest: tokenDigest(secret) };
    view.put([token]);
    run = () => ({ body: { ok: true } });
  });

  it('P1 a use is in the log before it is answered', async () => {
    const reply = await handle();
    expect(status(reply)).toBe(200);
    expect(await uses()).toEqual([
      expect.objectContaining({
        token: token.id,
        operation: 'note',
        decision: 'allowed',
        request_id: 'r1',
        budget: 'reads',
        cost: 1,
      }),
    ]);
  });

  it('P1 P4 what cannot be recorded is not answered', async () => {
    log.append = async () => Promise.reject(new LogUnavailable('gone'));
    const reply = await handle();
    expect(reply.result).toMatchObject({ status: 503, code: 'unavailable', retry_after: expect.any(Number) });
  });

  it('P4 a view that is not certified lets nobody in', async () => {
    await view.close();
    expect(status(await handle())).toBe(503);
    expect(await uses()).toEqual([]);
  });

  it('P2 a token revoked while its call is under way is answered 401', async () => {
    run = () => {
      view.put([{ ...token, status: 'revoked', version: 9 }]);
      return { body: { secret: 'of the workspace' } };
    };
    expect(status(await handle())).toBe(401);
  });

  it('P2 and its write is not appended when that was not under way yet', async () => {
    let begun = false;
    run = async (_input, call) => {
      await new Promise((resolve) => setTimeout(resolve, 510));
      view.put([{ ...token, status: 'revoked', version: 9 }]);
      await call.append('note/1').beforeAppend?.();
      begun = true;
      return { body: {} };
    };
    expect(status(await handle())).toBe(401);
    expect(begun).toBe(false);
  });

  it('P12 a refused input is recorded as a use that failed, and nothing else is', async () => {
    const reply = await handle({ input: () => ({ ok: true, value: { text: 1, more: true } }) });
    expect(reply.result).toMatchObject({ status: 422, code: 'invalid' });
    const events: RecordedEvent[] = await Array.fromAsync(log.readAll());
    expect(events.map(({ type }) => type)).toEqual(['TokenUsed']);
    expect(await uses()).toEqual([expect.objectContaining({ decision: 'refused', reason: 'failed', status: 422 })]);
  });

  it('P5 an input that holds a token is refused, its text nowhere kept', async () => {
    const leaked = formatToken('tok_', viewToken().id, newSecret());
    const reply = await handle({ input: () => ({ ok: true, value: { text: `use ${leaked}` } }) });
    expect(reply.result).toMatchObject({ status: 422, code: 'contains_secret' });
    expect(JSON.stringify([await Array.fromAsync(log.readAll()), reply])).not.toContain(leaked.slice(-38, -6));
  });

  it('a scope that is missing is named, recorded, and costs no read', async () => {
    view.put([{ ...token, grants: [], version: 2 }]);
    const reply = await handle();
    expect(reply.result).toMatchObject({ status: 403, missing_scope: 'reports:read' });
    expect(reply.usage?.reads.used).toBe(0);
    expect(await uses()).toEqual([expect.objectContaining({ reason: 'missing_scope', budget: 'refusals' })]);
  });

  it('P11 a thousand refusals are twenty events and one count', async () => {
    view.put([{ ...token, grants: [], version: 2 }]);
    for (let call = 0; call < 1_000; call++) await handle();
    await denials.flush();
    expect(await uses()).toHaveLength(20);
    const aggregates = (await Array.fromAsync(log.readAll())).filter(({ type }) => type === 'TokenUsesDenied');
    expect(aggregates.map(({ data }) => data)).toEqual([expect.objectContaining({ token: token.id, count: 980 })]);
  });

  it.each([
    ['none', []],
    ['two', ['a', 'b']],
    ['Basic', ['Basic YTpi']],
    ['a shape that is not ours', ['Bearer abc']],
  ])('P11 %s of the credentials that are needed: 401, counted and not recorded', async (_, authorization) => {
    expect(status(await handle({ authenticate: () => authenticate(authorization) }))).toBe(401);
    expect(await Array.fromAsync(log.readAll())).toEqual([]);
  });

  it('an over-long credential is 431', async () => {
    expect(status(await handle({ authenticate: () => authenticate([`Bearer ${'a'.repeat(200)}`]) }))).toBe(431);
  });

  it('a fault inside is a 500 that tells nothing, and is recorded', async () => {
    run = () => {
      throw new Error('a secret of ours');
    };
    const reply = await handle();
    expect(reply.result).toMatchObject({ status: 500, code: 'internal' });
    expect(JSON.stringify(reply.result)).not.toContain('a secret of ours');
    expect(await uses()).toEqual([expect.objectContaining({ status: 500, reason: 'failed' })]);
  });
});
