import type { Kysely } from 'kysely';
import type { BuildWriter } from './build-writer.ts';
import { changingBuilds, lockBuilds, setBuild } from './builds.ts';
import type { ReadModel } from './projection.ts';
import { dropViewsBefore, pointViews } from './views.ts';

class TooFarBehind extends Error {}

/**
 * Puts a build in the place of the one that serves, in one transaction: the old one stands still, what it has more is
 * taken in, and from its end on every process's queries find the new tables. False where it is not level yet.
 */
export async function switchTo(
  db: Kysely<unknown>,
  projection: ReadModel,
  build: number,
  writer: BuildWriter,
): Promise<boolean> {
  try {
    return await changingBuilds(db, async (trx) => {
      const builds = await lockBuilds(trx, projection.name);
      const next = builds.find((one) => one.build === build);
      const serving = builds.find(({ role }) => role === 'serving');
      if (next?.role !== 'building' || next.paused) return false;
      if (!(await writer.levelWith(trx, serving?.position ?? null))) throw new TooFarBehind();
      if (serving !== undefined) await setBuild(trx, serving.build, { role: 'dropped' });
      await setBuild(trx, build, { role: 'serving' });
      await pointViews(trx, projection, next);
      await dropViewsBefore(trx, projection.name, Math.min(serving?.version ?? next.version, next.version));
      return true;
    });
  } catch (error) {
    if (error instanceof TooFarBehind) return false;
    throw error;
  }
}
