import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { batchAnswer } from './answers.ts';
import { anyPb, sharedPb, statusPb, type streamsPb } from './messages.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Why a node does not take a request up: it is starting, there is no leader, or another is. */
export type NotHandled = 'not-ready' | 'no-leader' | Endpoint;

const MESSAGES = { 'not-ready': 'Server Is Not Ready', 'no-leader': 'No leader info available in response' } as const;

/** As the server ends a read, an append of one call, or (for want of the leader) a whole stream of batches. */
export function notHandledError(why: NotHandled): ServiceError {
  if (typeof why === 'string') {
    const code = why === 'not-ready' ? status.UNAVAILABLE : status.UNKNOWN;
    return fault({ code, details: MESSAGES[why], metadata: new Metadata() });
  }
  const metadata = new Metadata();
  metadata.set('exception', 'not-leader');
  metadata.set('leader-endpoint-host', why.address);
  metadata.set('leader-endpoint-port', String(why.port));
  return fault({ code: status.NOT_FOUND, details: 'Leader info available', metadata });
}

/** As the server answers one append of a stream of batches, which goes on: a status whose details are empty. */
export function batchNotHandled(
  id: string,
  stream: string,
  why: Exclude<NotHandled, Endpoint>,
): InstanceType<(typeof streamsPb)['BatchAppendResp']> {
  const details = new anyPb.Any();
  details.pack(new sharedPb.Empty().serializeBinary(), 'google.protobuf.Empty');
  const error = new statusPb.Status();
  error.setMessage(MESSAGES[why]);
  error.setDetails(details);
  const response = batchAnswer(id, stream);
  response.setError(error);
  return response;
}

/** The connection broke, instead of an answer. */
export const gone = (): ServiceError =>
  fault({ code: status.UNAVAILABLE, details: 'the connection was cut', metadata: new Metadata() });

export function fault(error: Pick<ServiceError, 'code' | 'details' | 'metadata'>): ServiceError {
  return Object.assign(new Error(error.details), error);
}
