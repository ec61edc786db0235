import { CommandFactory, CommandRunnerService } from 'nest-commander';
import { CliModule } from './cli.module.ts';
import { EXIT, reportFailure } from './failures.ts';
import type { Terminal } from './terminal.ts';

/** Runs one command line, without `writ` itself, and answers its exit code. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  let failure: unknown;
  const app = await CommandFactory.createWithoutRunning(CliModule.of(terminal), {
    logger: false,
    errorHandler: (error) => {
      throw error;
    },
    serviceErrorHandler: (error) => {
      failure = error;
    },
    outputConfiguration: {
      writeOut: terminal.out,
      writeErr: terminal.err,
      getOutHelpWidth: () => terminal.columns,
      getErrHelpWidth: () => terminal.columns,
    },
  });
  await app.init();
  await app.get(CommandRunnerService).run(['node', 'writ', ...args]);
  await app.close();
  if (failure === undefined) return EXIT.ok;
  const exit = commanderExit(failure);
  return exit === null ? reportFailure(failure, terminal) : exit === 0 ? EXIT.ok : EXIT.usage;
}

/** What the parser of command lines says of itself: 0 after help; null where the failure is not its own. */
function commanderExit(failure: unknown): number | null {
  const { code, exitCode } = failure as { readonly code?: unknown; readonly exitCode?: unknown };
  return typeof code === 'string' && code.startsWith('commander.') && typeof exitCode === 'number' ? exitCode : null;
}
