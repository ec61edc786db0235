import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadCatalogues } from '../../libs/catalogue/load-catalogues.ts';
import type { EventLog } from '../../libs/event-log/event-log.ts';
import { ownMetadata } from '../../libs/event-log/own-metadata.ts';
import { newId } from '../../libs/ids/new-id.ts';
import { type TokenCreated, tokenStream } from '../../libs/tokens/events.ts';
import { formatToken, newSecret, tokenDigest } from '../../libs/tokens/token-format.ts';
import { newTokenId } from '../../libs/tokens/token-id.ts';
import type { TestServer } from './server.ts';

const catalogues = loadCatalogues(null);

interface Elsewhere {
  readonly id: string;
  readonly token: string;
}

/**
 * A token of a workspace that this server has not founded: known to it, as all, by the log.
 * @param scopes default: all its catalogue has
 */
export async function tokenElsewhere(
  server: TestServer,
  workspace: string,
  catalogueName: string,
  scopes?: readonly string[],
): Promise<Elsewhere> {
  const made = await createElsewhere(server.log, workspace, catalogueName, scopes);
  // What the server is asked before it has heard of the token is no use of it.
  while ((await server.parts.view.get(made.id)) === null) await sleep(20);
  return made;
}

/** The same, in a log alone: whoever follows it will know the token. */
export async function createElsewhere(
  log: EventLog,
  workspace: string,
  catalogueName: string,
  scopes?: readonly string[],
): Promise<Elsewhere> {
  const catalogue = catalogues.named(catalogueName)!;
  const nowMs = Date.now();
  const id = newTokenId(nowMs);
  const token = formatToken(catalogue.prefix, id, newSecret());
  const data: TokenCreated['data'] = {
    id,
    catalogue: catalogueName,
    kind: 'agent',
    name: 'elsewhere',
    owner: { id: newId(), name: 'Somebody elsewhere' },
    workspace,
    scopes: scopes ?? Object.keys(catalogue.scopes),
    restrict: { companies: [], projects: [] },
    limits: { reads: 10_000, writes: 10_000 },
    expires_at: null,
    digest: tokenDigest(token),
    lineage: id,
    predecessor: null,
    at: new Date(nowMs).toISOString(),
  };
  const event = { id: randomUUID(), type: 'TokenCreated', data, metadata: ownMetadata() };
  await log.append(tokenStream(id), 'no-stream', [event]);
  return { id, token };
}
