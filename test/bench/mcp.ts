import { CELLS, cells } from './calls.ts';
import { end, type Listening, startBenchServer } from './child.ts';
import { inTurns, type Load, load, type LoadOptions, middle, ratio } from './load.ts';
import { table } from './markdown.ts';
import { atLeast, type Findings, type Subject } from './subject.ts';
import { createToken, withWrit } from './writ.ts';

const ROUNDS = 3;
const CONNECTIONS = 20;
/** Calls, not seconds: on a busy machine a slow server would be measured before its code is compiled. */
const WARM_CALLS = 4_000;
const SECONDS = 6;
const PATH = '/api/mcp';
const REVISION = '2026-07-28';

/** A tool's call over MCP, beside the SDK's own handler with one trivial tool. */
export const mcp: Subject = { name: 'mcp', measure };

async function measure(): Promise<Findings> {
  const loads = await inTurns(ROUNDS, {
    bare: () => bare('current'),
    current: () => writ('current'),
    bareOlder: () => bare('older'),
    older: () => writ('older'),
  });
  return render(loads);
}

type Revision = 'current' | 'older';

async function bare(revision: Revision): Promise<Load> {
  const server = await startBenchServer('bare-mcp', {});
  try {
    return await warmed(server, { post: callOf('01J9ZK00000000000000000000', revision) });
  } finally {
    await end(server);
  }
}

const writ = (revision: Revision): Promise<Load> =>
  withWrit(async (server, _token, operator) => {
    const { token } = await createToken(server.url, operator, ['reports:read', 'reports:write']);
    const report = await createReport(server.url, token);
    const post = callOf(report, revision);
    await answered(server, token, post);
    const measured = await warmed(server, { token, post });
    await answered(server, token, post);
    return measured;
  });

async function warmed(server: Listening, how: Pick<LoadOptions, 'token' | 'post'>): Promise<Load> {
  await load(server, PATH, { seconds: 0, calls: WARM_CALLS, connections: CONNECTIONS, ...how });
  return load(server, PATH, { seconds: SECONDS, connections: CONNECTIONS, ...how });
}

/** `tools/call` of `get_report`, as a client of that revision sends it. */
function callOf(id: string, revision: Revision): NonNullable<LoadOptions['post']> {
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const params = { name: 'get_report', arguments: { id } };
  const message = (more: object): string =>
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...params, ...more } });
  if (revision === 'older') return { body: message({}), headers: { ...headers, 'mcp-protocol-version': '2025-11-25' } };
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': REVISION,
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  return {
    body: message({ _meta: envelope }),
    headers: { ...headers, 'mcp-protocol-version': REVISION, 'mcp-method': 'tools/call', 'mcp-name': 'get_report' },
  };
}

async function createReport(url: string, token: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/reports`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ title: 'Week 48', body: 'All is well. '.repeat(20), status: 'published' }),
  });
  if (response.status !== 201) throw new Error(`no report was created: ${await response.text()}`);
  const { id } = (await response.json()) as { readonly id: string };
  const position = response.headers.get('x-log-position') ?? '';
  await fetch(`${url}/api/v1/reports/${id}`, {
    headers: { authorization: `Bearer ${token}`, 'x-log-position': position },
  });
  return id;
}

/** A refusal is a 200 over MCP, too, and no figure. */
async function answered(
  { url }: Listening,
  token: string,
  { body, headers }: NonNullable<LoadOptions['post']>,
): Promise<void> {
  const response = await fetch(url + PATH, {
    method: 'POST',
    headers: { ...headers, authorization: `Bearer ${token}` },
    body,
  });
  const text = await response.text();
  if (!text.includes('"structuredContent"')) throw new Error(`the call was not answered: ${text}`);
}

function render(loads: Readonly<Record<'bare' | 'current' | 'bareOlder' | 'older', Load[]>>): Findings {
  const row = (name: string, of: readonly Load[], to: readonly Load[]): string[] => [
    name,
    ...cells(middle(of)),
    ratio(of, to).toFixed(2),
  ];
  return {
    targets: [
      atLeast('`tools/call` of `get_report`, of the MCP SDK’s bare handler', 0.8, ratio(loads.current, loads.bare)),
      atLeast('the same by revision 2025-11-25', 0.8, ratio(loads.older, loads.bareOlder)),
    ],
    section: `## MCP

\`tools/call\` of \`get_report\` with ${CONNECTIONS} connections: authenticated, metered, read from the read model and recorded
durably before it is answered. Beside it the SDK's own handler (\`createMcpHandler\` on \`node:http\`) with one tool that
answers its argument. One server alive at a time, started anew for each round, order turned; medians of ${ROUNDS} rounds.

${table(
  [...CELLS, 'of bare'],
  [
    row(`bare handler, revision ${REVISION}`, loads.bare, loads.bare),
    row(`Writ, revision ${REVISION}`, loads.current, loads.bare),
    row('bare handler, revision 2025-11-25', loads.bareOlder, loads.bareOlder),
    row('Writ, revision 2025-11-25', loads.older, loads.bareOlder),
  ],
)}`,
  };
}
