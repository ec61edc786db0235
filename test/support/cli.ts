import { Terminal } from '../../apps/cli/terminal.ts';
import { formatToken, newSecret } from '../../libs/tokens/token-format.ts';
import { newTokenId } from '../../libs/tokens/token-id.ts';

// nest-commander requires Nest, which is ESM: jest can do so only once Nest is there and evaluated.
await import('@nestjs/core');
const { runCli } = await import('../../apps/cli/run-cli.ts');

export interface CliRun {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** A well-formed token that no server knows. */
export const strangeToken = (prefix: string): string => formatToken(prefix, newTokenId(Date.now()), newSecret());

/** One `writ …` in this process: nothing of the real environment, a pipe unless told to be a terminal. */
export async function writ(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  { tty = false, now = Date.now }: { readonly tty?: boolean; readonly now?: () => number } = {},
): Promise<CliRun> {
  let out = '';
  let err = '';
  const terminal = new Terminal(
    env,
    (text) => (out += text),
    (text) => (err += text),
    { out: tty, err: tty },
    100,
    now,
  );
  const exit = await runCli(args, terminal);
  return { exit, out, err };
}
