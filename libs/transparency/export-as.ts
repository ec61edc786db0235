import type { ExportFormat } from '../proof/export-lines.ts';
import { exportLines } from './export.ts';
import { exportTable } from './export-table.ts';
import type { ExportOptions } from './select-events.ts';

/** What can be verified is what is stored, personal data sealed; other formats prove nothing, and are read by people. */
export function exportAs(format: ExportFormat, options: ExportOptions): AsyncGenerator<Uint8Array> {
  const { log } = options;
  return format === 'jsonl' ? exportLines({ ...options, log: log.stored ?? log }) : exportTable(options, format);
}

/** Of a file that holds it. */
export const extensionOf = (format: ExportFormat): string => (format === 'csv' ? 'csv' : 'jsonl');
