import { setTimeout as delay } from 'node:timers/promises';
import {
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  status,
} from '@grpc/grpc-js';
import { batchFailure, batchSuccess, singleAnswer, singleFailure } from './answers.ts';
import {
  expectedOf,
  featuresPb,
  nameOf,
  proposedOf,
  ServerFeaturesService,
  streamsPb,
  StreamsService,
} from './messages.ts';
import { type ReadCall, serveRead } from './reads.ts';
import { type AppendResult, EventStore, type Expected, type ProposedEvent } from './store.ts';

type BatchRequest = InstanceType<(typeof streamsPb)['BatchAppendReq']>;
type BatchResponse = InstanceType<(typeof streamsPb)['BatchAppendResp']>;
type AppendRequest = InstanceType<(typeof streamsPb)['AppendReq']>;
type AppendResponse = InstanceType<(typeof streamsPb)['AppendResp']>;
type DeleteRequest = InstanceType<(typeof streamsPb)['DeleteReq']>;
type DeleteResponse = InstanceType<(typeof streamsPb)['DeleteResp']>;

interface Append {
  readonly stream: string;
  readonly expected: Expected;
  readonly events: ProposedEvent[];
}

/** An EventStoreDB in this process, as far as the client asks one; keeps to DESIGN §7. A single node, no gossip. */
export class EventStoreDouble {
  readonly store = new EventStore();
  /** Holds every append back this long before it is stored. */
  delayAppendsMs = 0;
  /** Appends that arrived, whatever became of them. */
  appendCount = 0;
  #server = new Server();
  #port = 0;
  #cut: 'before' | 'after' | undefined;
  readonly #subscriptions = new Set<ReadCall>();

  get connectionString(): string {
    return `esdb://127.0.0.1:${this.#port}?tls=false`;
  }

  /** Listens, on the same port as the last time; what was stored is still there. */
  async start(): Promise<this> {
    this.#server = new Server({ 'grpc.max_receive_message_length': 17 * 1024 * 1024 });
    this.#server.addService(StreamsService, {
      batchAppend: (call: ServerDuplexStream<BatchRequest, BatchResponse>) => this.#batchAppend(call),
      append: (call: ServerReadableStream<AppendRequest, AppendResponse>, answer: sendUnaryData<AppendResponse>) =>
        this.#append(call, answer),
      read: (call: ReadCall) => this.#read(call),
      delete: this.#delete('soft-deleted'),
      tombstone: this.#delete('tombstoned'),
    });
    this.#server.addService(ServerFeaturesService, {
      getSupportedMethods: (_call: unknown, answer: sendUnaryData<unknown>) => answer(null, supportedMethods()),
    });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#server.bindAsync(`127.0.0.1:${this.#port}`, ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
    this.#port = await promise;
    return this;
  }

  /** As a killed server: every connection breaks at once. */
  stop(): void {
    this.#server.forceShutdown();
  }

  /** The connection breaks when the next append arrives, before it is stored. */
  cutBeforeStore(): void {
    this.#cut = 'before';
  }

  /** The connection breaks after the next append was stored, before its answer. */
  cutAfterStore(): void {
    this.#cut = 'after';
  }

  dropSubscriptions(): void {
    for (const call of this.#subscriptions) call.emit('error', gone);
    this.#subscriptions.clear();
  }

  /** Null when the connection is to break instead of an answer. */
  async #perform({ stream, expected, events }: Append): Promise<AppendResult | null> {
    this.appendCount += 1;
    if (this.delayAppendsMs > 0) await delay(this.delayAppendsMs, undefined, { ref: false });
    const cut = this.#cut;
    this.#cut = undefined;
    if (cut === 'before') return null;
    const result = this.store.append(stream, expected, events);
    return cut === 'after' ? null : result;
  }

  #batchAppend(call: ServerDuplexStream<BatchRequest, BatchResponse>): void {
    const gathering = new Map<string, Append>();
    let previous = Promise.resolve();
    call.on('data', (request: BatchRequest) => {
      const id = request.getCorrelationId()?.getString() ?? '';
      const options = request.getOptions();
      if (options !== undefined) {
        const stream = nameOf(options.getStreamIdentifier());
        gathering.set(id, { stream, expected: expectedOf(options, options.getStreamPosition()), events: [] });
      }
      const append = gathering.get(id);
      if (append === undefined) return;
      append.events.push(...request.getProposedMessagesList().map(proposedOf));
      if (!request.getIsFinal()) return;
      gathering.delete(id);
      previous = previous.then(async () => {
        if (call.cancelled || call.destroyed) return;
        const result = await this.#perform(append);
        if (result === null) call.emit('error', gone);
        else if (result.kind === 'success') call.write(batchSuccess(id, append.stream, result));
        else call.write(batchFailure(id, append.stream, append.expected, result));
      });
    });
    call.on('error', () => undefined);
    call.on('end', () => void previous.then(() => call.end()));
  }

  /** One append a call: what a client with credentials of its own sends. */
  #append(call: ServerReadableStream<AppendRequest, AppendResponse>, answer: sendUnaryData<AppendResponse>): void {
    let append: Append | undefined;
    call.on('data', (request: AppendRequest) => {
      const options = request.getOptions();
      const message = request.getProposedMessage();
      if (options !== undefined) {
        const stream = nameOf(options.getStreamIdentifier());
        append = { stream, expected: expectedOf(options, options.getRevision()), events: [] };
      } else if (message !== undefined) append?.events.push(proposedOf(message));
    });
    call.on('end', () => {
      if (append === undefined) return;
      const { stream, expected } = append;
      void this.#perform(append).then((result) => {
        if (result === null) answer(gone);
        else if (result.kind === 'stream-deleted' || result.kind === 'too-large') answer(singleFailure(stream, result));
        else answer(null, singleAnswer(expected, result));
      });
    });
  }

  #read(call: ReadCall): void {
    call.on('error', () => undefined);
    if (call.request.getOptions()?.hasSubscription() === true) {
      this.#subscriptions.add(call);
      call.on('close', () => this.#subscriptions.delete(call));
      call.on('cancelled', () => this.#subscriptions.delete(call));
    }
    void serveRead(this.store, call);
  }

  #delete(kind: 'soft-deleted' | 'tombstoned') {
    const Response = kind === 'tombstoned' ? streamsPb.TombstoneResp : streamsPb.DeleteResp;
    return (call: ServerUnaryCall<DeleteRequest, DeleteResponse>, answer: sendUnaryData<DeleteResponse>): void => {
      const last = this.store.delete(nameOf(call.request.getOptions()?.getStreamIdentifier()), kind);
      const position = new Response.Position();
      position.setCommitPosition(String(last ?? 0));
      position.setPreparePosition(String(last ?? 0));
      const response = new Response();
      response.setPosition(position);
      answer(null, response);
    };
  }
}

const gone = { code: status.UNAVAILABLE, details: 'the connection was cut', name: 'Error', message: 'cut' };

function supportedMethods() {
  const method = new featuresPb.SupportedMethod();
  method.setServiceName('event_store.client.streams.streams');
  method.setMethodName('batchappend');
  const methods = new featuresPb.SupportedMethods();
  methods.setEventStoreServerVersion('23.10.0');
  methods.setMethodsList([method]);
  return methods;
}
