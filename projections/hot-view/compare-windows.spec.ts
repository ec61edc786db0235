import { beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { MemoryHotView } from '../../libs/hot-view/memory/memory-hot-view.ts';
import { successorId } from '../../libs/tokens/token-id.ts';
import type { TokenUse } from '../../libs/usage/use.ts';
import { viewToken } from '../../test/contract/hot-view.contract.ts';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import { compareWindows } from './compare-windows.ts';

const READ = { reads: 1, writes: 0, handshakes: 0 };

describe('P3 P6 the windows that serve, against the log', () => {
  let log: MemoryEventLog;
  let view: MemoryHotView;
  const token = viewToken({ limits: { reads: 50, writes: 50 } });
  const heir = viewToken({ ...token, id: successorId(token.id, Date.now()), lineage: token.id, version: 3 });

  beforeEach(() => {
    log = new MemoryEventLog();
    view = new MemoryHotView();
    view.put([token, heir]);
    view.certify(null);
  });

  /** Counts in the view, as the gate does before a call is recorded. */
  function meter(cost = READ, id = token.id): number {
    const pass = view.admit({ id, digest: token.digest, scope: null, cost });
    if (pass.kind !== 'admitted') throw new Error(pass.kind);
    return pass.windowSecond;
  }
  async function record(window_second: number, change: Partial<TokenUse> = {}, inWrite = 0): Promise<void> {
    const use = { token: token.id, budget: 'reads', cost: 1, reason: null, status: 200, window_second, ...change };
    const named = { request_id: randomUUID(), resource: null, ...use };
    const id = () => randomUUID();
    const metadata = { $correlationId: 'c', $causationId: 'c', schema: 1 };
    const events =
      inWrite === 0
        ? [{ id: id(), type: 'TokenUsed', data: named, metadata }]
        : Array.from({ length: inWrite }, () => ({
            id: id(),
            type: 'ReportCreated',
            data: {},
            metadata: { ...metadata, use: named },
          }));
    await log.append(`usage-${randomUUID()}`, 'no-stream', events);
  }
  const compare = () => compareWindows({ log, view, clock: Date.now }, new AbortController().signal);

  it('are the same where each use was counted, in journals and carried by writes of several events', async () => {
    await record(meter());
    await record(meter({ reads: 0, writes: 1, handshakes: 0 }), { budget: 'writes' }, 3);
    expect(await compare()).toMatchObject({ table: { table: 'windows', rows: 1, same: true }, difference: null });
  });

  it('may count more: calls under way, and those whose record failed', async () => {
    await record(meter());
    meter();
    meter();
    expect((await compare()).difference).toBeNull();
  });

  it('count less where a use was never counted, or in windows of another lineage', async () => {
    const other = viewToken();
    view.put([other]);
    await record(meter(READ, other.id), { token: other.id });
    await record(meter());
    await record(meter() - 1, { token: heir.id, cost: 2 });
    expect((await compare()).difference).toMatchObject({
      table: 'windows',
      key: { lineage: token.id },
      what: 'different',
      columns: ['reads'],
      counts: { log: 3, view: 2 },
    });
  });

  it('are not blamed for a write of unknown outcome, which is recorded as failed and stored after all', async () => {
    const second = meter({ reads: 0, writes: 1, handshakes: 0 });
    await record(second, { budget: 'writes' }, 1);
    await record(second, { budget: 'writes', reason: 'failed', status: 503 });
    expect((await compare()).difference).toBeNull();
    await record(second, { budget: 'writes', reason: 'failed', status: 422 });
    expect((await compare()).difference).toMatchObject({ counts: { log: 2, view: 1 } });
  });

  it('of a workspace below its ceiling, too: what was taken from it, whichever token took it', async () => {
    view.putWorkspaces([{ id: 'w1', ceiling: { reads: 9, writes: null }, version: 0 }]);
    const other = viewToken();
    view.put([other]);
    for (const { id } of [token, other]) {
      const second = meter(READ, id);
      await record(second, { token: id, workspace: 'w1', ceiling_second: second });
    }
    expect(await compare()).toMatchObject({ table: { rows: 3, same: true }, difference: null });
    view.refillCeilings([]);
    meter();
    expect((await compare()).difference).toMatchObject({
      table: 'windows',
      key: { workspace: 'w1', since: expect.any(String) },
      columns: ['reads'],
      counts: { log: 2, view: 1 },
    });
  });

  it('are let be where uses are out of their minute', async () => {
    await record(meter() - 61, { cost: 9 });
    expect((await compare()).difference).toBeNull();
  });
});
