import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MemoryEventLog } from '../../../test/doubles/memory-event-log.ts';
import { ReadModelsUnavailable } from '../../read-db/read-models-unavailable.ts';
import { ProjectionsThread } from './projections-thread.ts';

/** Says what `serveProjections` says, and ends by itself when it is asked to verify. */
const SERVING = `
  const { parentPort, workerData } = require('node:worker_threads');
  parentPort.on('message', ({ kind, id, question }) => {
    if (kind === 'stop') return parentPort.close();
    if (kind !== 'ask') return;
    if (question.method === 'verify') throw new Error('out of memory');
    parentPort.postMessage({ kind: 'answer', id, answer: workerData });
  });
  parentPort.postMessage({ kind: 'started', positions: [workerData] });
`;
const BROKEN = `throw new Error('no database');`;

const threads: ProjectionsThread[] = [];
afterEach(async () => {
  for (const thread of threads.splice(0)) await thread.stop();
});

async function start(codes: readonly string[], faults: string[] = []) {
  let started = 0;
  const thread = await ProjectionsThread.start({
    startThread: () => new Worker(codes[started] ?? SERVING, { eval: true, workerData: ++started }),
    projections: [{ name: 'audit' }],
    log: new MemoryEventLog(),
    onFault: (projection, { message }) => faults.push(`${projection}: ${message}`),
    restartMs: 5,
  });
  threads.push(thread);
  return { audit: thread.projections[0]!, started: () => started };
}

describe('the thread of the projections', () => {
  it('P6 is started again when it ends by itself, and says where it is', async () => {
    const faults: string[] = [];
    const { audit, started } = await start([SERVING], faults);
    expect(audit.position()).toBe(1);
    await expect(audit.verify()).rejects.toMatchObject({ cause: { message: 'out of memory' } });
    expect(faults).toEqual(['audit: out of memory']);
    await expect(audit.status()).rejects.toBeInstanceOf(ReadModelsUnavailable);
    while (audit.position() !== 2) await sleep(2);
    expect(await audit.status()).toBe(2);
    expect(started()).toBe(2);
  });

  it('tries again for as long as it does not come to run, and ends when it is told to meanwhile', async () => {
    const { audit, started } = await start([SERVING, BROKEN, BROKEN]);
    await expect(audit.verify()).rejects.toMatchObject({ cause: { message: 'out of memory' } });
    while (audit.position() !== 4) await sleep(2);
    expect(await audit.status()).toBe(4);
    expect(started()).toBe(4);
    await expect(audit.verify()).rejects.toMatchObject({ cause: { message: 'out of memory' } });
    await threads.splice(0)[0]!.stop();
  });

  it('that never ran is an error of the start', async () => {
    await expect(start([BROKEN])).rejects.toThrow('no database');
  });
});
