import { join } from 'node:path';
import type { Logger } from 'pino';
import type { AssetStore } from '../../libs/assets/asset-store.ts';
import { openAssetStore } from '../../libs/assets/open-asset-store.ts';
import type { Catalogues } from '../../libs/catalogue/catalogue.ts';
import type { EventLog } from '../../libs/event-log/event-log.ts';
import { type Founded, found, requireFounded } from '../../libs/founding/founding.ts';
import type { Freshness } from '../../libs/gate/freshness.ts';
import type { HotView } from '../../libs/hot-view/hot-view.ts';
import { MemoryHotView } from '../../libs/hot-view/memory/memory-hot-view.ts';
import { RedisHotView } from '../../libs/hot-view/redis/redis-hot-view.ts';
import { carryOutErasures, rebuildWithoutErased } from '../../libs/privacy/erasures.ts';
import { openSealedLog } from '../../libs/privacy/open-sealed-log.ts';
import type { PersonKeys } from '../../libs/privacy/person-keys.ts';
import type { MaintainedView } from '../../libs/projection/maintained-view.ts';
import type { RunningProjection } from '../../libs/projection/runner.ts';
import type { ReadDb } from '../../libs/read-db/read-db.ts';
import { archiveFolderOf } from '../../libs/retention/open-archived-log.ts';
import { RetentionRunner } from '../../libs/retention/retention-runner.ts';
import type { Settings } from '../../libs/settings/settings.ts';
import { keepSigning } from '../../libs/transparency/keep-signing.ts';
import { CheckpointPublisher, type PublisherOptions } from '../../libs/transparency/publisher.ts';
import { makeFirstKey, originOf, readSigners, signingKeyIn } from '../../libs/transparency/signing-key.ts';
import type { Tree } from '../../libs/transparency/tree.ts';
import { Denials } from '../../libs/usage/denials.ts';
import { keepJournalsClosed } from '../../libs/usage/close-abandoned-journals.ts';
import { UsageJournal } from '../../libs/usage/journal.ts';
import { type Follower, type FollowOptions, followIntoHotView } from '../../projections/hot-view/follow.ts';
import { followIntoRedis } from '../../projections/hot-view/follow-redis.ts';
import { MaintainedHotView } from '../../projections/hot-view/maintained-hot-view.ts';
import { StoredTree } from '../../projections/transparency/tree.ts';
import { type OpenOutlets, openOutlets } from './open-outlets.ts';
import { startProjecting } from './projecting.ts';

/** Everything the process is made of, opened and running. */
export interface Parts {
  readonly log: EventLog;
  readonly keys: PersonKeys;
  readonly view: HotView;
  readonly readDb: ReadDb;
  readonly projections: readonly RunningProjection[];
  /** What operators can look at and rebuild. */
  readonly views: readonly MaintainedView[];
  readonly freshness: Freshness;
  readonly journal: UsageJournal;
  readonly denials: Denials;
  readonly tree: Tree;
  readonly publisher: CheckpointPublisher;
  readonly outlets: OpenOutlets;
  readonly retention: RetentionRunner;
  readonly assets: AssetStore;
  readonly founded: Founded;
  close(): Promise<void>;
}

/** Opens the adapters the settings name, founds an empty log, and brings the views up to it. */
export async function compose(settings: Settings, catalogues: Catalogues, logger: Logger): Promise<Parts> {
  const closing: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of closing.toReversed()) await end();
  };
  const onFault = (error: Error): void => logger.error({ err: error }, 'the hot view cannot follow the log for now');
  try {
    const opened = await openSealedLog(settings);
    const { log, keys } = opened;
    closing.push(() => opened.close());
    await carryOutErasures(log, keys);
    const founded =
      settings.eventStoreUrl === null
        ? await found(log, catalogues, settings.dataDir, Date.now)
        : await requireFounded(log);

    const { view, follower, maintained } = await openHotView(settings, { log, catalogues, clock: Date.now, onFault });
    closing.push(
      () => view.close(),
      () => follower.stop(),
      () => maintained.stop(),
    );

    const projecting = await startProjecting(settings, log, (projection, error) =>
      logger.warn({ err: error, projection }, 'projection stopped for now'),
    );
    closing.push(() => projecting.stop());
    const { readDb, projections } = projecting;
    const unsettled = await keys.unsettled();
    if (unsettled.length > 0) await rebuildWithoutErased(projections, keys, unsettled);

    const freshness = freshnessOf(log, projections);
    const tree = new StoredTree(readDb);
    const publisher = await openPublisher(settings, { log, tree, freshness });
    const signing = keepSigning(publisher, (error) => logger.error({ err: error }, 'the log was not signed'));
    closing.push(() => signing.stop());
    const outlets = await openOutlets(settings, { log, tree, publisher }, logger);
    closing.push(() => outlets.stop());

    const denials = new Denials(log, Date.now);
    closing.push(() => denials.close());
    const shared = settings.eventStoreUrl !== null;
    const journal = new UsageJournal(log, { shared });
    closing.push(() => journal.close());
    const abandoned = keepJournalsClosed(log, !shared, (error) =>
      logger.warn({ err: error }, 'journals of ended processes are not tallied for now'),
    );
    closing.push(() => abandoned.stop());
    const retention = new RetentionRunner({
      log,
      publisher,
      folder: archiveFolderOf(settings) ?? join(settings.dataDir, 'archives'),
      maxAgeDays: settings.usageMaxAgeDays,
      clock: Date.now,
      onFault: (error) => logger.error({ err: error }, 'old usage is not archived for now'),
    }).start();
    closing.push(() => retention.stop());
    return {
      log,
      keys,
      view,
      readDb,
      projections,
      views: [...projections, maintained],
      freshness,
      tree,
      publisher,
      outlets,
      retention,
      journal,
      denials,
      assets: openAssetStore(settings),
      founded,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface OpenHotView {
  readonly view: HotView;
  readonly follower: Follower;
  readonly maintained: MaintainedHotView;
}

/** The view, and what keeps it at the log's head: of this process alone, or shared. Resolves once it answers. */
async function openHotView({ redisUrl }: Settings, options: Omit<FollowOptions, 'view'>): Promise<OpenHotView> {
  if (redisUrl === null) {
    const view = new MemoryHotView();
    const follower = await followIntoHotView({ ...options, view });
    return { view, follower, maintained: new MaintainedHotView({ ...options, view, position: follower.position }) };
  }
  const view = await RedisHotView.open({ url: redisUrl });
  const follower = await followIntoRedis({ ...options, view });
  return { view, follower, maintained: new MaintainedHotView({ ...options, view, position: follower.position }) };
}

/** The embedded log's key is made at its first start; processes that share a log are given one (SIGNING_KEY_FILE). */
async function openPublisher(
  { eventStoreUrl, signingKeyFile: given, dataDir, witnesses }: Settings,
  parts: Pick<PublisherOptions, 'log' | 'tree' | 'freshness'>,
): Promise<CheckpointPublisher> {
  const file = given ?? signingKeyIn(dataDir);
  const logId = await parts.log.id();
  if (eventStoreUrl === null) makeFirstKey(file, logId);
  return new CheckpointPublisher({ ...parts, origin: originOf(logId), signers: () => readSigners(file), witnesses });
}

function freshnessOf(log: EventLog, projections: readonly RunningProjection[]): Freshness {
  return {
    async waitFor(name, position, timeoutMs) {
      const projection = projections.find((running) => running.name === name);
      if (projection === undefined) throw new Error(`there is no projection ${name}`);
      const at = projection.position();
      if (at !== null && at >= position) return 'reached';
      const head = await log.head();
      if (head === null || position > head) return 'beyond-head';
      return (await projection.waitFor(position, timeoutMs)) ? 'reached' : 'late';
    },
  };
}
