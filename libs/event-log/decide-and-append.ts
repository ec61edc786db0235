import {
  type Appended,
  type EventLog,
  type EventMetadata,
  type ExpectedRevision,
  type NewEvent,
  OutcomeUnknown,
  type Position,
  type RecordedEvent,
  WrongExpectedRevision,
} from './event-log.ts';

/** Three pure things (after Jérémie Chassaing's Decider). A refusal is a value, not an exception. */
export interface Decider<Command, State, Event extends DomainEvent, Refusal> extends Fold<State, Event> {
  decide(command: Command, state: State): readonly Event[] | Refused<Refusal>;
}

/** How a state comes from events. */
export interface Fold<State, Event extends DomainEvent> {
  readonly initialState: State;
  evolve(state: State, event: Event): State;
}

export interface DomainEvent {
  readonly type: string;
  readonly data: unknown;
}

export interface Refused<Refusal> {
  readonly refused: Refusal;
}

export const refuse = <Refusal>(refused: Refusal): Refused<Refusal> => ({ refused });

export const isRefused = <Refusal>(decision: object): decision is Refused<Refusal> => 'refused' in decision;

/** What a write is given beside its command: who asks, under which ids, and what must hold just before it appends. */
export interface AppendContext {
  /** Id of the n-th event; deterministic when the caller sent an Idempotency-Key. */
  eventId(index: number): string;
  readonly metadata: EventMetadata;
  /** `If-Match`: the revision the caller has seen. With it a conflict is final. */
  readonly ifRevision?: number;
  /** Called right before each append; throws when the caller may no longer write (P2). */
  beforeAppend?(): void | Promise<void>;
  /** Called before each append: has what it stores counted (P9). */
  count?(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Counted | Promise<Counted>;
}

/** An append that is counted. */
export interface Counted {
  /** Its events as they are to be stored: each names who counts it. */
  readonly events: readonly NewEvent[];
  /** To be called once, whatever becomes of it. */
  ended(outcome: 'stored' | 'not-stored' | 'unknown'): void;
}

export interface Idempotency {
  readonly key: string;
  /** SHA-256 of the input the key was first used with. */
  readonly digest: string;
}

export type Outcome<State, Event, Refusal> =
  | {
      readonly kind: 'done';
      readonly events: readonly Event[];
      readonly state: State;
      readonly revision: number;
      /** Null when nothing had to be appended. */
      readonly position: Position | null;
      /** The same Idempotency-Key had already done this. */
      readonly repeated: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'conflict'; readonly revision: number }
  | { readonly kind: 'key-reused' };

export interface Folded<State> {
  readonly state: State;
  /** -1 when the stream does not exist. */
  readonly revision: number;
}

/** The state of a stream, from its events; `until` stops before the first event it does not hold for. */
export async function load<State, Event extends DomainEvent>(
  log: EventLog,
  stream: string,
  { initialState, evolve }: Fold<State, Event>,
  until?: (event: RecordedEvent) => boolean,
): Promise<Folded<State>> {
  let state = initialState;
  let revision = -1;
  for await (const event of log.readStream(stream)) {
    if (until !== undefined && !until(event)) break;
    state = evolve(state, event as unknown as Event);
    revision = event.revision;
  }
  return { state, revision };
}

const ATTEMPTS = 3;

/**
 * Read, fold, decide, append with the revision read. On a conflict the command is decided again on the new state,
 * three times at most (never with `ifRevision`). Events that carry the caller's Idempotency-Key, met while folding,
 * are the answer: nothing is decided twice. `$correlationId` must name this one request.
 */
export async function decideAndAppend<Command, State, Event extends DomainEvent, Refusal>(
  log: EventLog,
  stream: string,
  decider: Decider<Command, State, Event, Refusal>,
  command: Command,
  context: AppendContext,
): Promise<Outcome<State, Event, Refusal>> {
  for (let attempt = 1; ; attempt++) {
    const found = await fold(log, stream, decider, context);
    if (found.earlier !== null) return found.earlier;
    const { state, revision } = found;
    if (context.ifRevision !== undefined && context.ifRevision !== revision) return { kind: 'conflict', revision };
    const decision = decider.decide(command, state);
    if (isRefused<Refusal>(decision)) return { kind: 'refused', refusal: decision.refused };
    if (decision.length === 0) {
      return { kind: 'done', events: decision, state, revision, position: null, repeated: false };
    }
    const events = decision.map((event, index): NewEvent => ({
      id: context.eventId(index),
      type: event.type,
      data: event.data,
      metadata: context.metadata,
    }));
    try {
      const appended = await appendFor(log, stream, revision === -1 ? 'no-stream' : revision, events, context);
      if (appended.forAnother) {
        const { earlier } = await fold(log, stream, decider, context);
        if (earlier !== null) return earlier;
      }
      return {
        kind: 'done',
        events: decision,
        state: decision.reduce(decider.evolve, state),
        revision: appended.revision,
        position: appended.position,
        repeated: false,
      };
    } catch (error) {
      if (!(error instanceof WrongExpectedRevision)) throw error;
      if (context.ifRevision !== undefined || attempt === ATTEMPTS) {
        return { kind: 'conflict', revision: error.actual === 'no-stream' ? -1 : error.actual };
      }
    }
  }
}

/**
 * Appends what a call has decided, if it still may (P2), and has it counted. `forAnother`: the log answered with what
 * another request had stored under the same ids.
 * @throws as the log's append, and what `beforeAppend` and `count` throw
 */
export async function appendFor(
  log: EventLog,
  stream: string,
  expected: ExpectedRevision,
  events: readonly NewEvent[],
  context: AppendContext,
): Promise<Appended & { readonly forAnother: boolean }> {
  const counted = await context.count?.(stream, expected, events);
  let outcome: Parameters<Counted['ended']>[0] = 'not-stored';
  try {
    await context.beforeAppend?.();
    const appended = await log.append(stream, expected, counted?.events ?? events).catch((error: unknown) => {
      if (error instanceof OutcomeUnknown) outcome = 'unknown';
      throw error;
    });
    outcome = 'unknown';
    const forAnother = await answeredForAnother(log, stream, appended.revision - events.length + 1, context);
    outcome = forAnother ? 'not-stored' : 'stored';
    return { ...appended, forAnother };
  } finally {
    counted?.ended(outcome);
  }
}

/** What the caller's Idempotency-Key has done in a stream already; null: nothing yet, or no key was sent. */
export async function doneUnderKey<Command, State, Event extends DomainEvent, Refusal>(
  log: EventLog,
  stream: string,
  decider: Decider<Command, State, Event, Refusal>,
  context: AppendContext,
): Promise<Outcome<State, Event, Refusal> | null> {
  if (context.metadata['idempotency'] === undefined) return null;
  return (await fold(log, stream, decider, context)).earlier;
}

/**
 * Two requests at once under one Idempotency-Key append the same ids, so the log answers the later one with what the
 * earlier one stored, whatever that was. What is stored then names the other request.
 */
async function answeredForAnother(
  log: EventLog,
  stream: string,
  from: number,
  { metadata }: AppendContext,
): Promise<boolean> {
  if (metadata['idempotency'] === undefined) return false;
  for await (const stored of log.readStream(stream, { from, limit: 1 })) {
    return stored.metadata.$correlationId !== metadata.$correlationId;
  }
  return false;
}

async function fold<Command, State, Event extends DomainEvent, Refusal>(
  log: EventLog,
  stream: string,
  decider: Decider<Command, State, Event, Refusal>,
  context: AppendContext,
): Promise<Folded<State> & { readonly earlier: Outcome<State, Event, Refusal> | null }> {
  const idempotency = context.metadata['idempotency'] as Idempotency | undefined;
  const firstId = idempotency === undefined ? null : context.eventId(0);
  let state = decider.initialState;
  let revision = -1;
  let earlier: { events: Event[]; state: State; revision: number; position: Position } | null = null;
  for await (const recorded of log.readStream(stream)) {
    const event = recorded as unknown as Event;
    state = decider.evolve(state, event);
    revision = recorded.revision;
    if (firstId === null) continue;
    if (recorded.id === firstId) {
      const first = recorded.metadata['idempotency'] as Idempotency | undefined;
      if (first?.digest !== idempotency?.digest) return { state, revision, earlier: { kind: 'key-reused' } };
      earlier = { events: [event], state, revision, position: recorded.position };
    } else if (earlier !== null && recorded.id === context.eventId(earlier.events.length)) {
      earlier.events.push(event);
      Object.assign(earlier, { state, revision, position: recorded.position });
    }
  }
  return { state, revision, earlier: earlier === null ? null : { kind: 'done', ...earlier, repeated: true } };
}
