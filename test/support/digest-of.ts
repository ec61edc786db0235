import type { NewEvent, RecordedEvent } from '../../libs/event-log/event-log.ts';
import type { Digest } from '../../libs/digests/digest.ts';
import { DigestFold } from '../../libs/digests/digest-fold.ts';
import { parsePeriod } from '../../libs/digests/period.ts';
import { eventOf, tokenCreated, useOfToken } from './history.ts';

/** The day the digests of specs are of, and the position it was closed at. */
export const DAY = parsePeriod('2026-11-24')!;
export const CLOSED_AT = 1_000_000;

export const iso = (ms: number): string => new Date(ms).toISOString();

let position = 0;
const recorded = (stream: string, event: NewEvent): RecordedEvent => ({
  ...event,
  stream,
  revision: 0,
  position: ++position,
  recordedAt: 0,
});

export const event = (stream: string, type: string, data: object, metadata: object = {}): RecordedEvent =>
  recorded(stream, eventOf(type, data, metadata));

export const created = (id: string, atMs: number, more: object = {}): RecordedEvent =>
  recorded(`token-${id}`, tokenCreated(id, atMs, more));

export const used = (token: string, timeMs: number, more: object = {}): RecordedEvent =>
  event('usage-1', 'TokenUsed', useOfToken(token, timeMs, more));

const scopeNeeded = (operation: string): string | null =>
  ({ list_reports: 'reports:read', create_report: 'reports:write' })[operation] ?? null;

export function digestOf(events: readonly RecordedEvent[], workspace = 'w1'): Digest {
  const fold = new DigestFold({ period: DAY, position: CLOSED_AT }, scopeNeeded);
  for (const each of events) fold.play(each);
  const digest = fold.digests().get(workspace);
  if (digest === undefined) throw new Error(`no digest of ${workspace}`);
  return digest;
}
