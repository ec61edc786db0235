import { beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { IsString } from 'class-validator';
import { viewToken } from '../../test/contract/hot-view.contract.ts';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import { LogUnavailable, type RecordedEvent } from '../event-log/event-log.ts';
import type { ViewToken } from '../hot-view/hot-view.ts';
import { MemoryHotView } from '../hot-view/memory/memory-hot-view.ts';
import { type Call, type DeclaredOperation, READ, type Result } from '../operation/operation.ts';
import { type Content, UploadBroken } from '../operation/content.ts';
import { bodyTooLarge, isProblem } from '../problem/problem.ts';
import { formatToken, newSecret, tokenDigest } from '../tokens/token-format.ts';
import { Denials } from '../usage/denials.ts';
import { UsageJournal } from '../usage/journal.ts';
import type { TokenUse } from '../usage/use.ts';
import { authenticate } from './authenticate.ts';
import type { Envelope } from './envelope.ts';
import { Gate, type Reply } from './gate.ts';
import { ReadModelsUnavailable } from '../read-db/read-models-unavailable.ts';

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
  /** All that a call left in the log; that a journal was opened is of no call. */
  const recorded = async (): Promise<RecordedEvent[]> =>
    (await Array.fromAsync(log.readAll())).filter(({ type }) => type !== 'JournalOpened');
  const uses = async (): Promise<TokenUse[]> =>
    (await recorded()).filter(({ type }) => type === 'TokenUsed').map(({ data }) => data as TokenUse);

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

  it('P4 a view that was lost while a call was under way answers it with nothing', async () => {
    view.confirm = () => 'lapsed';
    run = () => ({ body: { secret: 'of the workspace' } });
    const { result } = await handle();
    expect(result).toMatchObject({ status: 503, retry_after: expect.any(Number) });
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

  it.each([
    ['of another shape', { text: 1 }],
    ['with a member that nobody declared', { text: 'hello', more: true }],
  ])('P12 an input %s is refused, recorded as a use that failed, and nothing else is', async (_, value) => {
    const reply = await handle({ input: () => ({ ok: true, value }) });
    expect(reply.result).toMatchObject({ status: 422, code: 'invalid' });
    const events = await recorded();
    expect(events.map(({ type }) => type)).toEqual(['TokenUsed']);
    expect(await uses()).toEqual([expect.objectContaining({ decision: 'refused', reason: 'failed', status: 422 })]);
  });

  it('P5 an input that holds a token is refused, its text nowhere kept', async () => {
    const leaked = formatToken('tok_', viewToken().id, newSecret());
    const reply = await handle({ input: () => ({ ok: true, value: { text: `use ${leaked}` } }) });
    expect(reply.result).toMatchObject({ status: 422, code: 'contains_secret' });
    expect(JSON.stringify([await Array.fromAsync(log.readAll()), reply])).not.toContain(leaked.slice(-38, -6));
  });

  describe('a long answer', () => {
    /** Three pieces, and what happens before the last of them. */
    const pieces = (beforeLast: () => void = () => undefined): Content => ({
      type: 'text/plain',
      async *open() {
        yield Buffer.from('one');
        yield Buffer.from('two');
        beforeLast();
        yield Buffer.from('three');
      },
    });
    const openings = async () => (await recorded()).map(({ type, data }) => [type, data]);
    const contentOf = ({ result }: Reply): Content => {
      if (isProblem(result) || result.content === undefined) throw new Error(`no content: ${JSON.stringify(result)}`);
      return result.content;
    };

    it('P1 is on record before its first byte, and again when it ends', async () => {
      run = () => ({ content: pieces() });
      const content = contentOf(await handle());
      expect(await openings()).toEqual([['TokenUsed', expect.objectContaining({ decision: 'allowed' })]]);
      expect(Buffer.concat(await Array.fromAsync(content.open())).toString()).toBe('onetwothree');
      const end = { token: token.id, operation: 'note', request_id: 'r1', outcome: 'complete', bytes: 11 };
      expect((await openings())[1]).toEqual(['TokenUseEnded', expect.objectContaining(end)]);
    });

    it('P2 is cut when its token is revoked', async () => {
      run = () => ({ content: pieces(() => view.put([{ ...token, status: 'revoked', version: 9 }])) });
      const got: string[] = [];
      const reading = async (content: Content) => {
        for await (const piece of content.open()) got.push(Buffer.from(piece).toString());
      };
      await expect(reading(contentOf(await handle()))).rejects.toThrow(/token died/);
      expect(got).toEqual(['one', 'two']);
      expect((await openings())[1]).toEqual(['TokenUseEnded', expect.objectContaining({ outcome: 'cut', bytes: 6 })]);
    });

    it.each([
      ['before its first byte', 0],
      ['in the middle', 2],
    ])('tells that its caller went away %s', async (_, taken) => {
      let closed = false;
      const open = async function* () {
        try {
          yield* pieces().open();
        } finally {
          closed = true;
        }
      };
      run = () => ({ content: { type: 'text/plain', open } });
      const bytes = contentOf(await handle())
        .open()
        [Symbol.asyncIterator]();
      for (let piece = 0; piece < taken; piece++) await bytes.next();
      await bytes.return?.();
      expect(closed).toBe(taken > 0);
      const end = { outcome: 'abandoned', bytes: taken * 3 };
      expect((await openings()).slice(1)).toEqual([['TokenUseEnded', expect.objectContaining(end)]]);
    });

    it('that breaks on our side is told from one that ended', async () => {
      const fail = () => {
        throw new Error('the disk is gone');
      };
      run = () => ({ content: pieces(fail) });
      const content = contentOf(await handle());
      await expect(Array.fromAsync(content.open())).rejects.toThrow('the disk is gone');
      expect((await openings())[1]).toEqual(['TokenUseEnded', expect.objectContaining({ outcome: 'failed' })]);
    });
  });

  describe('an operation that takes bytes', () => {
    const taking = (): DeclaredOperation => {
      const { spec, operation: that } = operation();
      return { spec: { ...spec, http: { ...spec.http, upload: { mostBytes: 5 } } }, operation: that };
    };
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('12345');
      throw new UploadBroken(bodyTooLarge(5));
    }

    it('P4 reads none of them before the call is let in', async () => {
      view.put([{ ...token, grants: [], version: 2 }]);
      let read = false;
      const stream = (async function* () {
        read = true;
        yield Buffer.from('1');
      })();
      run = async (_input, call) => ({ body: await Array.fromAsync(call.upload!.stream) });
      expect(status(await gate.handle(taking(), envelope({ upload: { stream } })))).toBe(403);
      expect(read).toBe(false);
    });

    it('P12 that do not arrive are the caller’s own problem, and recorded', async () => {
      run = async (_input, call) => ({ body: await Array.fromAsync(call.upload!.stream) });
      expect(status(await gate.handle(taking(), envelope({ upload: { stream: broken() } })))).toBe(413);
      expect(await uses()).toEqual([expect.objectContaining({ reason: 'failed', status: 413 })]);
    });

    it('P12 is refused on a face that has none', async () => {
      expect(status(await gate.handle(taking(), envelope()))).toBe(415);
    });
  });

  it('a scope that is missing is named, recorded, and costs no read', async () => {
    view.put([{ ...token, grants: [], version: 2 }]);
    const reply = await handle();
    expect(reply.result).toMatchObject({ status: 403, missing_scope: 'reports:read' });
    expect(reply.usage?.reads.used).toBe(0);
    expect(await uses()).toEqual([expect.objectContaining({ reason: 'missing_scope', budget: 'refusals' })]);
  });

  it('P1 P11 a thousand refusals are twenty events and one count', async () => {
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

  it('P11 an over-long credential is 431', async () => {
    expect(status(await handle({ authenticate: () => authenticate([`Bearer ${'a'.repeat(200)}`]) }))).toBe(431);
  });

  it.each([
    ['the server that stops', Object.assign(new Error('terminating connection'), { code: '57P01' })],
    ['nobody at the port', Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })],
    ['a connection that broke', new Error('Connection terminated unexpectedly')],
    ['a thread that ended', new ReadModelsUnavailable('the thread has ended')],
  ])('P4 %s of the read models is a 503, to be asked again', async (_what, error) => {
    run = () => {
      throw error;
    };
    const { result } = await handle();
    expect(result).toMatchObject({ status: 503, code: 'unavailable', retry_after: expect.any(Number) });
    expect(await uses()).toEqual([expect.objectContaining({ status: 503 })]);
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
