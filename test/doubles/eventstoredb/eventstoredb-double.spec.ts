import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventStoreDouble } from './server.ts';

/** What the adapter never asks of the server, but a client may. */
describe('EventStoreDB double', () => {
  let double: EventStoreDouble;
  let client: EventStoreDBClient;
  const event = () => jsonEvent({ id: randomUUID(), type: 'Tested', data: { n: 1 } });

  beforeEach(async () => {
    double = await new EventStoreDouble().start();
    client = EventStoreDBClient.connectionString(double.connectionString);
  });
  afterEach(async () => {
    await client.dispose();
    double.stop();
  });

  it('takes appends one by one from a client with credentials', async () => {
    const credentials = { username: 'admin', password: 'changeit' };
    const events = [event(), event()];
    const first = await client.appendToStream('one', events, { expectedRevision: 'no_stream', credentials });
    expect(first).toMatchObject({ success: true, nextExpectedRevision: 1n });
    expect(await client.appendToStream('one', events, { expectedRevision: 'no_stream', credentials })).toEqual(first);
    await expect(client.appendToStream('one', event(), { expectedRevision: 7n, credentials })).rejects.toMatchObject({
      type: 'wrong-expected-version',
      expectedVersion: 7n,
      actualVersion: 1n,
    });
  });

  it('refuses a conflicting append, and one too large, by the errors of the client', async () => {
    await expect(client.appendToStream('one', event(), { expectedRevision: 3n })).rejects.toMatchObject({
      type: 'wrong-expected-version',
      actualVersion: 'no_stream',
    });
    const large = jsonEvent({ type: 'Tested', data: 'x'.repeat(1024 * 1024) });
    await expect(client.appendToStream('one', large)).rejects.toMatchObject({ type: 'maximum-append-size-exceeded' });
  });

  it('deletes softly or for ever, and says that a stream is missing', async () => {
    const read = (stream: string) => Array.fromAsync(client.readStream(stream));
    for (const stream of ['soft', 'hard']) await client.appendToStream(stream, event());
    await client.deleteStream('soft');
    await client.tombstoneStream('hard');
    await expect(read('soft')).rejects.toMatchObject({ type: 'stream-not-found' });
    await expect(read('hard')).rejects.toMatchObject({ type: 'stream-deleted' });
    await expect(client.appendToStream('hard', event())).rejects.toMatchObject({ type: 'stream-deleted' });
    const again = await client.appendToStream('soft', event(), { expectedRevision: 'no_stream' });
    expect(again.nextExpectedRevision).toBe(1n);
  });

  it('follows one stream from a revision', async () => {
    await client.appendToStream('one', [event(), event()]);
    await client.appendToStream('other', event());
    await client.appendToStream('one', event());
    const revisions: bigint[] = [];
    const subscription = client.subscribeToStream('one', { fromRevision: 0n });
    for await (const resolved of subscription) {
      revisions.push(resolved.event?.revision ?? -1n);
      if (revisions.length === 2) break;
    }
    await subscription.unsubscribe();
    expect(revisions).toEqual([1n, 2n]);
  });
});
