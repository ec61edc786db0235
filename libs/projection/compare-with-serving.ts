import type { Kysely } from 'kysely';
import { schemaOfBuild } from './build.ts';
import type { BuildWriter } from './build-writer.ts';
import { readBuilds, setBuild } from './builds.ts';
import { compareBuilds } from './compare.ts';
import type { ReadModel } from './projection.ts';
import { dropSchema } from './tables.ts';

class TooFarApart extends Error {}

/**
 * Brings the scratch copy level with what serves and compares them, in one snapshot: the one that serves may move on
 * meanwhile. The copy is dropped, its result kept. False where they are not level yet.
 */
export async function compareWithServing(
  db: Kysely<unknown>,
  projection: ReadModel,
  build: number,
  writer: BuildWriter,
): Promise<boolean> {
  try {
    return await db
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute(async (trx) => {
        const builds = await readBuilds(trx, projection.name);
        const scratch = builds.find((one) => one.build === build);
        const serving = builds.find(({ role }) => role === 'serving');
        if (serving === undefined || scratch?.role !== 'scratch') return false;
        if ((scratch.position ?? 0) > (serving.position ?? 0)) return false;
        if (!(await writer.levelWith(trx, serving.position))) throw new TooFarApart();
        const outcome = await compareBuilds(trx, projection, serving, scratch);
        await setBuild(trx, build, { role: 'verified', outcome, ended_at: new Date().toISOString() });
        await dropSchema(trx, schemaOfBuild(scratch));
        return true;
      });
  } catch (error) {
    if (error instanceof TooFarApart) return false;
    throw error;
  }
}
