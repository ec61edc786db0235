/** What is compared with: the MCP SDK's own handler as its guide sets it up, with one trivial tool. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, fromJsonSchema, McpServer } from '@modelcontextprotocol/server';

const id = fromJsonSchema<{ id: string }>({ type: 'object', required: ['id'], properties: { id: { type: 'string' } } });
const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'bare', version: '1' });
  server.registerTool('get_report', { description: 'Trivial.', inputSchema: id }, ({ id }) => ({
    content: [{ type: 'text', text: id }],
  }));
  return server;
});
const serve = toNodeHandler(handler);
// Node's own types of a request do not satisfy the SDK's under exactOptionalPropertyTypes.
const server = createServer((request, response) => void serve(request as NodeIncomingMessageLike, response));
server.listen(0, '127.0.0.1', () => {
  console.log(`Bench listens on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
