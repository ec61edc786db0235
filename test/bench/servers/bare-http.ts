import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What is compared with: Node's own server, answering one JSON body (from BODY) and nothing else. */
const body: unknown = JSON.parse(process.env['BODY'] ?? '{}');
const server = createServer((_request, response) => {
  const bytes = Buffer.from(JSON.stringify(body));
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', bytes.length);
  response.end(bytes);
});
server.listen(0, '127.0.0.1', () => {
  console.log(`Bench listens on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
