import type { ExportFormat } from '../proof/export-lines.ts';
import { exportLines } from './export.ts';
import { exportTable } from './export-table.ts';
import type { ExportOptions } from './select-events.ts';

export const exportAs = (format: ExportFormat, options: ExportOptions): AsyncGenerator<Uint8Array> =>
  format === 'jsonl' ? exportLines(options) : exportTable(options, format);

/** Of a file that holds it. */
export const extensionOf = (format: ExportFormat): string => (format === 'csv' ? 'csv' : 'jsonl');
