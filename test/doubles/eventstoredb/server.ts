import { setTimeout as delay } from 'node:timers/promises';
import {
  Metadata,
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
  type gossipPb,
  GossipService,
  nameOf,
  proposedOf,
  ServerFeaturesService,
  streamsPb,
  StreamsService,
} from './messages.ts';
import { batchNotHandled, type Endpoint, fault, gone, type NotHandled, notHandledError } from './not-handled.ts';
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

/** The connection may be told to break instead of an answer. */
type Performed = AppendResult | { readonly kind: 'cut' } | { readonly kind: 'not-handled'; readonly why: NotHandled };

/** What a node knows of its cluster. */
interface Cluster {
  readonly leader: EventStoreDouble | null;
  appendArrived(): void;
  gossip(): InstanceType<(typeof gossipPb)['ClusterInfo']>;
}

/** An EventStoreDB in this process, as far as the client asks one; keeps to DESIGN §7. A single node, or one of a cluster. */
export class EventStoreDouble {
  readonly store: EventStore;
  /** Holds every append back this long before it is stored. */
  delayAppendsMs = 0;
  /** Appends that arrived, whatever became of them. */
  appendCount = 0;
  /** As one that is starting: nothing is taken up. */
  notReady = false;
  /** Reads answered that did not require the leader, while another led. */
  answeredAsFollower = 0;
  /** Questions what this server can do, still to be answered by an error. */
  featuresToFail = 0;
  alive = false;
  readonly #cluster: Cluster | undefined;
  #server = new Server();
  #port = 0;
  #cut: 'before' | 'after' | undefined;
  readonly #subscriptions = new Set<ReadCall>();

  constructor({ store = new EventStore(), cluster }: { store?: EventStore; cluster?: Cluster } = {}) {
    this.store = store;
    this.#cluster = cluster;
  }

  get endpoint(): Endpoint {
    return { address: '127.0.0.1', port: this.#port };
  }

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
      getSupportedMethods: (_call: unknown, answer: sendUnaryData<unknown>) => {
        if (this.featuresToFail === 0) return answer(null, supportedMethods());
        this.featuresToFail -= 1;
        answer(fault({ code: status.UNKNOWN, details: 'not known yet', metadata: new Metadata() }));
      },
    });
    const cluster = this.#cluster;
    if (cluster !== undefined) {
      this.#server.addService(GossipService, {
        read: (_call: unknown, answer: sendUnaryData<unknown>) => answer(null, cluster.gossip()),
      });
    }
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#server.bindAsync(`127.0.0.1:${this.#port}`, ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
    this.#port = await promise;
    this.alive = true;
    return this;
  }

  /** As a killed server: every connection breaks at once. */
  stop(): void {
    this.alive = false;
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
    for (const call of this.#subscriptions) call.emit('error', gone());
    this.#subscriptions.clear();
  }

  /** A follower hands an append that does not require the leader on to it. */
  #notHandled({ metadata }: { readonly metadata: Metadata }): NotHandled | null {
    if (this.notReady) return 'not-ready';
    if (this.#cluster === undefined || metadata.get('requires-leader').length === 0) return null;
    const { leader } = this.#cluster;
    if (leader === null) return 'no-leader';
    return leader === this ? null : leader.endpoint;
  }

  async #perform({ stream, expected, events }: Append, call: { readonly metadata: Metadata }): Promise<Performed> {
    this.appendCount += 1;
    this.#cluster?.appendArrived();
    if (this.delayAppendsMs > 0) await delay(this.delayAppendsMs, undefined, { ref: false });
    const why = this.#notHandled(call);
    if (why !== null) return { kind: 'not-handled', why };
    const cut = this.#cut;
    this.#cut = undefined;
    if (cut === 'before') return { kind: 'cut' };
    const result = this.store.append(stream, expected, events);
    return cut === 'after' ? { kind: 'cut' } : result;
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
        const result = await this.#perform(append, call);
        switch (result.kind) {
          case 'cut':
            call.emit('error', gone());
            break;
          case 'not-handled':
            if (typeof result.why === 'string') call.write(batchNotHandled(id, append.stream, result.why));
            else call.emit('error', notHandledError(result.why));
            break;
          case 'success':
            call.write(batchSuccess(id, append.stream, result));
            break;
          default:
            call.write(batchFailure(id, append.stream, append.expected, result));
        }
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
      void this.#perform(append, call).then((result) => {
        switch (result.kind) {
          case 'cut':
            return answer(gone());
          case 'not-handled':
            return answer(notHandledError(result.why));
          case 'stream-deleted':
          case 'too-large':
            return answer(singleFailure(stream, result));
          default:
            return answer(null, singleAnswer(expected, result));
        }
      });
    });
  }

  #read(call: ReadCall): void {
    call.on('error', () => undefined);
    const subscription = call.request.getOptions()?.hasSubscription() === true;
    if (subscription) {
      this.#subscriptions.add(call);
      call.on('close', () => this.#subscriptions.delete(call));
      call.on('cancelled', () => this.#subscriptions.delete(call));
    }
    const why = this.#notHandled(call);
    if (why !== null) {
      call.emit('error', notHandledError(why));
      return;
    }
    if (!subscription && this.#cluster !== undefined && this.#cluster.leader !== this) this.answeredAsFollower += 1;
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

function supportedMethods() {
  const method = new featuresPb.SupportedMethod();
  method.setServiceName('event_store.client.streams.streams');
  method.setMethodName('batchappend');
  const methods = new featuresPb.SupportedMethods();
  methods.setEventStoreServerVersion('23.10.0');
  methods.setMethodsList([method]);
  return methods;
}
