import { once } from 'node:events';
import { Metadata, type ServerWritableStream, status } from '@grpc/grpc-js';
import { identifierOf, nameOf, readEvent, streamsPb } from './messages.ts';
import type { EventStore, StoredEvent } from './store.ts';

type Request = InstanceType<(typeof streamsPb)['ReadReq']>;
type Response = InstanceType<(typeof streamsPb)['ReadResp']>;
type Options = InstanceType<(typeof streamsPb)['ReadReq']['Options']>;
export type ReadCall = ServerWritableStream<Request, Response>;

/** Serves one Read call: a stream or $all, forwards, backwards or as a subscription. */
export async function serveRead(store: EventStore, call: ReadCall): Promise<void> {
  const options = call.request.getOptions();
  if (options === undefined) return;
  if (options.hasSubscription()) return serveSubscription(store, call, options);
  const found = options.hasStream() ? streamEvents(store, call, options) : allEvents(store, options);
  if (found === undefined) return;
  const count = Number(options.getCount());
  for (const event of found.slice(0, count)) if (!(await send(call, readEvent(event)))) return;
  call.end();
}

function streamEvents(store: EventStore, call: ReadCall, options: Options): readonly StoredEvent[] | undefined {
  const from = options.getStream();
  const name = nameOf(from?.getStreamIdentifier());
  const events = store.read(name);
  if (events === 'not-found') {
    const missing = new streamsPb.ReadResp.StreamNotFound();
    missing.setStreamIdentifier(identifierOf(name));
    const response = new streamsPb.ReadResp();
    response.setStreamNotFound(missing);
    call.write(response);
    call.end();
    return undefined;
  }
  if (events === 'deleted') {
    const metadata = new Metadata();
    metadata.set('exception', 'stream-deleted');
    metadata.set('stream-name', name);
    call.emit('error', { code: status.FAILED_PRECONDITION, details: `Event stream '${name}' is deleted.`, metadata });
    return undefined;
  }
  const revision = from?.hasRevision() === true ? Number(from.getRevision()) : undefined;
  if (options.getReadDirection() === streamsPb.ReadReq.Options.ReadDirection.FORWARDS) {
    return from?.hasEnd() === true ? [] : events.filter((event) => event.revision >= (revision ?? 0));
  }
  const until = from?.hasStart() === true ? 0 : (revision ?? Infinity);
  return events.filter((event) => event.revision <= until).toReversed();
}

/** $all forwards begins with the event at the position; backwards, with the one before it. */
function allEvents(store: EventStore, options: Options): readonly StoredEvent[] {
  const all = options.getAll();
  const position = all?.hasPosition() === true ? Number(all.getPosition()?.getCommitPosition()) : undefined;
  if (options.getReadDirection() === streamsPb.ReadReq.Options.ReadDirection.FORWARDS) {
    return all?.hasEnd() === true ? [] : store.all.filter((event) => event.position >= (position ?? 0));
  }
  if (all?.hasStart() === true) return [];
  return store.all.filter((event) => event.position < (position ?? Infinity)).toReversed();
}

async function serveSubscription(store: EventStore, call: ReadCall, options: Options): Promise<void> {
  const confirmation = new streamsPb.ReadResp.SubscriptionConfirmation();
  confirmation.setSubscriptionId('double');
  const confirmed = new streamsPb.ReadResp();
  confirmed.setConfirmation(confirmation);
  if (!(await send(call, confirmed))) return;
  const matches = matcher(options);
  const window = options.getFilter()?.getMax() ?? 0;
  let index = startIndex(store, options);
  let sinceCheckpoint = 0;
  let live = false;
  let dropped = false;
  // An event written behind the status of a dropped call leaves its client waiting for an end that never comes.
  call.once('error', () => (dropped = true));
  while (!dropped && !call.cancelled && !call.destroyed) {
    const event = store.all[index];
    if (event !== undefined) {
      index += 1;
      sinceCheckpoint += 1;
      if (matches(event) && !(await send(call, readEvent(event)))) return;
      if (window === 0 || sinceCheckpoint < window) continue;
      sinceCheckpoint = 0;
      if (!(await send(call, checkpoint(event.position)))) return;
    } else if (!live) {
      live = true;
      const last = store.all[index - 1];
      if (window > 0 && last !== undefined && !(await send(call, checkpoint(last.position)))) return;
      const caughtUp = new streamsPb.ReadResp();
      caughtUp.setCaughtUp(new streamsPb.ReadResp.CaughtUp());
      if (!(await send(call, caughtUp))) return;
    } else {
      await nextOf([store.changes, 'change'], [call, 'cancelled'], [call, 'close']);
    }
  }
}

/** Subscriptions start behind the given place. */
function startIndex(store: EventStore, options: Options): number {
  const [all, stream] = [options.getAll(), options.getStream()];
  if (all?.hasEnd() === true || stream?.hasEnd() === true) return store.all.length;
  const position = all?.hasPosition() === true ? Number(all.getPosition()?.getCommitPosition()) : -1;
  const found = store.all.findIndex((event) => event.position > position);
  return found < 0 ? store.all.length : found;
}

function matcher(options: Options): (event: StoredEvent) => boolean {
  const stream = options.getStream();
  if (stream !== undefined) {
    const name = nameOf(stream.getStreamIdentifier());
    const after = stream.hasRevision() ? Number(stream.getRevision()) : -1;
    return (event) => event.stream === name && event.revision > after;
  }
  const byName = options.getFilter()?.getStreamIdentifier();
  const byType = options.getFilter()?.getEventType();
  const expression = byName ?? byType;
  if (expression === undefined) return () => true;
  const [prefixes, regex] = [expression.getPrefixList(), expression.getRegex()];
  return (event) => {
    const text = byName === undefined ? event.type : event.stream;
    return regex === '' ? prefixes.some((prefix) => text.startsWith(prefix)) : new RegExp(regex).test(text);
  };
}

function checkpoint(position: number): Response {
  const reached = new streamsPb.ReadResp.Checkpoint();
  reached.setCommitPosition(String(position));
  reached.setPreparePosition(String(position));
  const response = new streamsPb.ReadResp();
  response.setCheckpoint(reached);
  return response;
}

/** False once the client has gone. Waits for a slow client. */
async function send(call: ReadCall, response: Response): Promise<boolean> {
  if (call.cancelled || call.destroyed) return false;
  if (!call.write(response)) await nextOf([call, 'drain'], [call, 'cancelled'], [call, 'close']);
  return !call.cancelled && !call.destroyed;
}

async function nextOf(...events: (readonly [NodeJS.EventEmitter, string])[]): Promise<void> {
  const controller = new AbortController();
  const waits = events.map(([emitter, name]) => once(emitter, name, { signal: controller.signal }));
  await Promise.race(waits).catch(() => undefined);
  controller.abort();
  await Promise.allSettled(waits);
}
