import { writeFile } from 'node:fs/promises';
import { parseCheckpoint } from '../../libs/proof/checkpoint.ts';
import { parseNote } from '../../libs/proof/note.ts';
import { remindOfOperatorToken } from './connection.ts';
import { ExportFile, type ExportQuery } from './export-file.ts';
import { Unreachable } from './failures.ts';
import type { Terminal } from './terminal.ts';
import type { WritClient } from './writ-client.ts';

export interface AskedExport {
  readonly to: string;
  readonly query: ExportQuery;
  /** Whether what an earlier go left behind is thrown away. */
  readonly anew: boolean;
  readonly json: boolean;
}

/** History into a file, with its manifest beside it. @throws as ExportFile.write */
export async function writeExport(
  client: WritClient,
  terminal: Terminal,
  { to, query, anew, json }: AskedExport,
): Promise<void> {
  const written = await new ExportFile(to).write(
    query,
    anew,
    () => signedLeaves(client),
    (go) => client.download('/api/v1/audit/export', go),
  );
  const manifest = { file: to, ...written, query, written_at: new Date(terminal.now()).toISOString() };
  await writeFile(`${to}.manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  terminal.line(json ? JSON.stringify(manifest) : `${to}  ${written.bytes} bytes  sha256 ${written.sha256}`);
  remindOfOperatorToken(terminal);
}

/** Of the newest checkpoint, which the server signs over all there is now. */
async function signedLeaves(client: WritClient): Promise<number> {
  const pieces = await Array.fromAsync(client.download('/api/v1/audit/checkpoint', {}));
  const note = parseNote(Buffer.concat(pieces).toString('utf8'));
  const checkpoint = note === null ? null : parseCheckpoint(note.text);
  if (checkpoint === null) throw new Unreachable('What answered is no checkpoint of Writ.');
  return checkpoint.size;
}
