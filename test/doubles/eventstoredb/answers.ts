import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { anyPb, identifierOf, sharedPb, statusPb, streamsPb, uuidOf } from './messages.ts';
import { type AppendResult, type Expected } from './store.ts';

type BatchResponse = InstanceType<(typeof streamsPb)['BatchAppendResp']>;
type AppendResponse = InstanceType<(typeof streamsPb)['AppendResp']>;
type Success = Extract<AppendResult, { kind: 'success' }>;
type Wrong = Extract<AppendResult, { kind: 'wrong-expected-version' }>;

export function batchSuccess(id: string, stream: string, result: Success): BatchResponse {
  const success = new streamsPb.BatchAppendResp.Success();
  if (result.revision !== null) success.setCurrentRevision(String(result.revision));
  if (result.position !== null) {
    const position = new sharedPb.AllStreamPosition();
    position.setCommitPosition(String(result.position));
    position.setPreparePosition(String(result.position));
    success.setPosition(position);
  }
  const response = batchAnswer(id, stream);
  response.setSuccess(success);
  return response;
}

export function batchFailure(
  id: string,
  stream: string,
  expected: Expected,
  result: Exclude<AppendResult, Success>,
): BatchResponse {
  const details = new anyPb.Any();
  details.pack(...packed(expected, result));
  const error = new statusPb.Status();
  error.setMessage(result.kind);
  error.setDetails(details);
  const response = batchAnswer(id, stream);
  response.setError(error);
  return response;
}

export function batchAnswer(id: string, stream: string): BatchResponse {
  const response = new streamsPb.BatchAppendResp();
  response.setCorrelationId(uuidOf(id));
  response.setStreamIdentifier(identifierOf(stream));
  return response;
}

function packed(expected: Expected, result: Exclude<AppendResult, Success>): [Uint8Array, string] {
  switch (result.kind) {
    case 'wrong-expected-version': {
      const wrong = new sharedPb.WrongExpectedVersion();
      if (result.current !== null) wrong.setCurrentStreamRevision(String(result.current));
      if (typeof expected === 'number') wrong.setExpectedStreamPosition(String(expected));
      return [wrong.serializeBinary(), 'event_store.client.WrongExpectedVersion'];
    }
    case 'stream-deleted':
      return [new sharedPb.StreamDeleted().serializeBinary(), 'event_store.client.StreamDeleted'];
    case 'too-large': {
      const tooLarge = new sharedPb.MaximumAppendSizeExceeded();
      tooLarge.setMaxappendsize(result.maxAppendSize);
      return [tooLarge.serializeBinary(), 'event_store.client.MaximumAppendSizeExceeded'];
    }
    default:
      return result satisfies never;
  }
}

export function singleAnswer(expected: Expected, result: Success | Wrong): AppendResponse {
  const response = new streamsPb.AppendResp();
  if (result.kind === 'wrong-expected-version') {
    const wrong = new streamsPb.AppendResp.WrongExpectedVersion();
    if (result.current !== null) wrong.setCurrentRevision(String(result.current));
    if (typeof expected === 'number') wrong.setExpectedRevision(String(expected));
    response.setWrongExpectedVersion(wrong);
    return response;
  }
  const success = new streamsPb.AppendResp.Success();
  if (result.revision !== null) success.setCurrentRevision(String(result.revision));
  if (result.position !== null) {
    const position = new streamsPb.AppendResp.Position();
    position.setCommitPosition(String(result.position));
    position.setPreparePosition(String(result.position));
    success.setPosition(position);
  }
  response.setSuccess(success);
  return response;
}

export function singleFailure(stream: string, result: Exclude<AppendResult, Success | Wrong>): Partial<ServiceError> {
  const metadata = new Metadata();
  metadata.set('stream-name', stream);
  metadata.set('exception', result.kind === 'too-large' ? 'maximum-append-size-exceeded' : result.kind);
  if (result.kind === 'too-large') metadata.set('maximum-append-size', String(result.maxAppendSize));
  return { code: status.FAILED_PRECONDITION, details: result.kind, metadata };
}
