import { operatorTokenFile, readOperatorToken } from '../../libs/founding/operator-token-file.ts';
import { readSettings } from '../../libs/settings/settings.ts';
import { WrongUsage } from './failures.ts';
import type { Terminal } from './terminal.ts';

export interface Connection {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string;
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Where the server is and who asks: `WRIT_URL` and `WRIT_TOKEN`, else this machine’s `PORT` and the operator token in `DATA_DIR`.
 * That file's token is for this machine only: it is not sent to a server elsewhere.
 * @throws WrongUsage
 */
export function findConnection(env: NodeJS.ProcessEnv): Connection {
  const url = serverUrl(env['WRIT_URL'] || `http://127.0.0.1:${readSettings(env).port}`);
  const given = env['WRIT_TOKEN']?.trim();
  if (given !== undefined && given !== '') {
    // A header cannot hold it, and the error fetch would throw repeats it (P5).
    if (!/^[\x21-\x7e]+$/.test(given)) throw new WrongUsage('WRIT_TOKEN is not a token.');
    return { url: url.href.replace(/\/$/, ''), token: given };
  }
  const { dataDir } = readSettings(env);
  if (!LOOPBACK.has(url.hostname)) {
    throw new WrongUsage(`Set WRIT_TOKEN for ${url.host}: the operator token of this machine is not sent elsewhere.`);
  }
  const token = readOperatorToken(dataDir);
  if (token === null) {
    throw new WrongUsage(`There is no token: set WRIT_TOKEN, or DATA_DIR (no ${operatorTokenFile(dataDir)} here).`);
  }
  return { url: url.href.replace(/\/$/, ''), token };
}

/** While the first operator token lies in its file, whoever reads the disk has it: says so, to people only. */
export function remindOfOperatorToken(terminal: Terminal): void {
  if (!terminal.tty.err) return;
  const { dataDir } = readSettings(terminal.env);
  if (readOperatorToken(dataDir) === null) return;
  terminal.warn(
    `Reminder: the operator token lies in ${operatorTokenFile(dataDir)}. Rotate it (writ token rotate ID --now), keep the new one as WRIT_TOKEN, and remove the file.`,
  );
}

function serverUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new WrongUsage('WRIT_URL must begin with http:// or https://.');
  }
  if (url.username !== '' || url.password !== '') throw new WrongUsage('WRIT_URL must hold no user or password.');
  return url;
}
