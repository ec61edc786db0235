import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as send, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createToken, startServer, type TestServer } from '../support/server.ts';
import { SUITE_CATALOGUE, SUITE_PRODUCT } from './suite-product.ts';

const SUITE = resolve('node_modules/@modelcontextprotocol/conformance/dist/index.js');
const EXPECTED_FAILURES = resolve('test/conformance/expected-failures.yml');

/** The suite knows of no tokens: one is put in on the way. Everything else passes as it is. */
function withToken(target: URL, token: string): Server {
  return createServer((request, response) => {
    const { method, url: path } = request;
    const headers = { ...request.headers, authorization: `Bearer ${token}` };
    const onward = send({ host: target.hostname, port: target.port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
  });
}

describe('the MCP conformance suite', () => {
  let server: TestServer;
  let proxy: Server;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'writ-conformance-'));
    writeFileSync(join(folder, 'suite.yaml'), SUITE_CATALOGUE);
    server = await startServer({ cataloguesFolder: folder }, Date.now, SUITE_PRODUCT);
    const { token } = await createToken(server, { catalogue: 'suite', scopes: ['use'] });
    proxy = withToken(new URL(server.url), token);
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
  }, 120_000);
  afterAll(async () => {
    proxy.closeAllConnections();
    proxy.close();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it('finds what it asks for in a third product, and misses only what is listed', async () => {
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/api/mcp`;
    const arguments_ = [SUITE, 'server', '--url', url, '--expected-failures', EXPECTED_FAILURES];
    const child = spawn(process.execPath, arguments_, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const output of [child.stdout, child.stderr]) output.on('data', (data: Buffer) => (said += data.toString()));
    const [code] = (await once(child, 'exit')) as [number];
    expect(`${said.slice(said.indexOf('=== SUMMARY'))}\nends with ${code}`).toMatch(/ends with 0$/);
    expect(said).toMatch(/✓ resources-subscribe: 1 passed, 0 failed/);
  }, 300_000);
});
