import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { type CliRun, writ } from '../support/cli.ts';
import { type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy.ts';
import { createToken, startServer, type TestServer } from '../support/server.ts';

jest.setTimeout(180_000);

interface Manifest {
  readonly bytes: number;
  readonly sha256: string;
  readonly up_to: number;
}

describe('an export that broke off', () => {
  const folder = mkdtempSync(join(tmpdir(), 'writ-resume-'));
  let server: TestServer;
  let proxy: CuttingProxy;
  let agent: { readonly id: string; readonly token: string };
  let files = 0;

  const newFile = (): string => join(folder, `export-${files++}`);
  const run = (file: string, words: readonly string[]): Promise<CliRun> =>
    writ(['audit', 'export', '--to', file, ...words], {
      WRIT_URL: `http://127.0.0.1:${proxy.port}`,
      WRIT_TOKEN: server.operator,
      DATA_DIR: folder,
    });
  const manifestOf = (file: string): Manifest => JSON.parse(readFileSync(`${file}.manifest.json`, 'utf8')) as Manifest;
  const verified = async (file: string): Promise<CliRun> => {
    const keys = await writ(['audit', 'keys'], { WRIT_URL: server.url, WRIT_TOKEN: server.operator, DATA_DIR: folder });
    writeFileSync(join(folder, 'writ.pub'), keys.out);
    return await writ(['audit', 'verify', file, '--key', join(folder, 'writ.pub')], {});
  };
  /** Leaves behind what a go leaves that broke off after so many bytes of a file. */
  const breakOff = (whole: Buffer, plan: object, bytes: number): string => {
    const file = newFile();
    writeFileSync(`${file}.partial`, whole.subarray(0, bytes));
    writeFileSync(`${file}.partial.json`, JSON.stringify(plan));
    return file;
  };

  beforeAll(async () => {
    server = await startServer();
    proxy = await startCuttingProxy({ host: '127.0.0.1', port: Number(new URL(server.url).port) });
    agent = await createToken(server, { catalogue: 'comma', scopes: ['reports:read', 'reports:write'] });
    for (let call = 0; call < 40; call++) {
      const made = await server.call('POST', '/api/v1/reports', {
        token: agent.token,
        body: { title: `A "quoted" title, ${call}`, body: `two\nlines ${'x'.repeat(call % 7 === 0 ? 40_000 : 50)}` },
      });
      expect(made.status).toBe(201);
      await server.call('GET', '/api/v1/me', { token: agent.token });
    }
  });
  afterAll(async () => {
    await proxy.close();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it.each([[[]], [['--format', 'csv']], [['--format', 'cloudevents']], [['--type', 'ReportCreated']]])(
    'P9 goes on where the connection broke: %j',
    async (words) => {
      const file = newFile();
      proxy.cutAfter(150_000, 'server');
      const broken = await run(file, words);
      expect(proxy.cut).toBe(true);
      expect(broken).toMatchObject({ exit: 3, out: '' });
      expect(existsSync(file)).toBe(false);
      expect(readFileSync(`${file}.partial`).length).toBeGreaterThan(0);

      // The log has grown since; the export has not.
      await server.call('GET', '/api/v1/me', { token: agent.token });
      expect(await run(file, words)).toMatchObject({ exit: 0, err: '' });
      expect(existsSync(`${file}.partial`) || existsSync(`${file}.partial.json`)).toBe(false);

      const whole = readFileSync(file);
      const manifest = manifestOf(file);
      expect(manifest).toMatchObject({
        bytes: whole.length,
        sha256: createHash('sha256').update(whole).digest('hex'),
      });
      const format = words[0] === '--format' ? `format=${words[1]}&` : '';
      const type = words[0] === '--type' ? `type=${words[1]}&` : '';
      const inOneGo = await fetch(`${server.url}/api/v1/audit/export?${format}${type}up_to=${manifest.up_to}`, {
        headers: { authorization: `Bearer ${server.operator}` },
      });
      const text = whole.toString('utf8');
      const other = await inOneGo.text();
      if (format !== '') {
        expect(text).toBe(other);
        return;
      }
      // The head tells when it was made, and so the end's hash differs.
      expect(text.split('\n').slice(1, -2)).toEqual(other.split('\n').slice(1, -2));
      expect(await verified(file)).toMatchObject({ exit: 0 });
    },
  );

  it.each([[{}], [{ format: 'csv' }], [{ format: 'cloudevents' }], [{ token: 'agent' }]])(
    'P9 wherever it broke off, the finished file is the same to the byte: %j',
    async (asked) => {
      const query: Readonly<Record<string, string>> = 'token' in asked ? { token: agent.id } : { ...asked };
      const words = Object.entries(query).flatMap(([name, value]) => [`--${name}`, value]);
      const first = newFile();
      expect(await run(first, words)).toMatchObject({ exit: 0 });
      const whole = readFileSync(first);
      const { up_to, sha256 } = manifestOf(first);
      const lineEnds = [...whole.entries()].flatMap(([at, byte]) => (byte === 0x0a ? [at, at + 1] : []));
      const anywhere = fc.oneof(
        fc.nat({ max: whole.length }),
        fc.constantFrom(...lineEnds),
        fc.constantFrom(0, lineEnds[1]!, lineEnds.at(-3)!, lineEnds.at(-1)!, whole.length - 1),
      );
      await fc.assert(
        fc.asyncProperty(anywhere, async (bytes) => {
          const file = breakOff(whole, { query, up_to }, bytes);
          expect(await run(file, words)).toMatchObject({ exit: 0 });
          // Where not even the head was whole, it is made anew, later.
          if (bytes < lineEnds[1]! && query['format'] === undefined) {
            expect(await verified(file)).toMatchObject({ exit: 0 });
          } else {
            expect(readFileSync(file).equals(whole)).toBe(true);
            expect(manifestOf(file).sha256).toBe(sha256);
          }
        }),
        { numRuns: 15 },
      );
    },
  );

  it('another export is not mixed into it, unless it is thrown away', async () => {
    const file = newFile();
    proxy.cutAfter(100_000, 'server');
    expect(await run(file, [])).toMatchObject({ exit: 3 });
    const other = await run(file, ['--format', 'csv']);
    expect(other).toMatchObject({ exit: 2 });
    expect(other.err).toMatch(/is of another export: \{\}\. --anew throws it away/);
    expect(await run(file, ['--format', 'csv', '--anew'])).toMatchObject({ exit: 0 });
    expect(readFileSync(file, 'utf8')).toMatch(/^leaf,position,/);
  });

  it('P12 asks for no leaf beyond, nor for a checkpoint nobody signed', async () => {
    const ask = (query: string) => server.call('GET', `/api/v1/audit/export?${query}`, { token: server.operator });
    expect(await ask('continue_from=3')).toMatchObject({ status: 422 });
    expect(await ask('up_to=5&continue_from=6')).toMatchObject({ status: 422 });
    expect(await ask('up_to=999999')).toMatchObject({ status: 404 });
  });
});
