import type { Problem } from '../../libs/problem/problem.ts';
import type { Terminal } from './terminal.ts';

/** How a command ends; scripts may rely on the numbers. */
export const EXIT = { ok: 0, refused: 1, usage: 2, unreachable: 3 } as const;

/** The command line itself is wrong: nothing was asked of the server. */
export class WrongUsage extends Error {
  override readonly name = 'WrongUsage';
}

/** The server answered, and the answer was no. */
export class Refused extends Error {
  override readonly name = 'Refused';

  constructor(
    readonly problem: Pick<Problem, 'title' | 'status' | 'detail' | 'errors' | 'retry_after' | 'existing'>,
    readonly requestId: string | null,
  ) {
    super(problem.detail);
  }
}

/** No answer came. Whether a change was made is not known: look before repeating it. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** What was to be proved is not so. */
export class NotProved extends Error {
  override readonly name = 'NotProved';
}

/** Faults of the set-up that carry a sentence for the operator. Known by name: no driver is loaded just to tell them. */
const SET_UP_EXITS: Readonly<Record<string, number>> = {
  SettingsMistake: EXIT.usage,
  CatalogueMistake: EXIT.usage,
  LogInUse: EXIT.refused,
  NotFounded: EXIT.refused,
  KeysMissing: EXIT.refused,
  SampleFailed: EXIT.refused,
};

/** Says on stderr what went wrong and answers the exit code. Anything that is nobody's mistake is thrown on. */
export function reportFailure(failure: unknown, terminal: Terminal): number {
  if (failure instanceof WrongUsage) {
    terminal.warn(`${failure.message}\nwrit --help tells how.`);
    return EXIT.usage;
  }
  if (failure instanceof Refused) {
    terminal.warn(refusalText(failure));
    return EXIT.refused;
  }
  if (failure instanceof NotProved) {
    terminal.warn(failure.message);
    return EXIT.refused;
  }
  if (failure instanceof Unreachable) {
    terminal.warn(failure.message);
    return EXIT.unreachable;
  }
  const exit = failure instanceof Error ? SET_UP_EXITS[failure.name] : undefined;
  if (failure instanceof Error && exit !== undefined) {
    terminal.warn(failure.message);
    return exit;
  }
  throw failure;
}

function refusalText({ problem, requestId }: Refused): string {
  const lines = [`${problem.title} (${problem.status}): ${problem.detail}`];
  for (const { field, message } of problem.errors ?? []) {
    lines.push(field === '' ? `  ${message}` : `  ${field}: ${message}`);
  }
  if (problem.existing !== undefined) lines.push(`  existing: ${problem.existing}`);
  if (problem.retry_after !== undefined) lines.push(`  again in ${problem.retry_after} s`);
  if (requestId !== null) lines.push(`  request ${requestId}`);
  return lines.join('\n');
}
