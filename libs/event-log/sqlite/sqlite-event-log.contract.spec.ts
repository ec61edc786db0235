import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventLogContract } from '../../../test/contract/event-log.contract.ts';
import { openSqliteEventLog } from './sqlite-event-log.ts';

eventLogContract(
  'SQLite',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'writ-log-'));
    const log = await openSqliteEventLog({ directory });
    const reopen = async () => {
      await log.close();
      return openSqliteEventLog({ directory });
    };
    return { log, reopen, dispose: () => rm(directory, { recursive: true }) };
  },
  {
    reconnect: 'the log is a file of this process',
    'unknown outcome': 'there is no connection that could break',
    'change of leader': 'one file, no cluster',
  },
);
