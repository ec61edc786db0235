import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createToken, startServer, type TestServer } from '../support/server.ts';

/** Where the client's own packages are found, and nothing is kept. */
const FOLDER = join('dist', `openapi-client-${process.pid}`);

const run = async (script: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> => {
  const options = { env: { ...process.env, ...env } };
  const failed = (error: { readonly stdout?: string; readonly stderr?: string }): never => {
    throw new Error(`${error.stdout ?? ''}${error.stderr ?? ''}`);
  };
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], options).catch(failed);
  return stdout;
};

describe('a client generated from /openapi.json', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
    mkdirSync(FOLDER, { recursive: true });
  }, 240_000);
  afterAll(async () => {
    await server.close();
    rmSync(FOLDER, { recursive: true, force: true });
  });

  it('P7 type-checks and drives the REST face', async () => {
    const { body } = await server.call('GET', '/openapi.json');
    writeFileSync(join(FOLDER, 'openapi.json'), JSON.stringify(body));
    const types = join(FOLDER, 'writ.ts');
    await run('node_modules/openapi-typescript/bin/cli.js', [join(FOLDER, 'openapi.json'), '--output', types]);
    const driver = join(FOLDER, 'driver.ts');
    cpSync('test/openapi-client/driver.ts.txt', driver);
    writeFileSync(
      join(FOLDER, 'tsconfig.json'),
      JSON.stringify({ extends: '../../tsconfig.json', include: ['*.ts'], exclude: [] }),
    );
    await run('node_modules/typescript/bin/tsc', ['-p', FOLDER]);
    const tokens = {
      COMMA: (await createToken(server, { catalogue: 'comma', scopes: ['reports:read', 'reports:write'] })).token,
      TOADO: (await createToken(server, { catalogue: 'toado', scopes: ['read'] })).token,
      WRIT: server.operator,
    };
    expect(await run(driver, [], { URL: server.url, ...tokens })).toBe('driven\n');
  }, 240_000);
});
