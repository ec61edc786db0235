import { EventStoreDouble } from '../doubles/eventstoredb/server.ts';
import { startPostgres } from './postgres.ts';
import { type OwnRedis, startOwnRedis } from './redis.ts';

/** What several processes share: Redis and PostgreSQL are real servers, EventStoreDB is its double. */
export interface SharedParts {
  readonly eventstore: EventStoreDouble;
  readonly redis: OwnRedis;
  /** What each process is started with. */
  readonly env: Readonly<Record<string, string>> & { readonly DATA_DIR: string };
  stop(): Promise<void>;
}

/** @param what is said of them in the report of what ran against what */
export async function startSharedParts(what: string, dataDir: string): Promise<SharedParts> {
  const eventstore = new EventStoreDouble();
  await eventstore.start();
  const redis = await startOwnRedis(what);
  const postgres = await startPostgres(what);
  return {
    eventstore,
    redis,
    env: {
      EVENTSTORE_URL: eventstore.connectionString,
      REDIS_URL: redis.url,
      DATABASE_URL: postgres.url,
      PERSON_KEYS_URL: postgres.url,
      ASSETS_URL: `file://${dataDir}/shared-assets`,
      DATA_DIR: dataDir,
    },
    async stop() {
      await postgres.stop();
      await redis.stop();
      eventstore.stop();
    },
  };
}
