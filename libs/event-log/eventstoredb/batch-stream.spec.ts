import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const script = fileURLToPath(new URL('../../../test/doubles/eventstoredb/break-while-appending.ts', import.meta.url));
const run = async (what: string) => (await promisify(execFile)(process.execPath, [script, what])).stdout.trim();

describe('batch streams of the client that break', () => {
  it("P1 survive an answer that comes after another client's stream broke", async () => {
    expect(await run('other-client')).toBe('2');
  });

  it('P1 survive with large appends queued behind a full connection', async () => {
    expect(await run('large-appends')).toBe('30');
  });
});
