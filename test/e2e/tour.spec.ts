import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { expectFollowed } from '../support/followed-document.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';

describe('the README’s tour', () => {
  let dataDir: string;
  let server: ServerProcess;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'writ-tour-'));
    server = await startServerProcess({ DATA_DIR: dataDir, SAMPLE: 'on' });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true });
  });

  it('P1 P2 P3 P12 can be followed word for word', () =>
    expectFollowed('README.md', 'tour', { env: { WRIT_URL: server.url, DATA_DIR: dataDir } }));
});
