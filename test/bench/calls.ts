import { startOwnRedis } from '../support/redis.ts';
import { end, startBenchServer } from './child.ts';
import { inTurns, type Load, load, type LoadOptions, middle, ratio } from './load.ts';
import type { Listening } from './child.ts';
import { table, whole } from './markdown.ts';
import { atLeast, type Findings, type Subject } from './subject.ts';
import { withWrit } from './writ.ts';

const ROUNDS = 3;
const CONNECTIONS = 50;
const WARM_SECONDS = 2;
const SECONDS = 5;
export const PATH = '/api/v1/me';

/**
 * The same answer from bare node:http, bare Nest and the whole server. One alive at a time, each started anew for each
 * round.
 */
export const calls: Subject = { name: 'calls', measure };

async function measure(): Promise<Findings> {
  const redis = await startOwnRedis('bench');
  try {
    const BODY = await withWrit(async ({ url }, { token }) => {
      const response = await fetch(url + PATH, { headers: { authorization: `Bearer ${token}` } });
      return response.text();
    });
    const bare = (name: string) => async (): Promise<Load> => {
      const server = await startBenchServer(name, { BODY });
      try {
        return await warmedLoad(server, {});
      } finally {
        await end(server);
      }
    };
    const writ = (env: Readonly<Record<string, string>>) => (): Promise<Load> =>
      withWrit((server, { token }) => warmedLoad(server, { token }), env);
    const loads = await inTurns(ROUNDS, {
      http: bare('bare-http'),
      nest: bare('bare-nest'),
      memory: writ({}),
      redis: async () => {
        await redis.restart();
        return writ({ REDIS_URL: redis.url })();
      },
    });
    return render(loads, redis.what);
  } finally {
    await redis.stop();
  }
}

export async function warmedLoad(server: Listening, how: Pick<LoadOptions, 'token' | 'madeTokens'>): Promise<Load> {
  await load(server, PATH, { seconds: WARM_SECONDS, connections: CONNECTIONS, ...how });
  return load(server, PATH, { seconds: SECONDS, connections: CONNECTIONS, ...how });
}

function render(loads: Readonly<Record<'http' | 'nest' | 'memory' | 'redis', Load[]>>, redis: string): Findings {
  const row = (name: string, of: readonly Load[]): string[] => [
    name,
    ...cells(middle(of)),
    ratio(of, loads.nest).toFixed(2),
  ];
  return {
    targets: [
      atLeast('full call with the memory view, of bare Nest on Express', 0.75, ratio(loads.memory, loads.nest)),
      atLeast('full call with the Redis view, of bare Nest on Express', 0.55, ratio(loads.redis, loads.nest)),
    ],
    section: `## Calls

\`GET /api/v1/me\` with ${CONNECTIONS} connections; the whole server hashes, looks up, meters and records durably before it
answers. All answer the same body. One server alive at a time, started anew for each round, order turned; medians of
${ROUNDS} rounds. ${redis}, on the same machine; its own CPU is not counted.

${table(
  [...CELLS, 'of bare Nest'],
  [
    row('bare `node:http`', loads.http),
    row('bare Nest on Express', loads.nest),
    row('Writ: memory view, embedded log', loads.memory),
    row('Writ: Redis view, embedded log', loads.redis),
  ],
)}`,
  };
}

export const CELLS = ['server', 'calls a second', 'P50 ms', 'P99 ms', 'CPU µs a call'];

export const cells = ({ perSecond, p50Ms, p99Ms, cpuPerCall }: Load): string[] => [
  whole(perSecond),
  `${p50Ms}`,
  `${p99Ms}`,
  cpuPerCall === null ? 'unknown' : whole(cpuPerCall),
];
