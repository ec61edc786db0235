import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response as Answer } from 'express';
import type { Reply } from '../gate/gate.ts';
import type { Call, Result } from '../operation/operation.ts';
import { isProblem, malformed } from '../problem/problem.ts';
import type { Conversation, Opened, Spoken } from './conversation.ts';
import { handshake } from './handshakes.ts';
import { readable } from './methods.ts';
import type { OpenStreams, StreamRequest } from './open-streams.ts';
import type { Resources } from './resources.ts';
import type { SessionWatches } from './session-watches.ts';
import { MOST_WATCHED } from './watching.ts';
import { isStream } from './wire.ts';

/** What came of asking for a stream. */
export interface Listening {
  readonly reply: Reply;
  /** The library's answer where it is no stream: the request was not what it should be. */
  readonly refused: Response | null;
}

/** The library would not open a stream; its own answer says why. */
const NOT_OPENED = malformed('The request opens no stream.');

/**
 * Streams on which a client hears of changes: a long answer (DESIGN §3), on record when it opens and when it ends, and
 * cut with its token.
 */
export class StreamFace {
  readonly #conversation: Conversation;
  readonly #streams: OpenStreams;
  readonly #resources: Resources;
  readonly #watches: SessionWatches;

  constructor(conversation: Conversation, streams: OpenStreams, resources: Resources, watches: SessionWatches) {
    this.#conversation = conversation;
    this.#streams = streams;
    this.#resources = resources;
    this.#watches = watches;
  }

  /** `subscriptions/listen` of the current revision: what is watched stands in the request. */
  async listen(spoken: Spoken, answer: Answer): Promise<Listening> {
    return this.#ask(spoken, answer, async () => {
      const uris = await readable(spoken.exchange, this.#resources, watchedIn(spoken.body));
      const opened = await this.#conversation.listen({ ...spoken, body: watchingOnly(spoken.body, uris) });
      const hearsOfLists = notificationsIn(spoken.body)?.['resourcesListChanged'] === true;
      return { opened, watched: new Set(uris), hearsOfLists };
    });
  }

  /** The standing stream of an older client: what is watched was said before, to whichever process. */
  async listenOlder(spoken: Spoken, answer: Answer): Promise<Listening> {
    return this.#ask(spoken, answer, async () => {
      const { session } = spoken;
      const before = session === null ? [] : await this.#watches.of(session);
      const uris = await readable(spoken.exchange, this.#resources, [...before]);
      return { opened: await this.#conversation.listenOlder(spoken), watched: new Set(uris), hearsOfLists: true };
    });
  }

  async #ask(
    spoken: Spoken,
    answer: Answer,
    open: () => Promise<{ readonly opened: Opened } & Pick<StreamRequest, 'watched' | 'hearsOfLists'>>,
  ): Promise<Listening> {
    let letGo: () => void = () => undefined;
    let refused: Response | null = null;
    const take = async ({ token }: Call): Promise<Result> => {
      const { opened, watched, hearsOfLists } = await open();
      const { response, voice } = opened;
      if (response.body === null || !isStream(response)) {
        refused = response;
        return NOT_OPENED;
      }
      const { exchange, session } = spoken;
      const taken = await this.#streams.open(
        { exchange, tokenId: token.id, session: session?.id ?? null, watched, hearsOfLists },
        { ...voice, waitingBytes: () => answer.writableLength },
      );
      if (isProblem(taken)) {
        voice.end();
        return taken;
      }
      letGo = () => {
        taken();
        voice.end();
      };
      const bytes = response.body as AsyncIterable<Uint8Array>;
      return { content: { type: 'text/event-stream', open: () => bytes } };
    };
    const reply = await spoken.exchange.ask(handshake('mcp_listen', 'Listen for changes', take));
    if (isProblem(reply.result) || reply.result.content === undefined) letGo();
    else void this.#send(reply.result.content.open(), answer, letGo);
    return { reply, refused };
  }

  async #send(bytes: AsyncIterable<Uint8Array>, answer: Answer, letGo: () => void): Promise<void> {
    answer.setHeader('Content-Type', 'text/event-stream');
    answer.setHeader('Cache-Control', 'no-cache, no-transform');
    // Else a proxy may hold back what is told until it has a page of it.
    answer.setHeader('X-Accel-Buffering', 'no');
    answer.flushHeaders();
    answer.once('close', letGo);
    // Cut, ended, or the client went away: the end is on record, and there is nobody left to tell.
    await pipeline(Readable.from(bytes, { objectMode: false }), answer).catch(() => undefined);
  }
}

/** The URIs a request of the current revision wants to hear of, bounded. */
function watchedIn(body: unknown): string[] {
  const wanted = notificationsIn(body)?.['resourceSubscriptions'];
  return Array.isArray(wanted)
    ? [...new Set(wanted)].filter((uri) => typeof uri === 'string').slice(0, MOST_WATCHED)
    : [];
}

/** The request as it can be honoured: the acknowledgement names what is left of it. */
function watchingOnly(body: unknown, uris: readonly string[]): unknown {
  const notifications = notificationsIn(body);
  if (notifications === undefined || !Array.isArray(notifications['resourceSubscriptions'])) return body;
  const { params, ...message } = body as { readonly params: object };
  return { ...message, params: { ...params, notifications: { ...notifications, resourceSubscriptions: uris } } };
}

function notificationsIn(body: unknown): Readonly<Record<string, unknown>> | undefined {
  const found = (body as { readonly params?: { readonly notifications?: unknown } }).params?.notifications;
  return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : undefined;
}
