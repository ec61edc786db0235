import { ulid } from 'ulid';
import { openSealedLog } from '../../libs/privacy/open-sealed-log.ts';
import { UsageJournal } from '../../libs/usage/journal.ts';
import { madeUse } from '../support/made-use.ts';
import { startServerProcess } from '../support/server-process.ts';
import { createToken, readOperator, type Token } from './writ.ts';

/** Uses that a history has. WRIT_BENCH_EVENTS: more of them, for a long night. */
export const EVENTS = Number(process.env['WRIT_BENCH_EVENTS'] ?? '300000');

const USES_AT_ONCE = 1_000;

/** A folder's log as a server would have written it: a workspace, one token, and `uses` of it in a journal with its tallies. */
export async function writeHistory(dataDir: string, uses: number): Promise<void> {
  const server = await startServerProcess({ DATA_DIR: dataDir });
  const token = await createToken(server.url, readOperator(dataDir));
  const { headers } = bearer(token);
  const me = (await (await fetch(`${server.url}/api/v1/me`, { headers })).json()) as Me;
  await server.stop();
  await recordUses(dataDir, token.id, me, uses);
}

export const bearer = ({ token }: Pick<Token, 'token'>) => ({ headers: { authorization: `Bearer ${token}` } });

interface Me {
  readonly workspace: string;
  readonly owner: { readonly id: string; readonly name: string };
}

async function recordUses(dataDir: string, token: string, { workspace, owner }: Me, uses: number): Promise<void> {
  const opened = await openSealedLog({ dataDir, eventStoreUrl: null, personKeysUrl: null, archiveFolder: null });
  const journal = new UsageJournal(opened.log);
  const actor = { person: owner, token, label: 'bench', face: 'rest' } as const;
  const record = (): Promise<void> => {
    const request = ulid();
    const use = madeUse({ token, workspace, request_id: request });
    return journal.record(use, { $correlationId: request, $causationId: request, schema: 1, actor });
  };
  try {
    for (let written = 0; written < uses; written += USES_AT_ONCE)
      await Promise.all(Array.from({ length: USES_AT_ONCE }, record));
  } finally {
    await journal.close();
    await opened.close();
  }
}
