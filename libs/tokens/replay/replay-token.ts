import type { Catalogue } from '../../catalogue/catalogue.ts';
import type { EventLog, Position } from '../../event-log/event-log.ts';
import type { TokenRecord } from '../record.ts';
import { TokenReplay } from './token-replay.ts';

/** A moment of a token's life: what happened, and what it could do and had left right after. */
export interface Frame {
  /** Of the event; null for the instant that was asked for. */
  readonly position: Position | null;
  readonly type: string | null;
  readonly time: string;
  readonly record: TokenRecord;
}

export type CatalogueOf = (token: { readonly id: string; readonly catalogue: string }) => Catalogue;

/** Nothing is recorded later than this after it happened: journals wait seconds, counted refusals a minute. */
const RECORDED_LATER_MS = 10 * 60_000;

/** Every moment from the first on, as the log has them up to its end now. Memory does not grow with the log. */
export async function* replayToken(log: EventLog, catalogueOf: CatalogueOf, id: string): AsyncGenerator<Frame> {
  const replay = new TokenReplay(id);
  for await (const event of log.readAll()) {
    if (!replay.play(event)) continue;
    const time = momentOf(event.data, event.metadata['use']) ?? new Date(event.recordedAt).toISOString();
    const record = replay.recordAt(catalogueOf, Date.parse(time));
    if (record !== null) yield { position: event.position, type: event.type, time, record };
  }
}

/** The record at an instant; null where the token was not there yet. */
export async function replayTokenAt(
  log: EventLog,
  catalogueOf: CatalogueOf,
  id: string,
  atMs: number,
): Promise<TokenRecord | null> {
  const replay = new TokenReplay(id, atMs);
  for await (const event of log.readAll()) {
    if (event.recordedAt > atMs + RECORDED_LATER_MS) break;
    replay.play(event);
  }
  return replay.recordAt(catalogueOf, atMs);
}

function momentOf(data: unknown, use: unknown): string | null {
  const { at, time, to } = { ...(use as object | undefined), ...(data as object) } as Record<string, unknown>;
  return [at, time, to].find((moment) => typeof moment === 'string') ?? null;
}
