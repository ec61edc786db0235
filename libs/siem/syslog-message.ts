import type { EventRecord } from '../transparency/event-record.ts';

/** "log audit" (RFC 5424 §6.2.1). */
const FACILITY = 13;
const WARNING = 4;
const INFORMATIONAL = 6;
/** Receivers should take so many octets (RFC 5425 §4.3.1); beyond it some cut, and half a JSON is none. */
const MOST_BYTES = 8192;
const BOM = '\uFEFF';

/**
 * A record as a syslog message (RFC 5424) whose MSG is the record as JSON, framed by its length (RFC 6587 §3.4.1).
 * The `data` of one that would be too long is left out, and it says so: `truncated`.
 * @param hostname printable ASCII, at most 255 characters
 */
export function syslogFrame(record: EventRecord, hostname: string, pid: number): Buffer {
  const { time, type, decision } = record;
  const severity = decision === 'refused' || type === 'TokenUsesDenied' ? WARNING : INFORMATIONAL;
  const head = `<${FACILITY * 8 + severity}>1 ${time} ${hostname} writ ${pid} ${msgIdOf(type)} [origin software="writ"] ${BOM}`;
  let message = Buffer.from(head + JSON.stringify(record));
  if (message.length > MOST_BYTES) {
    message = Buffer.from(head + JSON.stringify({ ...record, data: undefined, truncated: true }));
  }
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}

/** At most 32 characters of printable ASCII. */
const msgIdOf = (type: string): string => type.replaceAll(/[^\x21-\x7e]/g, '').slice(0, 32) || '-';
