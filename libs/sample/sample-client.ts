/** The server did not do what the sample needs. */
export class SampleFailed extends Error {
  override readonly name = 'SampleFailed';
}

export type Body = Readonly<Record<string, unknown>>;

const DEADLINE_MS = 30_000;

/** Calls under one token, as any client makes them. Nothing here is known of the server but its HTTP contract. */
export class SampleClient {
  /** @param seen the last write of any of these clients: what one of them reads afterwards has got there */
  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly seen: { logPosition: string | null } = { logPosition: null },
  ) {}

  /** Another's calls to the same server. */
  as(token: string): SampleClient {
    return new SampleClient(this.url, token, this.seen);
  }

  get(path: string): Promise<Body> {
    return this.#done('GET', path);
  }

  /** @param key names what is made: made again under it, it is the same one */
  post(path: string, key: string, body: Body = {}): Promise<Body> {
    return this.#done('POST', path, body, { 'idempotency-key': `sample/${key}` });
  }

  async patch(path: string, key: string, body: Body): Promise<Body> {
    return this.#done('PATCH', path, body, { 'idempotency-key': `sample/${key}` });
  }

  async delete(path: string): Promise<Body> {
    return this.#done('DELETE', path);
  }

  /** A call that is to be refused: the sample shows what that looks like. */
  async refused(method: string, path: string, body?: Body): Promise<void> {
    const { status } = await this.#call(method, path, body);
    if (status !== 403) throw new SampleFailed(`${method} ${path} was answered ${status}, not refused`);
  }

  /** The answer's status beside its body, whatever it is; for what may have been done before. */
  try(method: string, path: string, key: string, body: Body) {
    return this.#call(method, path, body, { 'idempotency-key': `sample/${key}` });
  }

  async #done(method: string, path: string, body?: Body, headers?: Record<string, string>): Promise<Body> {
    const answer = await this.#call(method, path, body, headers);
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    throw new SampleFailed(`${method} ${path}: ${answer.status} ${String(answer.body['detail'] ?? '')}`);
  }

  async #call(
    method: string,
    path: string,
    body?: Body,
    headers: Record<string, string> = {},
  ): Promise<{ readonly status: number; readonly body: Body }> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        'user-agent': 'writ-demo',
        ...(method === 'GET' && this.seen.logPosition !== null ? { 'x-log-position': this.seen.logPosition } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'manual',
      signal: AbortSignal.timeout(DEADLINE_MS),
    }).catch((error: unknown) => {
      throw new SampleFailed(`No answer to ${method} ${path}: ${error instanceof Error ? error.message : 'unknown'}.`);
    });
    this.seen.logPosition = response.headers.get('x-log-position') ?? this.seen.logPosition;
    const text = await response.text();
    try {
      return { status: response.status, body: JSON.parse(text) as Body };
    } catch {
      throw new SampleFailed(`What answers ${method} ${path} is not Writ.`);
    }
  }
}

export const idOf = (body: Body): string => String(body['id']);
