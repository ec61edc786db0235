import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers';

export interface TestEventStore {
  readonly url: string;
  /** What it is, for the report: `EventStoreDB (EVENTSTORE_URL)`. */
  readonly what: string;
  stop(): Promise<void>;
}

/** The version docker-compose.yml runs. */
export const EVENTSTORE_IMAGE = 'eventstore/eventstore:23.10.0-jammy';
const PORT = 2113;

/** A real EventStoreDB: the one `EVENTSTORE_URL` names, else one in Docker, else null: the double covers what it can. */
export async function findEventStore(): Promise<TestEventStore | null> {
  const url = process.env['EVENTSTORE_URL'];
  if (url !== undefined && url !== '') return { url, what: 'EventStoreDB (EVENTSTORE_URL)', stop: async () => {} };
  if (!(await dockerAnswers())) return null;
  const container = await new GenericContainer(EVENTSTORE_IMAGE)
    .withEnvironment({ EVENTSTORE_INSECURE: 'true', EVENTSTORE_CLUSTER_SIZE: '1', EVENTSTORE_RUN_PROJECTIONS: 'None' })
    .withExposedPorts(PORT)
    .withWaitStrategy(Wait.forHttp('/health/live', PORT).forStatusCode(204))
    .start();
  return {
    url: `esdb://${container.getHost()}:${container.getMappedPort(PORT)}?tls=false`,
    what: `EventStoreDB (${EVENTSTORE_IMAGE} in Docker)`,
    stop: async () => void (await container.stop()),
  };
}

const dockerAnswers = (): Promise<boolean> =>
  getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
