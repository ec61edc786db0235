import {
  createMcpHandler,
  InMemoryServerEventBus,
  type JSONRPCNotification,
  type JSONRPCRequest,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerCapabilities,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import type { Exchange } from './exchange.ts';
import type { Method } from './methods.ts';
import type { Voice } from './open-streams.ts';
import type { Session } from './session.ts';

/** One HTTP request in the library's own terms: only the headers the protocol speaks of, and never the token (P5). */
export interface Spoken {
  readonly exchange: Exchange;
  readonly session: Session | null;
  readonly httpMethod: 'GET' | 'POST';
  readonly headers: Headers;
  /** Parsed; undefined where there is none. */
  readonly body: unknown;
}

/** An answer that goes on, and how to put things into it. */
export interface Opened {
  readonly response: Response;
  readonly voice: Omit<Voice, 'waitingBytes'>;
}

export const SERVER_INFO = { name: 'writ', title: 'Writ', version: '0.1.0' } as const;

const CAPABILITIES: ServerCapabilities = {
  tools: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
};

const INSTRUCTIONS = [
  'Each tool is an operation your token may do; a tool that is missing from the list is one it may not.',
  'Changes take the version you have read as if_version, and are refused when somebody else was faster.',
  'What is refused says why and what helps: a scope your owner can add, or the seconds to wait.',
].join(' ');

const OPTIONS = { capabilities: CAPABILITIES, instructions: INSTRUCTIONS };

/**
 * Speaks the protocol, of whichever revision, by the SDK: a server of its own for every HTTP request, built of no more
 * than that request needs.
 */
export class Conversation {
  readonly #methods: Readonly<Record<string, Method>>;
  readonly #onFault: (error: Error) => void;

  constructor(methods: Readonly<Record<string, Method>>, onFault: (error: Error) => void) {
    this.#methods = methods;
    this.#onFault = onFault;
  }

  /** Answers a message of the current revision (and whatever claims to be one). */
  async answer(spoken: Spoken): Promise<Response> {
    return this.#handler(spoken).fetch(requestOf(spoken), parsed(spoken.body));
  }

  /** Answers a message or batch of an older revision: as JSON, since nothing is said before the answer. */
  async answerOlder(spoken: Spoken): Promise<Response> {
    const { server, transport } = await this.#older(spoken);
    try {
      return await transport.handleRequest(requestOf(spoken), parsed(withoutIdle(spoken.body)));
    } finally {
      await server.close();
    }
  }

  /** `subscriptions/listen`: an event bus of its own, on which nothing comes but what concerns this one stream. */
  async listen(spoken: Spoken): Promise<Opened> {
    const bus = new InMemoryServerEventBus(this.#onFault);
    const handler = this.#handler(spoken, bus);
    return {
      response: await handler.fetch(requestOf(spoken), parsed(spoken.body)),
      voice: {
        toolsChanged: handler.notify.toolsChanged,
        resourcesChanged: handler.notify.resourcesChanged,
        resourceUpdated: handler.notify.resourceUpdated,
        end: () => void handler.close().catch(this.#onFault),
      },
    };
  }

  /** The standing stream of an older client (GET). */
  async listenOlder(spoken: Spoken): Promise<Opened> {
    const { server, transport } = await this.#older(spoken);
    const quietly = (told: Promise<void>): void => void told.catch(this.#onFault);
    return {
      response: await transport.handleRequest(requestOf(spoken)),
      voice: {
        toolsChanged: () => quietly(server.sendToolListChanged()),
        resourcesChanged: () => quietly(server.sendResourceListChanged()),
        resourceUpdated: (uri) => quietly(server.sendResourceUpdated({ uri })),
        end: () => quietly(server.close()),
      },
    };
  }

  #handler(spoken: Spoken, bus?: InMemoryServerEventBus): ReturnType<typeof createMcpHandler> {
    return createMcpHandler(() => this.#server(spoken), {
      legacy: 'reject',
      ...(bus === undefined ? {} : { bus }),
    });
  }

  async #older(
    spoken: Spoken,
  ): Promise<{ readonly server: Server; readonly transport: WebStandardStreamableHTTPServerTransport }> {
    const server = this.#server(spoken);
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
    await server.connect(transport);
    return { server, transport };
  }

  #server({ exchange, session, body }: Spoken): Server {
    const server = new Server(SERVER_INFO, OPTIONS);
    if (!this.#reaches(body)) return server;
    // Below the library's own handlers, each of which would parse its input and its output once more.
    server.fallbackRequestHandler = async ({ method, params = {} }) => {
      const ours = this.#methods[method];
      if (ours === undefined) throw new ProtocolError(ProtocolErrorCode.MethodNotFound, 'Method not found');
      return ours({ exchange, session, params });
    };
    return server;
  }

  /** Else the library itself says that it knows no such method, with the status the revision asks for. */
  #reaches(body: unknown): boolean {
    return (
      Array.isArray(body) || Object.hasOwn(this.#methods, String((body as { method?: unknown } | undefined)?.method))
    );
  }
}

const requestOf = ({ httpMethod, headers }: Spoken): Request =>
  new Request('http://localhost/api/mcp', { method: httpMethod, headers });

const parsed = (body: unknown): { readonly parsedBody?: unknown } => (body === undefined ? {} : { parsedBody: body });

/**
 * A batch without what nobody waits for: there is nothing a notification could act upon, since no request here outlives
 * its own answer; and one cancelled beside it would never be answered.
 */
function withoutIdle(body: unknown): unknown {
  if (!Array.isArray(body)) return body;
  const requests = (body as Partial<JSONRPCRequest | JSONRPCNotification>[]).filter(
    (message) => message !== null && typeof message === 'object' && 'id' in message,
  );
  return requests.length === 0 ? body : requests;
}
