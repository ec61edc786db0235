/** Which server, and as whom. */
export interface Setup {
  readonly url: URL;
  readonly token: string;
  /** The variable the token came from: what a person has to look at when it is refused. */
  readonly variable: string;
}

/** Said to a person, in one sentence. */
export class SetupMistake extends Error {
  override readonly name = 'SetupMistake';
}

const DEFAULT_URL = 'http://127.0.0.1:3000';
const TOKEN_VARIABLES = ['TOADO_API_TOKEN', 'COMMA_API_TOKEN', 'WRIT_API_TOKEN'];

/**
 * From the environment, and from the one argument there is: a catalogue's name (`writ-mcp comma` takes COMMA_API_TOKEN),
 * for a shell that has several tokens set.
 * @throws SetupMistake
 */
export function readSetup(env: NodeJS.ProcessEnv, [catalogue, ...more]: readonly string[]): Setup {
  if (more.length > 0) throw new SetupMistake('writ-mcp takes one argument at most: the name of a catalogue.');
  const variable =
    catalogue === undefined ? onlyOneOf(env) : `${catalogue.toUpperCase().replaceAll('-', '_')}_API_TOKEN`;
  const token = env[variable]?.trim() ?? '';
  if (token === '') throw new SetupMistake(`${variable} is not set: it must hold the token to call with.`);
  // A header cannot hold it, and the error fetch would throw repeats it.
  if (!/^[\x21-\x7e]+$/.test(token)) throw new SetupMistake(`${variable} does not hold a token.`);
  return { url: new URL('/api/mcp', serverUrl(env['WRIT_URL'] || DEFAULT_URL)), token, variable };
}

function onlyOneOf(env: NodeJS.ProcessEnv): string {
  const set = TOKEN_VARIABLES.filter((name) => (env[name]?.trim() ?? '') !== '');
  const [only] = set;
  if (only === undefined) {
    throw new SetupMistake(
      'Set TOADO_API_TOKEN or COMMA_API_TOKEN to the token to call with (and WRIT_URL to the server).',
    );
  }
  if (set.length > 1) {
    const first = only.slice(0, only.indexOf('_')).toLowerCase();
    throw new SetupMistake(`${set.join(' and ')} are both set: say which by an argument, like writ-mcp ${first}.`);
  }
  return only;
}

function serverUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new SetupMistake('WRIT_URL must begin with http:// or https://.');
  }
  if (url.username !== '' || url.password !== '') throw new SetupMistake('WRIT_URL must hold no user or password.');
  return url;
}
