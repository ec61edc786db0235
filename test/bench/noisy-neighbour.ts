import { CELLS, cells } from './calls.ts';
import type { Listening } from './child.ts';
import { inTurns, type Load, load, median, middle, ratio } from './load.ts';
import { table } from './markdown.ts';
import { atLeast, atMost, type Findings, type Subject } from './subject.ts';
import { createToken, withWrit } from './writ.ts';

const ROUNDS = 3;
const SECONDS = 6;
const CONNECTIONS = 10;
const PATH = '/api/v1/me';
/** What the neighbours ask for: less than the server could answer, as in life. */
const NEIGHBOURS_A_SECOND = 300;
const LIMIT_A_MINUTE = 600;
const TIMES_ITS_LIMIT = 100;
const FLOOD_A_SECOND = (LIMIT_A_MINUTE * TIMES_ITS_LIMIT) / 60;

/** One valid token at a hundred times its limit, beside others that keep to theirs (P11). */
export const noisyNeighbour: Subject = { name: 'noisy-neighbour', measure };

async function measure(): Promise<Findings> {
  const loads = await withWrit(async (server, { token }, operator) => {
    const noisy = await createToken(server.url, operator, ['reports:read'], LIMIT_A_MINUTE);
    await neighbours(server, token);
    return inTurns(ROUNDS, {
      quiet: () => neighbours(server, token),
      flooded: () => beside(flood(server, noisy.token), () => neighbours(server, token)),
    });
  });
  const p99 = median(loads.flooded.map(({ p99Ms }, round) => p99Ms / (loads.quiet[round]?.p99Ms ?? NaN)));
  const row = (name: string, of: readonly Load[]): string[] => [name, ...cells(middle(of)).slice(0, -1)];
  return {
    targets: [
      atLeast(
        'rate of the others beside a token at 100 times its limit, of that without',
        0.95,
        ratio(loads.flooded, loads.quiet),
      ),
      atMost('P99 of the others beside it, in times of that without', 1.5, p99),
    ],
    section: `## A noisy neighbour

One token sends ${FLOOD_A_SECOND} calls a second against a limit of ${LIMIT_A_MINUTE} a minute; the others send ${NEIGHBOURS_A_SECOND} a second and are all served.
Medians of ${ROUNDS} rounds in turns, on one server.

${table(CELLS.slice(0, -1), [row('the others alone', loads.quiet), row('beside the flood', loads.flooded)])}`,
  };
}

const neighbours = (server: Listening, token: string): Promise<Load> =>
  load(server, PATH, { seconds: SECONDS, connections: CONNECTIONS, token, rate: NEIGHBOURS_A_SECOND });

const flood = (server: Listening, token: string): Promise<Load> =>
  load(server, PATH, {
    seconds: SECONDS + 2,
    connections: CONNECTIONS,
    token,
    rate: FLOOD_A_SECOND,
    mayBeRefused: true,
  });

async function beside<T>(noise: Promise<unknown>, measured: () => Promise<T>): Promise<T> {
  const result = await measured();
  await noise;
  return result;
}
