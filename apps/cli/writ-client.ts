import { Injectable } from '@nestjs/common';
import type { Problem } from '../../libs/problem/problem.ts';
import { findConnection } from './connection.ts';
import { Refused, Unreachable } from './failures.ts';
import { Terminal } from './terminal.ts';

/** An answer, as it came and as it reads. `Body` is what the route promises (DESIGN §5). */
export interface Answer<Body> {
  readonly text: string;
  readonly body: Body;
  /** Of the resource, from its ETag: what `If-Match` takes. Null where the route names none. */
  readonly revision: number | null;
}

export interface PageOf<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

type Query = Readonly<Record<string, string | number | undefined>>;

const DEADLINE_MS = 30_000;
const MOST_ITEMS_A_PAGE = 200;

/** The HTTP contract of DESIGN §5, seen from outside. Every call throws Refused or Unreachable unless it was done. */
@Injectable()
export class WritClient {
  constructor(private readonly terminal: Terminal) {}

  async get<Body>(path: string, query: Query = {}): Promise<Answer<Body>> {
    return this.#call('GET', path, query, undefined);
  }

  async post<Body>(path: string, body: object): Promise<Answer<Body>> {
    return this.#call('POST', path, {}, body);
  }

  /** @param ifRevision the change is refused when the resource is at another (RFC 9110 §13.1.1) */
  async patch<Body>(path: string, body: object, ifRevision?: number): Promise<Answer<Body>> {
    return this.#call('PATCH', path, {}, body, ifRevision === undefined ? {} : { 'if-match': `"${ifRevision}"` });
  }

  async delete<Body>(path: string, query: Query): Promise<Answer<Body>> {
    return this.#call('DELETE', path, query, undefined);
  }

  /** The pages of a list, one after another, until there are no more or `most` items have come. */
  async *pages<Item>(path: string, query: Query, most: number): AsyncGenerator<Answer<PageOf<Item>>> {
    let left = most;
    let cursor: string | undefined;
    do {
      const limit = Math.min(left, MOST_ITEMS_A_PAGE);
      const page: Answer<PageOf<Item>> = await this.get(path, { ...query, limit, cursor });
      yield page;
      left -= page.body.items.length;
      cursor = page.body.next ?? undefined;
    } while (cursor !== undefined && left > 0);
  }

  /** A long answer's bytes, as they come. */
  async *download(path: string, query: Query): AsyncGenerator<Uint8Array> {
    const { url, token } = findConnection(this.terminal.env);
    const target = targetOf(url, path, query);
    try {
      const headers = { authorization: `Bearer ${token}`, 'user-agent': 'writ-cli' };
      const response = await fetch(target, { headers, redirect: 'manual' });
      const { status, body } = response;
      if (status !== 200 || body === null) {
        throw new Refused(problemOf(status, parseObject(await response.text())), response.headers.get('x-request-id'));
      }
      yield* body;
    } catch (error) {
      throw error instanceof Refused ? error : unreachable(target, error);
    }
  }

  async #call<Body>(
    method: string,
    path: string,
    query: Query,
    body: object | undefined,
    conditions: Readonly<Record<string, string>> = {},
  ): Promise<Answer<Body>> {
    const { url, token } = findConnection(this.terminal.env);
    const target = targetOf(url, path, query);
    const { status, text, requestId, etag } = await send(target, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        'user-agent': 'writ-cli',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...conditions,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // A token is for the server it was meant for.
      redirect: 'manual',
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const answered = parseObject(text);
    if (status < 200 || status > 299) throw new Refused(problemOf(status, answered), requestId);
    if (answered === null) throw new Unreachable(`What answers at ${url} is not Writ.`);
    const revision = /^(?:W\/)?"(\d+)"$/.exec(etag ?? '')?.[1];
    return { text, body: answered as Body, revision: revision === undefined ? null : Number(revision) };
  }
}

function targetOf(url: string, path: string, query: Query): URL {
  const target = new URL(`${url}${path}`);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) target.searchParams.set(name, String(value));
  }
  return target;
}

const unreachable = (target: URL, error: unknown): Unreachable =>
  new Unreachable(`No answer from ${target.origin}: ${reasonOf(error)}.`);

interface Received {
  readonly status: number;
  readonly text: string;
  readonly requestId: string | null;
  readonly etag: string | null;
}

async function send(target: URL, request: RequestInit): Promise<Received> {
  try {
    const response = await fetch(target, request);
    const { status, headers } = response;
    return {
      status,
      text: await response.text(),
      requestId: headers.get('x-request-id'),
      etag: headers.get('etag'),
    };
  } catch (error) {
    throw unreachable(target, error);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'TimeoutError') return `nothing within ${DEADLINE_MS / 1000} s`;
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return cause?.code ?? cause?.message ?? error.message;
}

function parseObject(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

/** A proxy in between may refuse in its own words. */
function problemOf(status: number, answered: object | null): Refused['problem'] {
  const problem = answered as Partial<Problem> | null;
  if (typeof problem?.title === 'string' && typeof problem.detail === 'string') {
    return { ...problem, title: problem.title, detail: problem.detail, status };
  }
  return { title: 'Refused', status, detail: 'The server did not say why.' };
}
