import { CELLS, cells, warmedLoad } from './calls.ts';
import { startBenchServer } from './child.ts';
import { inTurns, type Load, middle, ratio } from './load.ts';
import { table, whole } from './markdown.ts';
import { atLeast, type Findings, type Subject } from './subject.ts';
import { withWrit } from './writ.ts';

const ROUNDS = 3;
const FEW = 1_000;
const MANY = 1_000_000;

/** Full calls, each with a token picked at random, on a view that holds few and one that holds a million. */
export const manyTokens: Subject = { name: 'many-tokens', measure };

async function measure(): Promise<Findings> {
  const holding = (tokens: number) => (): Promise<Load> =>
    withWrit(
      (server) => warmedLoad(server, { madeTokens: tokens }),
      { MADE_TOKENS: `${tokens}` },
      (env) => startBenchServer('writ', env),
    );
  const loads = await inTurns(ROUNDS, { few: holding(FEW), many: holding(MANY) });
  const row = (tokens: number, of: readonly Load[]): string[] => [whole(tokens), ...cells(middle(of))];
  return {
    targets: [atLeast('full call at 1 M tokens, of that at 1 k', 0.9, ratio(loads.many, loads.few))],
    section: `## Many tokens

The same full call, each with a token picked at random from all that the memory view holds (the load knows 50,000 of
them); they were put into the view directly, the log knows none of them. Medians of ${ROUNDS} rounds in turns.

${table(['tokens', ...CELLS.slice(1)], [row(FEW, loads.few), row(MANY, loads.many)])}`,
  };
}
