import {
  type CallToolResult,
  type ListResourcesResult,
  type ListResourceTemplatesResult,
  type ListToolsResult,
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  ResourceNotFoundError,
  type Result,
} from '@modelcontextprotocol/server';
import type { RawInput } from '../gate/envelope.ts';
import type { Reply } from '../gate/gate.ts';
import type { DeclaredOperation, Done } from '../operation/operation.ts';
import { isProblem, malformed, type Problem } from '../problem/problem.ts';
import type { Exchange } from './exchange.ts';
import { handshake, UNKNOWN_REQUEST } from './handshakes.ts';
import { conditionsOf, META } from './meta.ts';
import { type NamedResource, type ResourceKind, type Resources, templateOf, uriOf } from './resources.ts';
import type { Session } from './session.ts';
import type { SessionWatches } from './session-watches.ts';
import { advice, toolResult } from './tool-result.ts';
import { IF_VERSION, takesVersion, type Tools } from './tools.ts';

/** A request of the protocol that is ours to answer, and what it may lean on. */
export interface Asking {
  readonly exchange: Exchange;
  readonly session: Session | null;
  readonly params: Readonly<Record<string, unknown>>;
}

export type Method = (asking: Asking) => Promise<Result>;

const RESOURCES_A_PAGE = 50;
const JSON_TYPE = 'application/json';

/** The methods of the protocol that reach the products, each by way of the gate. */
export function methodsOf(
  tools: Tools,
  resources: Resources,
  watches: SessionWatches,
): Readonly<Record<string, Method>> {
  const listTools = handshake('mcp_list_tools', 'List tools', ({ token }) => ({ body: tools.of(token) }));
  const listKinds = handshake('mcp_list_resources', 'List resources', ({ token }) => ({ body: resources.of(token) }));

  return {
    async 'tools/list'({ exchange }): Promise<ListToolsResult> {
      return { tools: bodyOf<ListToolsResult['tools']>(await exchange.ask(listTools)) };
    },

    async 'tools/call'({ exchange, params }): Promise<CallToolResult> {
      const { name, arguments: given = {}, _meta } = params;
      const tool = typeof name === 'string' ? tools.named(name) : null;
      if (tool === null) return refuseUnknown(exchange, 'There is no such tool.', 'name');
      const { input, ifMatch } = inputOf(tool, given);
      const conditions = conditionsOf(_meta);
      return toolResult(await exchange.ask(tool, input, { ...conditions, ifMatch: ifMatch ?? conditions.ifMatch }));
    },

    async 'resources/list'({ exchange, params }): Promise<ListResourcesResult> {
      const from = cursorOf(params['cursor']);
      if (from === null) return refuseUnknown(exchange, 'The cursor is none that this list has given out.', 'cursor');
      const kinds = bodyOf<readonly ResourceKind[]>(await exchange.ask(listKinds));
      const kind = kinds.find(({ read }) => from.kind === null || read.spec.name === from.kind);
      if (kind === undefined) return { resources: [] };
      const page = bodyOf<{ readonly items: readonly Listed[]; readonly next: string | null }>(
        await exchange.ask(kind.list, {
          ok: true,
          value: { limit: RESOURCES_A_PAGE, ...(from.cursor === null ? {} : { cursor: from.cursor }) },
        }),
      );
      const next = page.next === null ? kinds[kinds.indexOf(kind) + 1] : kind;
      return {
        resources: page.items.map((item) => ({
          uri: uriOf({ kind, id: item.id }),
          name: item.title ?? item.name ?? item.id,
          mimeType: JSON_TYPE,
        })),
        ...(next === undefined ? {} : { nextCursor: cursorText({ kind: next.read.spec.name, cursor: page.next }) }),
      };
    },

    async 'resources/templates/list'({ exchange }): Promise<ListResourceTemplatesResult> {
      return {
        resourceTemplates: bodyOf<readonly ResourceKind[]>(await exchange.ask(listKinds)).map(templateOf),
      };
    },

    async 'resources/read'({ exchange, params }): Promise<ReadResourceResult> {
      const { uri, _meta } = params;
      const { done, requestId } = await readResource(exchange, resources, uri, _meta);
      const text = JSON.stringify(done.body);
      return {
        contents: [{ uri: String(uri), mimeType: JSON_TYPE, text }],
        _meta: {
          [META.requestId]: requestId,
          ...(done.revision === undefined ? {} : { [META.revision]: done.revision }),
        },
      };
    },

    async 'resources/subscribe'({ exchange, session, params }): Promise<Result> {
      const { named } = await readResource(exchange, resources, params['uri'], undefined);
      bodyOf(await exchange.ask(watches.change('Watch', requireSession(session), uriOf(named))));
      return {};
    },

    async 'resources/unsubscribe'({ exchange, session, params }): Promise<Result> {
      const uri = String(params['uri']);
      bodyOf(await exchange.ask(watches.change('Unwatch', requireSession(session), uri)));
      return {};
    },
  };
}

/** The URIs of those resources the caller may read now: each is read, and on record. */
export async function readable(exchange: Exchange, resources: Resources, uris: readonly string[]): Promise<string[]> {
  const readable: string[] = [];
  for (const uri of uris) {
    const named = resources.named(uri);
    if (named === null) continue;
    const { result } = await exchange.ask(named.kind.read, { ok: true, value: { id: named.id } });
    if (!isProblem(result)) readable.push(uri);
  }
  return readable;
}

/** What a method throws for a problem; who is not known at all is answered by HTTP, whatever this says. */
export const protocolError = (problem: Problem): ProtocolError =>
  new ProtocolError(
    problem.status >= 500 ? ProtocolErrorCode.InternalError : ProtocolErrorCode.InvalidParams,
    advice(problem),
    { [META.problem]: problem },
  );

interface Listed {
  readonly id: string;
  readonly title?: string;
  readonly name?: string;
}

/** The body of an answer. @throws ProtocolError of a problem */
function bodyOf<Body>({ result }: Reply): Body {
  if (isProblem(result)) throw protocolError(result);
  return result.body as Body;
}

/** What is asked for is unknown; who asks is not asked less for it, and it is on record as refused (P12). */
async function refuseUnknown(exchange: Exchange, detail: string, field: string): Promise<never> {
  const { result } = await exchange.ask(UNKNOWN_REQUEST, { ok: false, problem: malformed(detail, field) });
  throw protocolError(isProblem(result) ? result : malformed(detail, field));
}

async function readResource(
  exchange: Exchange,
  resources: Resources,
  uri: unknown,
  meta: unknown,
): Promise<{ readonly named: NamedResource; readonly done: Done; readonly requestId: string }> {
  const named = typeof uri === 'string' ? resources.named(uri) : null;
  if (named === null) return refuseUnknown(exchange, 'There is no such resource.', 'uri');
  const { result, requestId } = await exchange.ask(
    named.kind.read,
    { ok: true, value: { id: named.id } },
    conditionsOf(meta),
  );
  if (!isProblem(result)) return { named, done: result, requestId };
  if (result.status === 404) throw new ResourceNotFoundError(uriOf(named));
  throw protocolError(result);
}

/** Arguments as the operation's input, and the version among them as `If-Match`. */
function inputOf({ spec }: DeclaredOperation, given: unknown): { readonly input: RawInput; readonly ifMatch?: string } {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return { input: { ok: false, problem: malformed('arguments must be an object.', 'arguments') } };
  }
  const values = given as Readonly<Record<string, unknown>>;
  const version = values[IF_VERSION];
  if (version === undefined || !takesVersion(spec)) return { input: { ok: true, value: values } };
  const { [IF_VERSION]: _, ...rest } = values;
  return { input: { ok: true, value: rest }, ifMatch: `"${String(version)}"` };
}

function requireSession(session: Session | null): Session {
  if (session !== null) return session;
  throw new ProtocolError(
    ProtocolErrorCode.InvalidRequest,
    'Subscribing takes a session: send the Mcp-Session-Id that initialize was answered with.',
  );
}

interface ListCursor {
  readonly kind: string | null;
  readonly cursor: string | null;
}

const cursorText = (cursor: ListCursor): string => Buffer.from(JSON.stringify(cursor)).toString('base64url');

/** Null: it is none that a list has given out. */
function cursorOf(text: unknown): ListCursor | null {
  if (text === undefined) return { kind: null, cursor: null };
  try {
    const { kind, cursor } = JSON.parse(Buffer.from(String(text), 'base64url').toString()) as ListCursor;
    return typeof kind === 'string' && (cursor === null || typeof cursor === 'string') ? { kind, cursor } : null;
  } catch {
    return null;
  }
}
