import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';

/** The README's tour: every block of commands with the lines it says they print. */
function tour(readme: string): { readonly commands: string; readonly prints: readonly string[] }[] {
  const text = readme.slice(readme.indexOf('<!-- tour -->'), readme.indexOf('<!-- /tour -->'));
  return [...text.matchAll(/```sh\n(.*?)```(?:\n\n```text\n(.*?)```)?/gs)].map(([, commands = '', prints = '']) => ({
    commands,
    prints: prints.split('\n').filter((line) => line !== ''),
  }));
}

const MARK = '----8<----';

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

  it('P1 P2 P3 P12 can be followed word for word', () => {
    const blocks = tour(readFileSync('README.md', 'utf8'));
    expect(blocks.length).toBeGreaterThan(8);
    const script = blocks.map(({ commands }) => commands).join(`\necho '${MARK}'\n`);
    const { stdout, stderr } = spawnSync('bash', ['-c', script], {
      encoding: 'utf8',
      env: { ...process.env, WRIT_URL: server.url, DATA_DIR: dataDir },
    });
    // npm remarks on settings of the machine it runs on.
    expect(stderr.split('\n').filter((line) => line !== '' && !line.startsWith('npm warn'))).toEqual([]);
    const printed = stdout.split(`${MARK}\n`).map((part) => part.split('\n').filter((line) => line !== ''));
    expect(printed).toEqual(blocks.map(({ prints }) => prints));
  });
});
