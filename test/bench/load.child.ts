/** Puts load on a server, from a process of its own. Its argument is a LoadOrder; it prints a LoadResult as JSON. */
import autocannon from 'autocannon';
import { secretOf } from './made-tokens.ts';

export interface LoadOrder {
  readonly url: string;
  readonly seconds: number;
  /** Instead of the seconds: so many calls, however long they take. */
  readonly calls?: number;
  readonly connections: number;
  /** Sent with every call. */
  readonly token?: string;
  /** A POST of this text, as JSON, with these headers; else a GET. */
  readonly post?: { readonly body: string; readonly headers: Readonly<Record<string, string>> };
  /** Instead: each call with one of the made tokens below this number, picked at random. */
  readonly madeTokens?: number;
  /** Calls a second of all connections together; else as fast as they are answered. */
  readonly rate?: number;
  /** A flood that is turned away: refusals are what it is for. */
  readonly mayBeRefused?: boolean;
}

export interface LoadResult {
  readonly calls: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** So many different tokens at most: what picks them must cost the load little. */
const MOST_PICKS = 50_000;

const order = JSON.parse(process.argv[2] ?? '{}') as LoadOrder;
const { url, seconds, calls, connections, token, post, madeTokens, rate, mayBeRefused = false } = order;
const bearer = (text: string) => ({ authorization: `Bearer ${text}` });

function picking(tokens: number): autocannon.Request {
  const picks = Array.from({ length: Math.min(tokens, MOST_PICKS) }, () =>
    bearer(secretOf(Math.floor(Math.random() * tokens))),
  );
  return { setupRequest: (request) => ({ ...request, headers: picks[Math.floor(Math.random() * picks.length)]! }) };
}

const { requests, latency, errors, non2xx } = await autocannon({
  url,
  ...(calls === undefined ? { duration: seconds } : { amount: calls }),
  connections,
  headers: { ...(token === undefined ? {} : bearer(token)), ...post?.headers },
  ...(post === undefined ? {} : { method: 'POST', body: post.body }),
  ...(rate === undefined ? {} : { overallRate: rate }),
  ...(madeTokens === undefined ? {} : { requests: [picking(madeTokens)] }),
});
if (errors + non2xx > 0 && !mayBeRefused) throw new Error(`${errors + non2xx} calls failed of a load on ${url}`);
const result: LoadResult = {
  calls: requests.total,
  perSecond: requests.average,
  p50Ms: latency.p50,
  p99Ms: latency.p99,
};
console.log(JSON.stringify(result));
