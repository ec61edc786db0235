#!/usr/bin/env node
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { Bridge } from './bridge.ts';
import { readSetup, SetupMistake } from './setup.ts';

// Standard output is the protocol's; what people are to read goes to standard error.
const say = (line: string): void => console.error(`writ-mcp: ${line}`);

try {
  const { url, token, variable } = readSetup(process.env, process.argv.slice(2));
  const http = new StreamableHTTPClientTransport(url, {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
  const end = await new Bridge({ stdio: new StdioServerTransport(), http, say }).run();
  switch (end) {
    case 'client-left':
      process.exit(0);
    case 'token-refused':
      say(`the token in ${variable} is wrong, expired or revoked: put a live one there and start again.`);
      process.exit(1);
    case 'no-server':
      say(`no server answers at ${url.origin}: start it, or set WRIT_URL to where it is.`);
      process.exit(3);
    default:
      unknownEnd(end);
  }
} catch (error) {
  if (!(error instanceof SetupMistake)) throw error;
  say(error.message);
  process.exit(2);
}

function unknownEnd(end: never): never {
  throw new Error(`unknown end ${String(end)}`);
}
