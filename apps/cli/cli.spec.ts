import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { writeOperatorToken } from '../../libs/founding/operator-token-file.ts';
import type { TokenRecord } from '../../libs/tokens/record.ts';
import { type CliRun, strangeToken, writ } from '../../test/support/cli.ts';

const ID = '01J9ZK3V8Q6T4W2Y0B7D5F1G3H';
const OPERATOR = strangeToken('writ_');
const SECRET = strangeToken('comma_sk_');

const record: TokenRecord = {
  id: ID,
  catalogue: 'comma',
  kind: 'agent',
  name: 'claude-code on macbook',
  owner: { id: 'jason', name: 'Jason' },
  workspace: 'w1',
  scopes: ['reports:read', 'reports:write'],
  restrict: { companies: [], projects: [] },
  limits: { reads: { per_minute: 600, used: 7 }, writes: { per_minute: 60, used: 0 } },
  status: 'active',
  created_at: '2026-11-24T12:00:00.000Z',
  expires_at: null,
  last_used_at: null,
  predecessor: null,
  successor: null,
};

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

interface Told {
  readonly status?: number;
  readonly type?: string;
  readonly body: unknown;
}

/** A server that answers what it was told, one after another, and keeps what it was asked. */
describe('writ', () => {
  let server: Server;
  let url: string;
  let dataDir: string;
  let asked: Asked[];
  let told: Told[];

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'writ-cli-'));
    writeOperatorToken(dataDir, OPERATOR);
    server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        const { method = '', url: path = '', headers } = request;
        asked.push({ method, url: path, authorization: headers.authorization, body });
        const next = told.shift() ?? { body: record };
        response.writeHead(next.status ?? 200, {
          'content-type': next.type ?? 'application/json',
          'x-request-id': ID,
          ...(next.status === 302 ? { location: '/elsewhere' } : {}),
        });
        response.end(typeof next.body === 'string' ? next.body : JSON.stringify(next.body));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(dataDir, { recursive: true });
  });
  beforeEach(() => {
    asked = [];
    told = [];
  });

  const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}, tty = false): Promise<CliRun> =>
    writ(args, { WRIT_URL: url, DATA_DIR: dataDir, ...env }, { tty, now: () => Date.parse('2026-11-24T12:00:00Z') });

  describe('asks what the line says', () => {
    it.each<[string, string, string, unknown]>([
      ['me', 'GET', '/api/v1/me', null],
      [`token show ${ID}`, 'GET', `/api/v1/tokens/${ID}`, null],
      [
        `token show ${ID} --at 2026-11-24T11:00:00Z`,
        'GET',
        `/api/v1/tokens/${ID}?at=2026-11-24T11%3A00%3A00.000Z`,
        null,
      ],
      [
        `token change ${ID} --name laptop --scope a --writes default --expires never`,
        'PATCH',
        `/api/v1/tokens/${ID}`,
        { name: 'laptop', scopes: ['a'], limits: { writes: { per_minute: null } }, expires_at: null },
      ],
      [`token change ${ID} --expires 12h`, 'PATCH', `/api/v1/tokens/${ID}`, { expires_at: '2026-11-25T00:00:00.000Z' }],
      [`token change ${ID} --name laptop`, 'PATCH', `/api/v1/tokens/${ID}`, { name: 'laptop' }],
      [`token change ${ID} --scope a,b --scope c`, 'PATCH', `/api/v1/tokens/${ID}`, { scopes: ['a', 'b', 'c'] }],
      [
        `token change ${ID} --company acme --project web,app`,
        'PATCH',
        `/api/v1/tokens/${ID}`,
        { restrict: { companies: ['acme'], projects: ['web', 'app'] } },
      ],
      [`token change ${ID} --reads 5`, 'PATCH', `/api/v1/tokens/${ID}`, { limits: { reads: { per_minute: 5 } } }],
      [
        `token change ${ID} --reads default --writes 3`,
        'PATCH',
        `/api/v1/tokens/${ID}`,
        { limits: { reads: { per_minute: null }, writes: { per_minute: 3 } } },
      ],
      ['workspace limits', 'GET', '/api/v1/admin/workspace/limits', null],
      [
        'workspace limits --reads 500 --writes none --if-match 3',
        'PATCH',
        '/api/v1/admin/workspace/limits',
        { reads: { per_minute: 500 }, writes: { per_minute: null } },
      ],
      [`token suspend ${ID}`, 'POST', `/api/v1/tokens/${ID}/suspend`, {}],
      [`token resume ${ID}`, 'POST', `/api/v1/tokens/${ID}/resume`, {}],
      [`token revoke ${ID}`, 'DELETE', `/api/v1/tokens/${ID}`, null],
      [`token revoke ${ID} --reason leak --note chat`, 'DELETE', `/api/v1/tokens/${ID}?reason=leak&note=chat`, null],
      [`token revoke --owner jason --note left`, 'POST', '/api/v1/admin/people/jason/revoke-tokens', { note: 'left' }],
      [`token rotate ${ID}`, 'POST', `/api/v1/tokens/${ID}/rotate`, {}],
      [`token rotate ${ID} --overlap 1h`, 'POST', `/api/v1/tokens/${ID}/rotate`, { overlap_seconds: 3_600 }],
      [`token rotate ${ID} --now`, 'POST', `/api/v1/tokens/${ID}/rotate`, { overlap_seconds: 0 }],
      [
        'token create --catalogue comma --name ci --scope reports:read',
        'POST',
        '/api/v1/tokens',
        { catalogue: 'comma', name: 'ci', scopes: ['reports:read'] },
      ],
      [
        'token create --catalogue toado --name ci --scope read --reads 5 --writes 3 --expires 12h --company acme --project web --project app --kind person --owner jason',
        'POST',
        '/api/v1/tokens',
        {
          catalogue: 'toado',
          name: 'ci',
          scopes: ['read'],
          limits: { reads: { per_minute: 5 }, writes: { per_minute: 3 } },
          expires_at: '2026-11-25T00:00:00.000Z',
          restrict: { companies: ['acme'], projects: ['web', 'app'] },
          kind: 'person',
          owner: 'jason',
        },
      ],
    ])('%s', async (line, method, path, body) => {
      const { exit, err } = await run([...line.split(' '), '--json']);
      expect({ exit, err }).toEqual({ exit: 0, err: '' });
      expect(asked).toEqual([{ method, url: path, authorization: `Bearer ${OPERATOR}`, body }]);
    });
  });

  describe('shows', () => {
    it('a record, a line a member', async () => {
      const { out } = await run(['token', 'show', ID]);
      expect(out).toMatch(/^name {2,}claude-code on macbook$/m);
      expect(out).toMatch(/^reads a minute {2,}7 used of 600$/m);
      expect(out).toMatch(/^expires {2,}never$/m);
    });

    it('the ceiling its workspace has, where it has one', async () => {
      told = [{ body: { ...record, workspace_limits: { reads: { per_minute: 50, used: 9 }, writes: null } } }];
      expect((await run(['me'])).out).toMatch(/^workspace’s reads {2,}9 used of 50, all its tokens together$/m);
      const limits = { reads: { per_minute: 50, used: 9 }, writes: { per_minute: null, used: null } };
      told = [{ body: { id: 'w1', limits, version: 2, by: null, updated_at: null } }];
      const { out } = await run(['workspace', 'limits']);
      expect(out).toMatch(/^reads {2,}9 of 50 a minute, all tokens together$/m);
      expect(out).toMatch(/^writes {2,}no ceiling$/m);
    });

    it('a list in columns, and says when there is more', async () => {
      told = [{ body: { items: [record], next: 'c1' } }];
      const { out, err } = await run(['token', 'list', '--limit', '1', '--catalogue', 'comma']);
      const [head, row] = out.split('\n');
      expect(head).toMatch(/^ID +NAME +OWNER +CATALOGUE +SCOPES +READS\/MIN +WRITES\/MIN +STATUS +LAST USED$/);
      expect(row).toMatch(
        /claude-code on macbook +Jason +comma +reports:read, reports:write +7 of 600 +0 of 60 +active +never$/,
      );
      expect(err).toMatch(/There are more/);
      expect(asked.map((ask) => ask.url)).toEqual(['/api/v1/tokens?catalogue=comma&limit=1']);
    });

    it('every page with --all, each as the server wrote it with --json', async () => {
      const pages = ['{ "items": [1],  "next":"c1" }', '{"items":[2],"next":null, "complete_to":9}'];
      told = pages.map((body) => ({ body }));
      const { out, err } = await run(['token', 'history', ID, '--all', '--json']);
      expect(out).toBe(`${pages.join('\n')}\n`);
      expect(err).toBe('');
      expect(asked.map((ask) => ask.url)).toEqual([
        `/api/v1/tokens/${ID}/history?limit=200`,
        `/api/v1/tokens/${ID}/history?limit=200&cursor=c1`,
      ]);
    });

    it('a history with what each event means, a kind it does not know included', async () => {
      const actor = { person: record.owner, token: ID, label: 'ci', face: 'rest' };
      const item = (type: string, data: unknown): object => ({ time: record.created_at, type, data, actor });
      const use = {
        operation: 'list_comments',
        resource: null,
        decision: 'refused',
        reason: 'missing_scope',
        status: 403,
      };
      told = [
        {
          body: {
            items: [
              item('TokenLimitsChanged', { limits: { reads: 5, writes: null }, expires_at: null }),
              item('TokenRevoked', { reason: 'leak', note: 'pasted \u001b[2J' }),
              item('TokenUsed', { ...use, request_id: ID }),
              item('TokenPainted', { colour: 'red' }),
            ],
            next: null,
          },
        },
      ];
      const { out } = await run(['token', 'history', ID]);
      expect(out).toMatch(/TokenLimitsChanged +5 reads, default writes a minute +Jason \(ci\) via rest$/m);
      expect(out).toMatch(new RegExp(`TokenUsed +list_comments 403 refused: missing_scope \\[${ID}\\]`));
      expect(out).toMatch(/TokenPainted +\{"colour":"red"\}/);
      // Recorded text cannot steer the terminal.
      expect(out).toContain('leak: pasted �[2J');
      expect(out).not.toContain('\u001b');
    });

    it('why: token, decision and rule', async () => {
      const request = { request_id: ID, token: ID, label: 'ci', owner: record.owner, operation: 'list_comments' };
      const decided = {
        face: 'rest',
        decision: 'refused',
        reason: 'missing_scope',
        status: 403,
        time: record.created_at,
      };
      told = [{ body: { ...request, ...decided, scope_needed: 'comments:read', position: 6 } }];
      const { out } = await run(['why', ID]);
      expect(out).toMatch(/^decision +refused \(403\)$/m);
      expect(out).toMatch(/^rule +missing_scope: the token lacks comments:read$/m);
    });
  });

  it('why asks again for a request the index has not reached, and not for ever', async () => {
    const unknown = { status: 404, body: { title: 'Not found', status: 404, detail: 'No use is recorded.' } };
    told = [unknown, unknown];
    expect(await run(['why', ID, '--json'])).toMatchObject({ exit: 0, err: '' });
    expect(asked).toHaveLength(3);
    asked = [];
    told = Array.from({ length: 9 }, () => unknown);
    expect(await run(['why', ID])).toMatchObject({ exit: 1, out: '' });
    expect(asked).toHaveLength(5);
  });

  describe('P5 keeps secrets', () => {
    it('shows a new one alone on the last line of stdout, the warning on stderr', async () => {
      for (const line of [`token rotate ${ID}`, 'token create --catalogue comma --name ci --scope reports:read']) {
        told = [{ status: 201, body: { ...record, token: SECRET } }];
        const { out, err } = await run(line.split(' '), {}, true);
        expect(out.split('\n').slice(-3)).toEqual(['', SECRET, '']);
        expect(out.split(SECRET)).toHaveLength(2);
        expect(err).toMatch(/shown this once/);
        expect(err).not.toContain(SECRET);
      }
    });

    it('prints the caller’s token nowhere, whatever goes wrong', async () => {
      told = [
        { status: 500, type: 'text/html', body: '<h1>proxy</h1>' },
        { status: 302, body: '' },
        { body: 'not json' },
      ];
      const runs = [
        ...(await Promise.all([run(['me']), run(['me']), run(['me'])])),
        await run(['me'], { WRIT_URL: 'http://127.0.0.1:9' }),
        await run(['me'], { WRIT_TOKEN: `${OPERATOR}\u00e9` }),
        await run(['token', 'show', OPERATOR]),
        await run(['me'], { WRIT_URL: `http://user:${OPERATOR}@127.0.0.1` }),
      ];
      expect(runs.map(({ exit }) => exit).toSorted()).toEqual([1, 1, 2, 2, 2, 3, 3]);
      for (const { out, err } of runs) expect(out + err).not.toContain(OPERATOR.slice(-38));
      // No redirect was followed: a token is for the server it was meant for.
      expect(asked.map((ask) => ask.url)).toEqual(['/api/v1/me', '/api/v1/me', '/api/v1/me']);
    });

    it('sends this machine’s operator token to no other', async () => {
      const { exit, err } = await run(['me'], { WRIT_URL: 'http://writ.example.com' });
      expect(exit).toBe(2);
      expect(err).toMatch(/Set WRIT_TOKEN for writ\.example\.com/);
    });

    it('reminds people of the operator token’s file, and no script', async () => {
      expect((await run(['me'], {}, true)).err).toMatch(/Reminder: the operator token lies in/);
      expect((await run(['me'])).err).toBe('');
      const none = { DATA_DIR: join(dataDir, 'none'), WRIT_TOKEN: SECRET };
      expect(await run(['me'], none, true)).toMatchObject({ exit: 0, err: '' });
      expect(asked.at(-1)?.authorization).toBe(`Bearer ${SECRET}`);
    });
  });

  describe('ends with', () => {
    it('1 where the server refuses, and says all it said', async () => {
      const errors = [{ field: 'limits.reads.per_minute', message: 'must not be less than 1' }];
      const problem = { title: 'Invalid', status: 422, code: 'invalid', detail: 'limits', errors };
      told = [{ status: 422, type: 'application/problem+json', body: problem }];
      const { exit, out, err } = await run(['token', 'change', ID, '--reads', '1']);
      expect({ exit, out }).toEqual({ exit: 1, out: '' });
      expect(err).toBe(`Invalid (422): limits\n  limits.reads.per_minute: must not be less than 1\n  request ${ID}\n`);
      told = [{ status: 429, body: { title: 'Too many requests', detail: 'used up', retry_after: 12 } }];
      expect((await run(['me'])).err).toMatch(/again in 12 s/);
    });

    it.each([
      ['nothing', []],
      ['an unknown command', ['bogus']],
      ['an unknown subcommand', ['token', 'bogus']],
      ['a group alone', ['token']],
      ['a missing option', ['token', 'create', '--name', 'ci']],
      ['a missing id', ['token', 'show']],
      ['too many words', ['me', 'too']],
      ['an unknown option', ['me', '--loud']],
      ['an id that is none', ['token', 'revoke', 'mine']],
      ['a limit that is none', ['token', 'change', ID, '--reads', 'many']],
      ['no change', ['token', 'change', ID]],
      ['a ceiling that is none', ['workspace', 'limits', '--reads', '0']],
      ['no change of a ceiling', ['workspace', 'limits', '--if-match', '3']],
      ['a revision that is none', ['token', 'change', ID, '--name', 'n', '--if-match', 'last']],
      ['no scope', ['token', 'change', ID, '--scope', ',']],
      ['no project', ['token', 'change', ID, '--project', ',']],
      ['an empty scope', ['token', 'create', '--catalogue', 'comma', '--name', 'ci', '--scope', ',']],
      ['both ways of rotating', ['token', 'rotate', ID, '--now', '--overlap', '1h']],
      ['neither a token nor an owner', ['token', 'revoke']],
      ['both a token and an owner', ['token', 'revoke', ID, '--owner', 'jason']],
      ['a reason that is none', ['token', 'revoke', ID, '--reason', 'boredom']],
      ['both ways of paging', ['token', 'list', '--all', '--limit', '3']],
      [
        'a kind that is none',
        ['token', 'create', '--catalogue', 'c', '--name', 'n', '--scope', 's', '--kind', 'robot'],
      ],
    ])('2 for %s, asking nothing', async (_what, args) => {
      const { exit, out, err } = await run(args);
      expect({ exit, out }).toEqual({ exit: 2, out: '' });
      expect(err).not.toBe('');
      expect(asked).toEqual([]);
    });

    it('2 where there is no token at all', async () => {
      const { exit, err } = await run(['me'], { DATA_DIR: join(dataDir, 'none') });
      expect(exit).toBe(2);
      expect(err).toMatch(/set WRIT_TOKEN, or DATA_DIR/);
    });

    it('3 where nobody answers', async () => {
      const { exit, err } = await run(['me'], { WRIT_URL: 'http://127.0.0.1:9' });
      expect(exit).toBe(3);
      expect(err).toMatch(/^No answer from http:\/\/127\.0\.0\.1:9/);
    });
  });

  describe('explains itself', () => {
    const groups = {
      token: ['create', 'list', 'show', 'history', 'change', 'rotate', 'suspend', 'resume', 'revoke'],
      routine: ['list', 'show', 'create', 'change', 'run', 'pause', 'resume', 'delete', 'runs'],
      projections: ['list', 'status', 'rebuild', 'verify', 'retry'],
      people: ['erase'],
      workspace: ['limits'],
      retention: ['show', 'run', 'hold', 'release'],
      audit: ['export', 'verify', 'keys', 'outlets'],
      key: ['list', 'add', 'drop'],
      digest: ['list', 'show'],
    };
    const everyCommand = [
      ...Object.entries(groups).flatMap(([group, commands]) => commands.map((command) => [group, command])),
      ...['me', 'why', 'replay', 'demo', 'init', 'recover'].map((command) => [command]),
    ];

    it('with every command and the exit codes on one page', async () => {
      const { exit, out, err } = await run(['--help']);
      expect({ exit, err }).toEqual({ exit: 0, err: '' });
      const listed = [...out.matchAll(/^ {2}((?:[a-z]+ )?[a-z]+)(?: [<[][^>\]]+[>\]])* {2,}\S/gm)].map(
        ([, command]) => command,
      );
      expect(listed).toEqual(everyCommand.map((words) => words.join(' ')));
      expect(out).toMatch(/Exit codes: 0 done, 1 refused by the server, 2 wrong usage, 3 server unreachable\./);
      expect(out).toMatch(/WRIT_URL.*WRIT_TOKEN/);
    });

    it.each(everyCommand)('in the help of %s %s', async (...words) => {
      const path = words.filter((word): word is string => typeof word === 'string');
      const { exit, out } = await run([...path, '--help']);
      expect(exit).toBe(0);
      expect(out).toContain(`Usage: writ ${path.join(' ')}`);
      expect(out).toMatch(new RegExp(`Examples:\\n {2}.*writ ${path.join(' ')}`));
      // Every option says what it is.
      for (const [line] of out.matchAll(/^ {2}-.*$/gm)) expect(line).toMatch(/ {2,}\S+ \S+/);
    });
  });
});

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? null : JSON.parse(text);
}
