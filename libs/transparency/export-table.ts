import type { RecordedEvent } from '../event-log/event-log.ts';
import { recordOf } from './event-record.ts';
import { Pieces } from './pieces.ts';
import { type ExportOptions, selectEvents } from './select-events.ts';

/**
 * The same events for other tools: CSV (RFC 4180), or CloudEvents 1.0 in JSON, one a line. They carry no proof.
 * A CSV that goes on (`continueFrom`) has no line of names.
 */
export async function* exportTable(options: ExportOptions, format: 'csv' | 'cloudevents'): AsyncGenerator<Uint8Array> {
  const rowOf = format === 'csv' ? csvRow : cloudEvent;
  const pieces = new Pieces();
  if (format === 'csv' && options.continueFrom === undefined) pieces.add(`${COLUMNS.join()}\r\n`);
  for await (const { leaf, event } of selectEvents(options)) {
    pieces.add(rowOf(event, leaf));
    if (pieces.full) yield pieces.take();
  }
  yield pieces.take();
}

const COLUMNS = [
  'leaf',
  'position',
  'time',
  'stream',
  'revision',
  'type',
  'id',
  'token',
  'owner',
  'label',
  'face',
  'operation',
  'resource',
  'decision',
  'reason',
  'status',
  'client_address',
  'client_name',
  'request_id',
  'data',
] as const;

function csvRow(event: RecordedEvent, leaf: number): string {
  const row: Readonly<Record<(typeof COLUMNS)[number], unknown>> = {
    ...recordOf(event),
    leaf,
    data: JSON.stringify(event.data),
  };
  return `${COLUMNS.map((column) => cell(row[column])).join()}\r\n`;
}

/** A text that a spreadsheet would run as a formula is given a quote before it (OWASP: CSV injection). */
const FORMULA = /^[=+\-@\t\r]/;

function cell(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = String(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function cloudEvent(event: RecordedEvent, leaf: number): string {
  return `${JSON.stringify({
    specversion: '1.0',
    id: event.id,
    source: `/${event.stream}`,
    type: `writ.${event.type}`,
    time: new Date(event.recordedAt).toISOString(),
    datacontenttype: 'application/json',
    data: event.data,
    // Extension attributes: lower-case letters and digits only.
    writleaf: leaf,
    writrevision: event.revision,
    correlationid: event.metadata.$correlationId,
  })}\n`;
}
