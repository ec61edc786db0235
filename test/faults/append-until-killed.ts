/**
 * Appends to the SQLite log of the folder it is given until it is killed, several appends at a time, and prints the id
 * of each event on a line of its own once the log has acknowledged it. Run by Node, which transforms the types away.
 */
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openSqliteEventLog } from '../../libs/event-log/sqlite/sqlite-event-log.ts';

const WRITERS = 4;

const log = await openSqliteEventLog({ directory: process.argv[2] ?? '' });
const metadata = { $correlationId: 'test', $causationId: 'test', schema: 1 };

async function write(stream: string): Promise<never> {
  for (;;) {
    const id = randomUUID();
    await log.append(stream, 'any', [{ id, type: 'Tested', data: {}, metadata }]);
    // At once, not when the pipe is ready: what was acknowledged must be known before the kill.
    writeSync(1, `${id}\n`);
  }
}

await Promise.all(Array.from({ length: WRITERS }, (_, n) => write(`writer-${n}`)));
