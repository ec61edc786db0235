import {
  isInitializeRequest,
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type RequestId,
  SdkHttpError,
  type StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import type { StdioServerTransport } from '@modelcontextprotocol/server/stdio';

/** Why the bridge ends. */
export type BridgeEnd = 'client-left' | 'token-refused' | 'no-server';

export interface BridgeOptions {
  /** The editor's side. */
  readonly stdio: StdioServerTransport;
  /** The server's side. */
  readonly http: StreamableHTTPClientTransport;
  /** A line for a person to read. */
  readonly say: (line: string) => void;
}

const SERVER_ERROR = -32_000;

/**
 * Carries messages both ways as they are, notifications and streams included. It knows of the protocol only what the
 * two transports do not share: over HTTP a request is cancelled by hanging up, and its revision stands in a header.
 */
export class Bridge {
  readonly #stdio: StdioServerTransport;
  readonly #http: StreamableHTTPClientTransport;
  readonly #say: (line: string) => void;
  /** No `Promise.withResolvers`: an editor may start this with Node 20. */
  #end: (end: BridgeEnd) => void = () => {};
  readonly #ended = new Promise<BridgeEnd>((resolve) => (this.#end = resolve));
  /** Requests of the client that are not answered yet. */
  readonly #pending = new Map<RequestId, AbortController>();
  readonly #initializing = new Set<RequestId>();
  #answered = false;

  constructor({ stdio, http, say }: BridgeOptions) {
    this.#stdio = stdio;
    this.#http = http;
    this.#say = say;
  }

  /** Resolves when there is nothing more to carry. */
  async run(): Promise<BridgeEnd> {
    this.#stdio.onmessage = (message: JSONRPCMessage) => void this.#up(message);
    this.#stdio.onclose = () => this.#end('client-left');
    this.#http.onmessage = (message: JSONRPCMessage) => void this.#down(message);
    // A standing stream that is refused when it is opened again: nobody waits for its answer.
    this.#http.onerror = (error) => {
      if (isUnauthorized(error)) this.#end('token-refused');
    };
    await this.#http.start();
    await this.#stdio.start();
    const end = await this.#ended;
    await this.#http.close();
    await this.#stdio.close();
    return end;
  }

  async #up(message: JSONRPCMessage): Promise<void> {
    const hangUp = new AbortController();
    const id = isJSONRPCRequest(message) ? message.id : null;
    if (id !== null) this.#pending.set(id, hangUp);
    if (id !== null && isInitializeRequest(message)) this.#initializing.add(id);
    if (isJSONRPCNotification(message) && message.method === 'notifications/cancelled') this.#cancel(message.params);
    try {
      await this.#http.send(message, {
        requestSignal: hangUp.signal,
        ...(id === null ? {} : { onRequestStreamEnd: () => void this.#answer(id, 'The stream has ended.') }),
      });
    } catch (error) {
      if (!hangUp.signal.aborted) await this.#failed(error as Error, id);
    }
  }

  async #down(message: JSONRPCMessage): Promise<void> {
    this.#answered = true;
    if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) {
      const id = message.id ?? null;
      if (id !== null) this.#pending.delete(id);
      if (id !== null && this.#initializing.delete(id) && isJSONRPCResultResponse(message)) {
        const revision = message.result['protocolVersion'];
        if (typeof revision === 'string') this.#http.setProtocolVersion(revision);
      }
    }
    // A client that is gone hears nothing; that it is gone ends the bridge.
    await this.#stdio.send(message).catch(() => undefined);
  }

  #cancel(params: Readonly<Record<string, unknown>> | undefined): void {
    const id = params?.['requestId'] as RequestId | undefined;
    if (id === undefined) return;
    this.#pending.get(id)?.abort();
    this.#pending.delete(id);
  }

  async #failed(error: Error, id: RequestId | null): Promise<void> {
    const words = wordsOf(error);
    if (id !== null) await this.#answer(id, words);
    if (isUnauthorized(error)) this.#end('token-refused');
    else if (!(error instanceof SdkHttpError) && !this.#answered) this.#end('no-server');
    else this.#say(words);
  }

  /** Nobody is left waiting. */
  async #answer(id: RequestId, message: string): Promise<void> {
    if (!this.#pending.delete(id)) return;
    await this.#stdio.send({ jsonrpc: '2.0', id, error: { code: SERVER_ERROR, message } }).catch(() => undefined);
  }
}

const isUnauthorized = (error: Error): boolean => error instanceof SdkHttpError && error.status === 401;

/** The server's own words where it gave any. */
function wordsOf(error: Error): string {
  if (!(error instanceof SdkHttpError)) return `The server does not answer (${error.message}).`;
  const { text } = error.data;
  try {
    const { detail, error: inside } = JSON.parse(typeof text === 'string' ? text : '') as {
      detail?: string;
      error?: { message?: string };
    };
    return detail ?? inside?.message ?? `The server answered ${error.status}.`;
  } catch {
    return `The server answered ${error.status}.`;
  }
}
