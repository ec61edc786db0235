import {
  AccessDeniedError,
  DeadlineExceededError,
  MaxAppendSizeExceededError,
  NotLeaderError,
  StreamDeletedError,
  UnavailableError,
  UnknownError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { Metadata, status } from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { gone, notHandledError } from '../../../test/doubles/eventstoredb/not-handled.ts';
import { type AppendFailure, failureOf } from './append-failure.ts';
import { NotSent } from './client.ts';

const denied = Object.assign(gone(), { code: status.UNAUTHENTICATED, metadata: new Metadata() });
const conflict = (current: bigint | 'no_stream') =>
  new WrongExpectedVersionError(null as never, { streamName: 's', current, expected: 3n });

describe('what a failed append says', () => {
  it.each<[string, Error, AppendFailure]>([
    ['nothing left', new NotSent('unreachable'), { kind: 'not-stored' }],
    [
      'the server is starting',
      new UnknownError(undefined, 'Could not recognize Server Is Not Ready'),
      { kind: 'not-stored' },
    ],
    ['the server is busy', new UnknownError(undefined, 'Could not recognize Server Is Busy'), { kind: 'not-stored' }],
    ['the server gave up on it', new DeadlineExceededError(), { kind: 'unknown' }],
    ['the server does not know', new UnknownError(), { kind: 'unknown' }],
    ['no answer came', new Error('no answer'), { kind: 'unknown' }],
    ['a conflict', conflict(7n), { kind: 'conflict', actual: 7 }],
    ['a conflict with none', conflict('no_stream'), { kind: 'conflict', actual: 'no-stream' }],
    ['a tombstone', StreamDeletedError.fromStreamName('s'), { kind: 'deleted' }],
    ['too large', MaxAppendSizeExceededError.fromMaxAppendSize(100), { kind: 'too-large' }],
    ['denied to this append', new AccessDeniedError(), { kind: 'refused' }],
  ])('%s', (_what, error, failure) => {
    expect(failureOf(error)).toEqual(failure);
  });

  // The client rejects with it whatever was waiting in the process, perhaps on another connection.
  it.each<[string, Error]>([
    ['broke', new UnavailableError(gone())],
    ['is not the leader’s', new NotLeaderError(notHandledError({ address: 'host', port: 2113 }))],
    ['may not be used', new AccessDeniedError(denied)],
    ['failed, untyped', gone()],
  ])('P1 nothing, when the error is that a connection %s', (_what, error) => {
    expect(failureOf(error)).toEqual({ kind: 'unknown' });
  });
});
