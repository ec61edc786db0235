import { Inject, Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { classifyInboundRequest } from '@modelcontextprotocol/server';
import type { ExpressAdapter } from '@nestjs/platform-express';
import type { Express, NextFunction, Request, Response } from 'express';
import type { Catalogues } from '../catalogue/catalogue.ts';
import type { EventLog } from '../event-log/event-log.ts';
import type { Freshness } from '../gate/freshness.ts';
import { Gate } from '../gate/gate.ts';
import { newId } from '../ids/new-id.ts';
import { CATALOGUES, EVENT_LOG, FRESHNESS, SETTINGS } from '../injection-tokens.ts';
import { Operations } from '../operation/operations.ts';
import { isProblem, malformed, type Problem } from '../problem/problem.ts';
import { sendProblem, setHeaders } from '../rest/answer.ts';
import { type Answering, readBody } from '../rest/read-body.ts';
import type { Settings } from '../settings/settings.ts';
import { TOKEN_PREFIX } from '../tokens/events.ts';
import { type ChangeFeed, followChanges } from './change-feed.ts';
import { Conversation, type Spoken } from './conversation.ts';
import { Exchange } from './exchange.ts';
import { handshakeOf } from './handshakes.ts';
import { idOf, type Incoming, incomingOf, methodOf } from './incoming.ts';
import { KnownHosts } from './known-hosts.ts';
import { methodsOf } from './methods.ts';
import { OpenStreams } from './open-streams.ts';
import { MCP_PATH, METADATA_PATHS, metadataUrl, resourceMetadata } from './protected-resource.ts';
import { Resources } from './resources.ts';
import { sealSession } from './session.ts';
import { SessionWatches } from './session-watches.ts';
import { type Listening, StreamFace } from './stream-face.ts';
import { Tools } from './tools.ts';
import { SESSION_PREFIX } from './watching.ts';
import { rpcProblem, send, type Whole, wholeOf } from './wire.ts';

const LISTEN = 'subscriptions/listen';

/**
 * The operations as MCP tools and resources, at `/api/mcp` (Streamable HTTP). The SDK speaks the protocol; every message
 * passes the gate as REST's calls do, and nothing is answered to whom the gate does not know.
 */
@Injectable()
export class McpFace implements OnModuleInit, OnModuleDestroy {
  readonly #logger = new Logger(McpFace.name);
  readonly #metadataUrl: string;
  readonly #hosts: KnownHosts;
  #feed: ChangeFeed | null = null;
  #streams: OpenStreams | null = null;

  constructor(
    private readonly adapters: HttpAdapterHost<ExpressAdapter>,
    private readonly operations: Operations,
    private readonly gate: Gate,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(FRESHNESS) private readonly freshness: Freshness,
    @Inject(CATALOGUES) private readonly catalogues: Catalogues,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {
    this.#metadataUrl = metadataUrl(settings.publicUrl);
    this.#hosts = new KnownHosts([new URL(settings.publicUrl).hostname, settings.host, ...settings.allowedHosts]);
  }

  onModuleInit(): void {
    const { all } = this.operations;
    const resources = new Resources(all);
    const watches = new SessionWatches(this.log);
    const onFault = (error: Error): void => this.#logger.warn({ error }, 'an MCP exchange went wrong');
    const streamPrefixes = [TOKEN_PREFIX, SESSION_PREFIX, ...resources.streamPrefixes];
    this.#feed = followChanges({ log: this.log, streamPrefixes, onFault });
    const { log, freshness } = this;
    this.#streams = new OpenStreams({ log, freshness, resources, feed: this.#feed, clock: Date.now, onFault });
    const conversation = new Conversation(methodsOf(new Tools(all), resources, watches), onFault);
    const streamFace = new StreamFace(conversation, this.#streams, resources, watches);
    const document = resourceMetadata(this.settings.publicUrl, this.catalogues);

    const app = this.adapters.httpAdapter.getInstance<Express>();
    for (const path of METADATA_PATHS) app.get(path, (_request, response) => void response.json(document));
    const guard = (request: Request, response: Response, next: NextFunction): void =>
      this.#guard(request, response, next);
    app.post(MCP_PATH, guard, readBody, (request: Request, response: Answering) => {
      void this.#answer(request, response, conversation, streamFace);
    });
    app.get(MCP_PATH, guard, (request, response) => void this.#listen(request, response, streamFace));
    app.all(MCP_PATH, guard, (_request, response) => {
      response.setHeader('Allow', 'GET, POST');
      send(response, rpcProblem({ ...malformed('The MCP endpoint takes GET and POST.'), status: 405 }, null));
    });
  }

  onModuleDestroy(): void {
    this.#streams?.close();
    this.#feed?.stop();
  }

  #guard({ headers }: Request, response: Response, next: NextFunction): void {
    const problem = this.#hosts.check(headers.host, headers.origin);
    if (problem === null) return next();
    this.#refuse(problem, response);
  }

  async #answer(
    request: Request,
    response: Answering,
    conversation: Conversation,
    streamFace: StreamFace,
  ): Promise<void> {
    const incoming = incomingOf(request, response.locals.unreadable);
    const exchange = new Exchange(this.gate, incoming.caller);
    const spoken = spokenOf(request, exchange, incoming);
    const method = methodOf(incoming.body);
    if (method === LISTEN && incoming.problem === null) {
      await this.#finishListening(await streamFace.listen(spoken, response), exchange, response);
      return;
    }
    const older = isOlder(spoken);
    const whole =
      incoming.problem === null
        ? await wholeOf(await (older ? conversation.answerOlder(spoken) : conversation.answer(spoken)))
        : rpcProblem(incoming.problem, idOf(incoming.body));
    const refusal = exchange.last === null ? await this.#askAfterwards(exchange, method, whole) : null;
    const problem = exchange.refusal ?? refusal;
    if (problem !== null) return this.#refuse(problem, response, exchange);
    if (older && method === 'initialize' && whole.status === 200) this.#beginSession(incoming.caller, response);
    this.#head(exchange, response);
    send(response, whole);
  }

  /**
   * What reached no operation passes the gate all the same, before it is answered: a handshake, or a message that the
   * library refused and that is recorded as such (P12). Returns why it may not be answered; null: it may.
   */
  async #askAfterwards(exchange: Exchange, method: string | undefined, whole: Whole): Promise<Problem | null> {
    const refused = isError(whole);
    const input = refused ? ({ ok: false, problem: REFUSED_BY_PROTOCOL } as const) : ({ ok: true, value: {} } as const);
    const { result } = await exchange.ask(handshakeOf(method), input);
    return isProblem(result) && result !== REFUSED_BY_PROTOCOL ? result : null;
  }

  async #listen(request: Request, response: Response, streamFace: StreamFace): Promise<void> {
    const incoming = incomingOf(request, undefined);
    const exchange = new Exchange(this.gate, incoming.caller);
    if (incoming.problem !== null) {
      const refusal = await this.#askAfterwards(exchange, undefined, rpcProblem(incoming.problem, null));
      if (refusal !== null) return this.#refuse(refusal, response, exchange);
      return send(response, rpcProblem(incoming.problem, null));
    }
    const listening = await streamFace.listenOlder(spokenOf(request, exchange, incoming), response);
    await this.#finishListening(listening, exchange, response);
  }

  async #finishListening({ reply, refused }: Listening, exchange: Exchange, response: Response): Promise<void> {
    if (!isProblem(reply.result)) return;
    if (refused === null || exchange.refusal !== null) return this.#refuse(reply.result, response, exchange);
    this.#head(exchange, response);
    send(response, await wholeOf(refused));
  }

  #beginSession({ credential, clientName }: Incoming['caller'], response: Response): void {
    if (isProblem(credential)) return;
    response.setHeader('Mcp-Session-Id', sealSession({ id: newId(), client: clientName }, credential));
  }

  #head(exchange: Exchange, response: Response): void {
    if (exchange.last !== null) setHeaders(exchange.last, response);
  }

  #refuse(problem: Problem, response: Response, exchange?: Exchange): void {
    if (exchange !== undefined) this.#head(exchange, response);
    sendProblem(problem, response, this.#metadataUrl);
  }
}

/** The library's answer was an error of the protocol: the call is recorded as one that failed. */
const REFUSED_BY_PROTOCOL = malformed('The message is none of the protocol, or not of this server.');

const isError = ({ status, body }: Whole): boolean =>
  status >= 400 || (body.startsWith('{') && 'error' in (JSON.parse(body) as object));

/** What the protocol's library is told of a request. */
const PROTOCOL_HEADERS = ['accept', 'content-type', 'mcp-protocol-version', 'mcp-method', 'mcp-name', 'last-event-id'];

function spokenOf({ method, headers: given }: Request, exchange: Exchange, { session, body }: Incoming): Spoken {
  const headers = new Headers();
  for (const name of PROTOCOL_HEADERS) {
    const value = given[name];
    if (typeof value === 'string') headers.set(name, value);
  }
  return { exchange, session, httpMethod: method === 'GET' ? 'GET' : 'POST', headers, body };
}

/** By what the message claims and its headers say, as the SDK tells revisions apart. */
function isOlder({ headers, body }: Spoken): boolean {
  if (body === undefined) return false;
  const header = (name: string): string | undefined => headers.get(name) ?? undefined;
  const { kind } = classifyInboundRequest({
    httpMethod: 'POST',
    protocolVersionHeader: header('mcp-protocol-version'),
    mcpMethodHeader: header('mcp-method'),
    mcpNameHeader: header('mcp-name'),
    body,
  } as Parameters<typeof classifyInboundRequest>[0]);
  return kind === 'legacy';
}
