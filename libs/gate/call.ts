import { hash, randomUUID } from 'node:crypto';
import { v5 } from 'uuid';
import type { AppendContext, Idempotency } from '../event-log/decide-and-append.ts';
import type { EventMetadata } from '../event-log/event-log.ts';
import type { HotView, Pass } from '../hot-view/hot-view.ts';
import type { Upload } from '../operation/content.ts';
import type { Call, Item, OperationSpec, Result } from '../operation/operation.ts';
import type { Actor } from '../person/actor.ts';
import type { UsageJournal } from '../usage/journal.ts';
import type { TokenUse } from '../usage/use.ts';
import type { Envelope } from './envelope.ts';
import { newId } from '../ids/new-id.ts';

/** The caller's token died between its look-up and its append (P2); answered 401, nothing stored. */
export class CallerDead extends Error {
  override readonly name = 'CallerDead';
}

/** What appends later than this after its look-up is looked up again (DESIGN §8). */
const LOOKED_UP_AGAIN_AFTER_MS = 500;

const NAMESPACE = 'c1b5f6a8-3d0e-5b62-9a51-7f0c2f4d8e13';
const TIME_LENGTH = 10;
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** What a call was let in by, and as what. */
export interface Admitted {
  readonly spec: OperationSpec;
  readonly envelope: Envelope;
  readonly pass: Pass;
  readonly startedMs: number;
}

/** How a further item of a call passes the gate. */
export type PassItem = (
  call: AdmittedCall,
  admitted: Admitted,
  resource: string,
  run: (item: Call) => Promise<Result>,
) => Promise<Item>;

/** What a call goes on with: asked whether its token lives, counting what it appends, passing its items. */
export interface Means {
  readonly view: HotView;
  readonly journal: Pick<UsageJournal, 'count'>;
  readonly passItem: PassItem;
}

/** An admitted call, as its operation sees it, and as it is recorded. */
export class AdmittedCall implements Call {
  readonly requestId: string;
  readonly face: Envelope['face'];
  readonly token: Pass['token'];
  readonly nowMs: number;
  readonly ifRevision: number | undefined;
  readonly keyed: boolean;
  readonly upload: Upload | undefined;
  readonly #envelope: Envelope;
  readonly #spec: OperationSpec;
  readonly #pass: Pass;
  readonly #startedMs: number;
  readonly #input: object;
  readonly #means: Means;
  #lastItem: Pass | null = null;

  constructor(
    { envelope, spec, pass, startedMs }: Admitted,
    input: object,
    ifRevision: number | undefined,
    means: Means,
  ) {
    this.requestId = envelope.requestId;
    this.face = envelope.face;
    this.token = pass.token;
    this.nowMs = Date.now();
    this.ifRevision = ifRevision;
    this.keyed = envelope.idempotencyKey !== undefined;
    this.upload = envelope.upload;
    this.#envelope = envelope;
    this.#spec = spec;
    this.#pass = pass;
    this.#startedMs = startedMs;
    this.#input = input;
    this.#means = means;
  }

  get usage(): Pass['usage'] {
    return (this.#lastItem ?? this.#pass).usage;
  }

  get actor(): Actor {
    return actorOf(this.#pass, this.#envelope);
  }

  newId(index = 0): string {
    if (!this.keyed) return newId(this.nowMs);
    // Deterministic under the key: 80 bits of a UUIDv5, under the time of the caller's lineage, which never changes.
    const bytes = Buffer.from(v5(`${this.#keyName()}:id:${index}`, NAMESPACE).replaceAll('-', ''), 'hex');
    let random = '';
    for (let digit = 0; digit < 16; digit++) random += CROCKFORD[bytes[digit]! & 31];
    return this.token.lineage.slice(0, TIME_LENGTH) + random;
  }

  append(resource: string, status = this.#spec.http.status ?? 200): AppendContext {
    const idempotency = this.#idempotency();
    const metadata: EventMetadata = {
      ...metadataOf(this.#envelope, this.#pass),
      use: this.use('allowed', null, status, resource),
      ...(idempotency === undefined ? {} : { idempotency }),
    };
    return {
      eventId: (index) => (this.keyed ? v5(`${this.#keyName()}:event:${resource}:${index}`, NAMESPACE) : randomUUID()),
      metadata,
      ...(this.ifRevision === undefined ? {} : { ifRevision: this.ifRevision }),
      beforeAppend: () => this.#stillAlive(),
      count: (stream, expected, events) => this.#means.journal.count(stream, expected, events),
    };
  }

  item(resource: string, run: (item: Call) => Promise<Result>): Promise<Item> {
    const admitted = { spec: this.#spec, envelope: this.#envelope, pass: this.#pass, startedMs: this.#startedMs };
    return this.#means.passItem(this, admitted, resource, run);
  }

  /** Whether its uses are those of its items. */
  get itemised(): boolean {
    return this.#lastItem !== null;
  }

  /** This call as one of its items sees it, which was let in by `pass`. */
  asItem(pass: Pass, startedMs: number): AdmittedCall {
    this.#lastItem = pass;
    // A revision the caller has seen is of one thing, not of several.
    const admitted = { envelope: this.#envelope, spec: this.#spec, pass, startedMs };
    return new AdmittedCall(admitted, this.#input, undefined, { ...this.#means, passItem: noItems });
  }

  /** The use as it is recorded, wherever it is. */
  use(decision: TokenUse['decision'], reason: string | null, status: number, resource: string | null): TokenUse {
    return useOfCall(this.#envelope, this.#spec, this.#pass, this.#startedMs, decision, reason, status, resource);
  }

  get resource(): string | null {
    return this.#spec.resource?.(this.#input) ?? null;
  }

  async #stillAlive(): Promise<void> {
    if (performance.now() - this.#startedMs < LOOKED_UP_AGAIN_AFTER_MS) return;
    if ((await this.#means.view.confirm(this.#pass)) !== 'stands') throw new CallerDead();
  }

  #idempotency(): Idempotency | undefined {
    const key = this.#envelope.idempotencyKey;
    return key === undefined ? undefined : { key, digest: hash('sha256', JSON.stringify(sorted(this.#input))) };
  }

  #keyName(): string {
    return `${this.token.lineage}:${this.#spec.name}:${this.#envelope.idempotencyKey}`;
  }
}

const noItems: PassItem = () => Promise.reject(new Error('an item has no items'));

export const actorOf = ({ token }: Pick<Pass, 'token'>, { face }: Envelope): Actor => ({
  person: token.owner,
  token: token.id,
  label: token.name,
  face,
});

export const metadataOf = (envelope: Envelope, pass: Pick<Pass, 'token'>): EventMetadata => ({
  $correlationId: envelope.requestId,
  $causationId: envelope.requestId,
  schema: 1,
  actor: actorOf(pass, envelope),
});

export function useOfCall(
  envelope: Envelope,
  spec: OperationSpec,
  { token, windowSecond, ceiling }: Pick<Pass, 'token' | 'windowSecond' | 'ceiling'>,
  startedMs: number,
  decision: TokenUse['decision'],
  reason: string | null,
  status: number,
  resource: string | null,
): TokenUse {
  const metered = decision === 'allowed' || reason === 'failed';
  const budget = !metered
    ? 'refusals'
    : spec.cost.writes > 0
      ? 'writes'
      : spec.cost.handshakes > 0
        ? 'handshakes'
        : 'reads';
  return {
    token: token.id,
    workspace: token.workspace,
    time: new Date().toISOString(),
    face: envelope.face,
    operation: spec.name,
    resource,
    decision,
    reason,
    status,
    duration_ms: Math.round((performance.now() - startedMs) * 100) / 100,
    request_id: envelope.requestId,
    client_address: envelope.clientAddress,
    client_name: envelope.clientName,
    budget,
    cost: budget === 'refusals' ? 1 : spec.cost[budget],
    window_second: windowSecond,
    ...(ceiling === undefined ? {} : { ceiling_second: ceiling.windowSecond }),
  };
}

/** Keys in order, so that the same input has the same digest however it was written. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}
