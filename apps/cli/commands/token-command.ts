import type { TokenRecord } from '../../../libs/tokens/record.ts';
import { parseTokenId } from '../arguments.ts';
import { tokenRecord } from '../show/tokens.ts';
import type { Answer } from '../writ-client.ts';
import { ServerCommand } from './writ-command.ts';

export type TokenWithSecret = TokenRecord & { readonly token: string };

/** A command about one token. */
export abstract class TokenCommand extends ServerCommand {
  /** Path of the token the first argument names. */
  protected pathOf(params: readonly string[]): string {
    return `/api/v1/tokens/${parseTokenId(params[0] ?? '')}`;
  }

  protected showToken(json: boolean | undefined, { text, body, revision }: Answer<TokenRecord>): void {
    this.show(json, text, () => tokenRecord(body, revision));
  }

  /** The secret alone on stdout's last line, this once; the warning beside it on stderr, so that a pipe gets only the token. */
  protected showSecret(json: boolean | undefined, { text, body, revision }: Answer<TokenWithSecret>): void {
    if (json !== true) this.terminal.warn('Keep the token on the last line now: it is shown this once.');
    this.show(json, text, () => `${tokenRecord(body, revision)}\n\n${body.token}`);
  }
}
