import type { EventRecord } from '../transparency/event-record.ts';

/**
 * Records as an OTLP ExportLogsServiceRequest in JSON (OpenTelemetry protocol 1.x, "JSON Protobuf Encoding"): 64-bit
 * numbers are texts, enums numbers.
 * @param logId names the log they are of
 */
export function logsRequest(records: readonly EventRecord[], logId: string): string {
  return JSON.stringify({
    resourceLogs: [
      {
        resource: { attributes: [attribute('service.name', 'writ'), attribute('writ.log', logId)] },
        scopeLogs: [{ scope: { name: 'writ.audit' }, logRecords: records.map(logRecord) }],
      },
    ],
  });
}

/** Severity numbers of the logs data model. */
const INFO = { severityNumber: 9, severityText: 'INFO' };
const WARN = { severityNumber: 13, severityText: 'WARN' };

function logRecord({ time, type, data, ...members }: EventRecord): object {
  const timeUnixNano = `${Date.parse(time)}000000`;
  return {
    timeUnixNano,
    observedTimeUnixNano: timeUnixNano,
    ...(members.decision === 'refused' || type === 'TokenUsesDenied' ? WARN : INFO),
    eventName: `writ.${type}`,
    body: { stringValue: JSON.stringify(data) },
    attributes: Object.entries(members)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => attribute(`writ.${name}`, value as string | number)),
  };
}

const attribute = (key: string, value: string | number): object => ({
  key,
  value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
});
