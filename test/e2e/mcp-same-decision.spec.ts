import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Operations } from '../../libs/operation/operations.ts';
import type { OperationSpec } from '../../libs/operation/operation.ts';
import { post } from '../support/mcp.ts';
import { createToken, startServer, type TestServer } from '../support/server.ts';

/** What a face decided: allowed, or why not. */
interface Decision {
  readonly status: number;
  readonly code: string | null;
  readonly missing_scope: string | null;
  /** Fields that were wrong. */
  readonly fields: readonly string[];
}

const NOWHERE = '01J9ZK00000000000000000000';
/** A token is refused so many times a minute, on two faces, before it hears nothing else. */
const OPERATIONS_A_TOKEN = 25;

describe('MCP and REST', () => {
  let server: TestServer;
  let specs: readonly OperationSpec[];
  beforeAll(async () => {
    server = await startServer();
    specs = server.app
      .get(Operations)
      .all.map(({ spec }) => spec)
      .filter(
        ({ showsSecret, streams, http }) => showsSecret !== true && streams === undefined && http.upload === undefined,
      );
  }, 120_000);
  afterAll(() => server.close());

  const decisionOf = (problem: Readonly<Record<string, unknown>>, status: number): Decision => ({
    status,
    code: (problem['code'] as string | undefined) ?? null,
    missing_scope: (problem['missing_scope'] as string | undefined) ?? null,
    fields: ((problem['errors'] ?? []) as readonly { readonly field: string }[]).map(({ field }) => field).toSorted(),
  });
  const ALLOWED: Decision = { status: 200, code: null, missing_scope: null, fields: [] };

  async function byRest(
    { http: { method, path } }: OperationSpec,
    token: string | null,
    input: Record<string, unknown>,
  ) {
    const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name!);
    const filled = inPath.reduce((url, name) => url.replace(`:${name}`, String(input[name] ?? NOWHERE)), path);
    const rest = Object.fromEntries(Object.entries(input).filter(([name]) => !inPath.includes(name)));
    const hasBody = method === 'post' || method === 'patch';
    const query = hasBody ? '' : `?${new URLSearchParams(rest as Record<string, string>).toString()}`;
    const answer = await server.call(method.toUpperCase(), filled + query, {
      token,
      ...(hasBody ? { body: rest } : {}),
    });
    return answer.status < 400 ? ALLOWED : decisionOf(answer.body, answer.status);
  }

  async function byMcp({ name, http: { path } }: OperationSpec, token: string | null, input: Record<string, unknown>) {
    const inPath = Object.fromEntries([...path.matchAll(/:(\w+)/g)].map(([, variable]) => [variable!, NOWHERE]));
    const { status, json } = await post(server.url, token, {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name, arguments: { ...inPath, ...input } },
    });
    if (status !== 200) return decisionOf(json, status);
    const result = json['result'] as { readonly isError?: boolean; readonly _meta: Record<string, unknown> };
    const problem = result._meta['writ/problem'] as Record<string, unknown> | undefined;
    return problem === undefined ? ALLOWED : decisionOf(problem, Number(problem['status']));
  }

  /** Every operation, asked on both faces with the same token and input. */
  async function compare(
    tokenOf: () => Promise<string | null>,
    input: Record<string, unknown>,
    of = specs,
  ): Promise<Decision[]> {
    const decisions: Decision[] = [];
    let token: string | null = null;
    for (const [index, spec] of of.entries()) {
      if (index % OPERATIONS_A_TOKEN === 0) token = await tokenOf();
      const rest = await byRest(spec, token, input);
      expect({ operation: spec.name, ...(await byMcp(spec, token, input)) }).toEqual({ operation: spec.name, ...rest });
      decisions.push(rest);
    }
    return decisions;
  }

  const catalogues = ['comma', 'toado'] as const;
  const SCOPES = {
    comma: ['reports:read', 'reports:write', 'comments:read', 'comments:write', 'routines:write'],
    toado: ['read', 'comments', 'tickets:write', 'tickets:assign'],
  };
  const NARROW = { comma: ['comments:read'], toado: ['read'] };
  const token = (catalogue: 'comma' | 'toado', scopes: readonly string[]) => async (): Promise<string> =>
    (await createToken(server, { catalogue, scopes })).token;
  const isIn =
    (catalogue: string) =>
    (spec: OperationSpec): boolean =>
      spec.catalogue === catalogue;

  it('P7 turn away who shows no token alike', async () => {
    const decisions = await compare(async () => null, {});
    expect(new Set(decisions.map(({ status }) => status))).toEqual(new Set([401]));
  }, 120_000);

  it.each(catalogues)(
    'P7 decide alike over a token of %s with one scope',
    async (catalogue) => {
      const of = specs.filter(isIn(catalogue));
      const decisions = await compare(token(catalogue, NARROW[catalogue]), {}, of);
      const held = NARROW[catalogue].map((scope) => `${catalogue}/${scope}`);
      const lacking = of.filter(({ scope }) => scope !== null && !held.includes(scope));
      expect(decisions.filter(({ missing_scope }) => missing_scope !== null)).toHaveLength(lacking.length);
    },
    120_000,
  );

  it.each(catalogues)(
    'P7 decide alike over a token of another catalogue than %s',
    async (catalogue) => {
      const other = catalogue === 'comma' ? 'toado' : 'comma';
      const decisions = await compare(token(other, SCOPES[other]), {}, specs.filter(isIn(catalogue)));
      expect(new Set(decisions.map(({ status }) => status))).toEqual(new Set([403]));
    },
    120_000,
  );

  it.each(catalogues)(
    'P7 decide alike over a token of %s that may do all, asked for nothing and for nonsense',
    async (catalogue) => {
      const of = specs.filter(isIn(catalogue));
      await compare(token(catalogue, SCOPES[catalogue]), {}, of);
      const decisions = await compare(token(catalogue, SCOPES[catalogue]), { surplus: 'x' }, of);
      expect(decisions.map(({ status, fields }) => [status, fields])).toContainEqual([
        422,
        expect.arrayContaining(['surplus']),
      ]);
    },
    120_000,
  );

  it('P7 decide alike over the management API', async () => {
    const narrow = async (): Promise<string> =>
      (await createToken(server, { catalogue: 'writ', scopes: ['tokens:read'] })).token;
    await compare(narrow, {}, specs.filter(isIn('writ')));
  }, 120_000);

  it('P7 P2 turn away a revoked token alike', async () => {
    const revoked = async (): Promise<string> => {
      const { id, token: text } = await createToken(server, { catalogue: 'comma', scopes: SCOPES.comma });
      await server.call('DELETE', `/api/v1/tokens/${id}`, { token: server.operator });
      return text;
    };
    const decisions = await compare(revoked, {}, specs.filter(isIn('comma')));
    expect(new Set(decisions.map(({ status }) => status))).toEqual(new Set([401]));
  }, 120_000);

  it('P7 P3 throttle alike, out of one window', async () => {
    const { token: text } = await createToken(server, {
      catalogue: 'comma',
      scopes: ['reports:read'],
      limits: { reads: { per_minute: 2 } },
    });
    const list = specs.find(({ name }) => name === 'list_reports')!;
    expect([await byRest(list, text, {}), await byMcp(list, text, {})]).toEqual([ALLOWED, ALLOWED]);
    const throttled = { ...ALLOWED, status: 429, code: 'too_many_requests' };
    expect([await byMcp(list, text, {}), await byRest(list, text, {})]).toEqual([throttled, throttled]);
  });
});
