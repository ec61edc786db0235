import { createRequire } from 'node:module';
import type { Expected, ProposedEvent, StoredEvent } from './store.ts';

// The client's generated code is CommonJS whose exports no static analysis finds, hence require.
const require = createRequire(import.meta.url);
const generated = createRequire(require.resolve('@eventstore/db-client/generated/streams_pb.js'));

export const streamsPb = require('@eventstore/db-client/generated/streams_pb.js') as StreamsPb;
export const sharedPb = require('@eventstore/db-client/generated/shared_pb.js') as SharedPb;
export const featuresPb = require('@eventstore/db-client/generated/serverfeatures_pb.js') as FeaturesPb;
export const gossipPb = require('@eventstore/db-client/generated/gossip_pb.js') as GossipPb;
export const statusPb = require('@eventstore/db-client/generated/status_pb.js') as StatusPb;
export const anyPb = generated('google-protobuf/google/protobuf/any_pb.js') as AnyPb;
export const { StreamsService } = require('@eventstore/db-client/generated/streams_grpc_pb.js') as StreamsGrpc;
export const { GossipService } = require('@eventstore/db-client/generated/gossip_grpc_pb.js') as GossipGrpc;
export const { ServerFeaturesService } =
  require('@eventstore/db-client/generated/serverfeatures_grpc_pb.js') as FeaturesGrpc;

type StreamsPb = typeof import('@eventstore/db-client/generated/streams_pb.js');
type SharedPb = typeof import('@eventstore/db-client/generated/shared_pb.js');
type FeaturesPb = typeof import('@eventstore/db-client/generated/serverfeatures_pb.js');
type GossipPb = typeof import('@eventstore/db-client/generated/gossip_pb.js');
type StatusPb = typeof import('@eventstore/db-client/generated/status_pb.js');
type AnyPb = typeof import('google-protobuf/google/protobuf/any_pb.js');
type StreamsGrpc = typeof import('@eventstore/db-client/generated/streams_grpc_pb.js');
type GossipGrpc = typeof import('@eventstore/db-client/generated/gossip_grpc_pb.js');
type FeaturesGrpc = typeof import('@eventstore/db-client/generated/serverfeatures_grpc_pb.js');

export type StreamIdentifier = InstanceType<SharedPb['StreamIdentifier']>;
type Uuid = InstanceType<SharedPb['UUID']>;
type ProposedMessage = InstanceType<StreamsPb['BatchAppendReq']['ProposedMessage']>;

export const nameOf = (identifier: StreamIdentifier | undefined): string =>
  Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8');

export function identifierOf(stream: string): StreamIdentifier {
  const identifier = new sharedPb.StreamIdentifier();
  identifier.setStreamName(Uint8Array.from(Buffer.from(stream, 'utf8')));
  return identifier;
}

export function uuidOf(id: string): Uuid {
  const uuid = new sharedPb.UUID();
  uuid.setString(id);
  return uuid;
}

/** What the four kinds of request that name an expected revision have in common. */
interface ExpectedOptions {
  hasNoStream(): boolean;
  hasAny(): boolean;
  hasStreamExists(): boolean;
}

export function expectedOf(options: ExpectedOptions, revision: string): Expected {
  if (options.hasNoStream()) return 'no-stream';
  if (options.hasAny()) return 'any';
  return options.hasStreamExists() ? 'stream-exists' : Number(revision);
}

export function proposedOf(message: ProposedMessage): ProposedEvent {
  return {
    id: message.getId()?.getString() ?? '',
    type: message.getMetadataMap().get('type') ?? '',
    contentType: message.getMetadataMap().get('content-type') ?? '',
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  };
}

const TICKS_PER_MILLISECOND = 10_000n;

/** A stored event as every kind of read sends it. */
export function readEvent(event: StoredEvent): InstanceType<StreamsPb['ReadResp']> {
  const recorded = new streamsPb.ReadResp.ReadEvent.RecordedEvent();
  recorded.setId(uuidOf(event.id));
  recorded.setStreamIdentifier(identifierOf(event.stream));
  recorded.setStreamRevision(String(event.revision));
  recorded.setCommitPosition(String(event.position));
  recorded.setPreparePosition(String(event.position));
  recorded.getMetadataMap().set('type', event.type);
  recorded.getMetadataMap().set('content-type', event.contentType);
  recorded.getMetadataMap().set('created', String(BigInt(event.createdMs) * TICKS_PER_MILLISECOND));
  recorded.setCustomMetadata(event.metadata);
  recorded.setData(event.data);
  const read = new streamsPb.ReadResp.ReadEvent();
  read.setEvent(recorded);
  read.setCommitPosition(String(event.position));
  const response = new streamsPb.ReadResp();
  response.setEvent(read);
  return response;
}
