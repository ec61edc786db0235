import { EXPORT_FORMATS, type ExportFormat } from '../proof/export-lines.ts';
import { scheduleMistake } from '../routines/schedule.ts';
import { SettingsMistake } from './settings-mistake.ts';

/** Exports of what is new, into a folder. */
export interface ScheduledExport {
  readonly folder: string;
  /** Cron, UTC. */
  readonly every: string;
  readonly format: ExportFormat;
}

/** A receiver of the history as it grows. */
export type SiemTarget =
  /** OpenTelemetry logs, OTLP/HTTP with JSON. */
  | { readonly kind: 'otlp'; readonly url: string; readonly headers: Readonly<Record<string, string>> }
  /** RFC 5424 over TCP (RFC 6587, octets counted) or TLS (RFC 5425). */
  | { readonly kind: 'syslog'; readonly host: string; readonly port: number; readonly tls: boolean };

/** @throws SettingsMistake */
export function readScheduledExport(env: NodeJS.ProcessEnv): ScheduledExport | null {
  const folder = env['EXPORT_FOLDER'] || null;
  for (const name of ['EXPORT_EVERY', 'EXPORT_FORMAT']) {
    if (folder === null && env[name]) throw new SettingsMistake(`${name} is set, so EXPORT_FOLDER must be too.`);
  }
  if (folder === null) return null;
  const every = env['EXPORT_EVERY'] || '@daily';
  const mistake = scheduleMistake({ cron: every, time_zone: 'UTC' }, Date.now());
  if (mistake !== null) throw new SettingsMistake(`EXPORT_EVERY ${mistake.message}, not ${every}.`);
  const asked = env['EXPORT_FORMAT'] || 'jsonl';
  const format = EXPORT_FORMATS.find((known) => known === asked);
  if (format === undefined) throw new SettingsMistake(`EXPORT_FORMAT must be jsonl, csv or cloudevents, not ${asked}.`);
  return { folder, every, format };
}

/** @throws SettingsMistake */
export function readSiemTargets(env: NodeJS.ProcessEnv): readonly SiemTarget[] {
  const { SIEM_OTLP_URL: otlp, SIEM_OTLP_HEADERS: headers, SIEM_SYSLOG_URL: syslog } = env;
  if (headers && !otlp) throw new SettingsMistake('SIEM_OTLP_HEADERS is set, so SIEM_OTLP_URL must be too.');
  return [...(otlp ? [otlpOf(otlp, headers ?? '')] : []), ...(syslog ? [syslogOf(syslog)] : [])];
}

function otlpOf(url: string, headers: string): SiemTarget {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new SettingsMistake(`SIEM_OTLP_URL must begin with http:// or https://, not ${url}.`);
  }
  return { kind: 'otlp', url, headers: headersOf(headers) };
}

/** As OTEL_EXPORTER_OTLP_HEADERS: `name=value`, percent-encoded, with commas between. */
function headersOf(text: string): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const pair of text.split(',').map((each) => each.trim())) {
    if (pair === '') continue;
    const [, name, value] = /^([\w.-]+)=(.+)$/.exec(pair) ?? [];
    // A value is a secret, more often than not: it is not said again.
    if (name === undefined || value === undefined || !/^(?:[^%]|%[\da-f]{2})*$/i.test(value)) {
      throw new SettingsMistake('SIEM_OTLP_HEADERS must be like authorization=Bearer%20abc,x-team=audit.');
    }
    headers[name] = decodeURIComponent(value);
  }
  return headers;
}

/** IANA's ports of `syslog-conn` and `syslog-tls`. */
const SYSLOG_PORTS = { 'syslog+tcp:': 601, 'syslog+tls:': 6514 } as const;

function syslogOf(text: string): SiemTarget {
  const url = URL.canParse(text) ? new URL(text) : null;
  const scheme = url?.protocol === 'syslog+tcp:' || url?.protocol === 'syslog+tls:' ? url.protocol : null;
  if (url === null || scheme === null || url.hostname === '' || !/^\/?$/.test(url.pathname) || url.username !== '') {
    throw new SettingsMistake(
      `SIEM_SYSLOG_URL must be like syslog+tcp://siem.example.com:601 or syslog+tls://siem.example.com:6514, not ${text}.`,
    );
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? SYSLOG_PORTS[scheme] : Number(url.port);
  return { kind: 'syslog', host, port, tls: scheme === 'syslog+tls:' };
}
