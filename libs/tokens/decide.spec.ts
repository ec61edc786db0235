import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadCatalogues } from '../catalogue/load-catalogues.ts';
import { isRefused } from '../event-log/decide-and-append.ts';
import type { Authority } from './authority.ts';
import { type ChangeToken, type CreateToken, decide, type TokenCommand, tokenDecider } from './decide.ts';
import type { TokenEvent } from './events.ts';
import { noToken, statusAt, type Token } from './token.ts';

const catalogues = loadCatalogues(null);
const comma = catalogues.named('comma')!;
const toado = catalogues.named('toado')!;
const writ = catalogues.named('writ')!;
const NOW = Date.parse('2026-01-01T00:00:00.000Z');
const DAY = 86_400_000;
const jason = { id: 'jason', name: 'Jason' };

const operator: Authority = {
  workspace: 'w1',
  owner: 'jason',
  grants: Object.keys(writ.scopes).map((scope) => `writ/${scope}`),
  restrict: { companies: [], projects: [] },
  limits: { reads: 100_000, writes: 100_000 },
  expiresAtMs: null,
};
/** `tokens:write` and nothing else, the catalogue's limits, a month to live. */
const clerk: Authority = {
  ...operator,
  grants: ['writ/tokens:write'],
  limits: { reads: 600, writes: 60 },
  expiresAtMs: NOW + 30 * DAY,
};

const create = (change: Partial<CreateToken> = {}): CreateToken => ({
  type: 'CreateToken',
  id: '01J9ZK00000000000000000000',
  catalogue: comma,
  kind: 'agent',
  name: 'claude-code on macbook',
  owner: jason,
  scopes: ['reports:read', 'reports:write'],
  restrict: { companies: [], projects: [] },
  limits: { reads: null, writes: null },
  companies: new Map(),
  expiresAtMs: null,
  digest: 'd1',
  giver: operator,
  nowMs: NOW,
  ...change,
});

const given = (...commands: TokenCommand[]): Token =>
  commands.reduce((token, command) => apply(token, command), noToken as Token);

function apply(token: Token, command: TokenCommand): Token {
  const decision = decide(command, token);
  return isRefused(decision) ? token : (decision as readonly TokenEvent[]).reduce(tokenDecider.evolve, token);
}

const types = (decision: ReturnType<typeof decide>): string[] =>
  isRefused(decision) ? [] : (decision as readonly TokenEvent[]).map(({ type }) => type);

describe('creating a token', () => {
  it('records what was asked, never more', () => {
    expect(decide(create(), noToken)).toMatchObject([
      {
        type: 'TokenCreated',
        data: { catalogue: 'comma', workspace: 'w1', scopes: ['reports:read', 'reports:write'], digest: 'd1' },
      },
    ]);
  });

  it.each([
    ['no scopes', { scopes: [] }, { code: 'no_scopes' }],
    ['an unknown scope', { scopes: ['reports:delete'] }, { code: 'unknown_scope', scope: 'reports:delete' }],
    ['a scope of another catalogue', { scopes: ['tickets:write'] }, { code: 'unknown_scope', scope: 'tickets:write' }],
    ['a property of Object as a scope', { scopes: ['constructor'] }, { code: 'unknown_scope', scope: 'constructor' }],
    [
      'a pin where there is nothing to pin to',
      { restrict: { companies: ['c1'], projects: [] } },
      { code: 'not_pinnable' },
    ],
    [
      'two companies',
      { catalogue: toado, scopes: ['read'], restrict: { companies: ['c1', 'c2'], projects: [] } },
      { code: 'too_many_companies' },
    ],
    [
      'projects of no company',
      { catalogue: toado, scopes: ['read'], restrict: { companies: [], projects: ['p1'] } },
      { code: 'projects_without_company' },
    ],
    ['an expiry that has passed', { expiresAtMs: NOW }, { code: 'expires_in_the_past' }],
  ])('P12 refuses %s', (_, change, refused) => {
    expect(decide(create(change as Partial<CreateToken>), noToken)).toEqual({ refused });
  });
});

describe('P13 nobody grants more than they hold', () => {
  it.each([
    ['a scope it lacks', { catalogue: writ, scopes: ['operate'] }, 'scopes'],
    ['a higher limit', { limits: { reads: 601, writes: null } }, 'limits'],
    ['a longer life', { expiresAtMs: NOW + 31 * DAY }, 'lifetime'],
    ['an endless life', { expiresAtMs: null }, 'lifetime'],
    ['a token of somebody else', { owner: { id: 'mia', name: 'Mia' } }, 'owner'],
  ])('a token with tokens:write alone cannot give %s', (_, change, excess) => {
    const command = create({ giver: clerk, expiresAtMs: NOW + DAY, ...(change as Partial<CreateToken>) });
    expect(decide(command, noToken)).toEqual({ refused: { code: 'beyond_authority', excess } });
  });

  it.each<[string, Partial<ChangeToken>]>([
    ['scopes', { scopes: ['tokens:read', 'operate'] }],
    ['limits', { limits: { writes: 61 } }],
    ['lifetime', { expiresAtMs: NOW + 31 * DAY }],
  ])('nor widen %s afterwards', (excess, change) => {
    const token = given(create({ catalogue: writ, scopes: ['tokens:read'], expiresAtMs: NOW + DAY }));
    const giver = { ...clerk, grants: ['writ/tokens:write', 'writ/tokens:read'] };
    const command: ChangeToken = {
      type: 'ChangeToken',
      companies: new Map(),
      catalogue: writ,
      giver,
      nowMs: NOW,
      ...change,
    };
    expect(decide(command, token)).toEqual({ refused: { code: 'beyond_authority', excess } });
  });

  describe('nor see more than it sees', () => {
    const pinned = (companies: string[], projects: string[] = []): Authority => ({
      ...operator,
      restrict: { companies, projects },
    });
    const pinnedTo = (companies: string[], projects: string[] = []): CreateToken =>
      create({
        catalogue: toado,
        scopes: ['read'],
        restrict: { companies, projects },
        companies: new Map([
          ['a', NONE],
          ['b', NONE],
        ]),
      });
    const NONE = { reads: null, writes: null };
    const beyond = { refused: { code: 'beyond_authority', excess: 'restriction' } };

    it.each<[string, Authority, string[], string[]]>([
      ['another company', pinned(['a']), ['b'], []],
      ['no company', pinned(['a']), [], []],
      ['another project', pinned(['a'], ['p']), ['a'], ['q']],
      ['no project', pinned(['a'], ['p']), ['a'], []],
    ])('one pinned to %s is not its to make, nor to move there', (_, giver, companies, projects) => {
      const command = pinnedTo(companies, projects);
      expect(decide({ ...command, giver }, noToken)).toEqual(beyond);
      const token = given(pinnedTo([...giver.restrict.companies], [...giver.restrict.projects]));
      const { restrict, companies: limits } = command;
      const move: ChangeToken = {
        type: 'ChangeToken',
        catalogue: toado,
        restrict,
        companies: limits,
        giver,
        nowMs: NOW,
      };
      expect(decide(move, token)).toEqual(beyond);
    });
  });

  it('nor rotate a stronger token into its own hands', () => {
    const strong = given(create({ catalogue: writ, scopes: ['operate'] }));
    const rotate: TokenCommand = {
      type: 'RotateToken',
      companies: new Map(),
      catalogue: writ,
      successor: 's',
      overlapMs: 0,
      giver: clerk,
      nowMs: NOW,
    };
    expect(decide(rotate, strong)).toEqual({ refused: { code: 'beyond_authority', excess: 'scopes' } });
  });

  describe('a company’s limits count, where a token has none of its own', () => {
    const companies = new Map([
      ['fast', { reads: 1_000, writes: null }],
      ['slow', { reads: 10, writes: 10 }],
    ]);
    const pinned = (company: string, change: Partial<CreateToken> = {}): CreateToken =>
      create({
        catalogue: toado,
        scopes: ['read'],
        restrict: { companies: [company], projects: [] },
        expiresAtMs: NOW + DAY,
        companies,
        giver: clerk,
        ...change,
      });
    const beyond = { refused: { code: 'beyond_authority', excess: 'limits' } };
    const repin = (company: string): ChangeToken => ({
      type: 'ChangeToken',
      catalogue: toado,
      restrict: { companies: [company], projects: [] },
      companies,
      giver: clerk,
      nowMs: NOW,
    });

    it('so that nobody pins a token to a company that is given more than they hold', () => {
      expect(decide(pinned('fast'), noToken)).toEqual(beyond);
      expect(types(decide(pinned('fast', { limits: { reads: 600, writes: null } }), noToken))).toEqual([
        'TokenCreated',
      ]);
      expect(types(decide(pinned('slow'), noToken))).toEqual(['TokenCreated']);
      // One nobody has looked up is taken for boundless.
      expect(decide(pinned('unknown'), noToken)).toEqual(beyond);
    });

    it('nor moves one there, nor gives it back to such a company', () => {
      const token = given(pinned('slow'));
      expect(decide(repin('fast'), token)).toEqual(beyond);
      const limited = given(pinned('fast', { limits: { reads: 600, writes: null } }));
      const { restrict: _, ...unlimit } = { ...repin('fast'), limits: { reads: null } };
      expect(decide(unlimit, limited)).toEqual(beyond);
    });
  });

  it('but may narrow and revoke any token of its workspace', () => {
    const strong = given(create({ catalogue: writ, scopes: ['operate', 'audit:read'] }));
    const narrow: ChangeToken = {
      type: 'ChangeToken',
      companies: new Map(),
      catalogue: writ,
      scopes: ['audit:read'],
      giver: clerk,
      nowMs: NOW,
    };
    expect(types(decide(narrow, strong))).toEqual(['TokenScoped']);
    expect(
      types(decide({ type: 'RevokeToken', reason: 'by_hand', note: null, giver: clerk, nowMs: NOW }, strong)),
    ).toEqual(['TokenRevoked']);
  });

  it('a token of another workspace is not there', () => {
    const token = given(create());
    const giver = { ...operator, workspace: 'w2' };
    expect(decide({ type: 'RevokeToken', reason: 'by_hand', note: null, giver, nowMs: NOW }, token)).toEqual({
      refused: { code: 'not_found' },
    });
  });
});

describe('P10 status is a function of state and time', () => {
  it('expires and retires without an event', () => {
    const token = given(create({ expiresAtMs: NOW + DAY }), {
      type: 'RotateToken',
      companies: new Map(),
      catalogue: comma,
      successor: 's',
      overlapMs: 1_000,
      giver: operator,
      nowMs: NOW,
    });
    if (token.status === 'none') throw new Error('not created');
    expect([0, 999, 1_000, DAY].map((ms) => statusAt(token, true, NOW + ms))).toEqual([
      'active',
      'active',
      'rotated',
      'expired',
    ]);
    expect(statusAt(token, false, NOW)).toBe('inert');
  });
});

const anyCommand: fc.Arbitrary<TokenCommand> = fc.oneof(
  fc.constantFrom<TokenCommand>(
    create(),
    { type: 'SuspendToken', giver: operator, nowMs: NOW },
    { type: 'ResumeToken', companies: new Map(), catalogue: comma, giver: operator, nowMs: NOW },
    { type: 'RevokeToken', reason: 'by_hand', note: null, giver: operator, nowMs: NOW },
  ),
  fc.record({
    type: fc.constant('RotateToken' as const),
    companies: fc.constant(new Map()),
    catalogue: fc.constant(comma),
    successor: fc.string(),
    overlapMs: fc.option(fc.nat()),
    giver: fc.constant(operator),
    nowMs: fc.integer({ min: NOW, max: NOW + DAY }),
  }),
  fc.record({
    type: fc.constant('ChangeToken' as const),
    companies: fc.constant(new Map()),
    catalogue: fc.constant(comma),
    name: fc.string(),
    scopes: fc.subarray(Object.keys(comma.scopes)),
    expiresAtMs: fc.option(fc.integer({ min: NOW - DAY, max: NOW + DAY })),
    giver: fc.constant(operator),
    nowMs: fc.integer({ min: NOW, max: NOW + DAY }),
  }),
);

describe('P2 revoked means dead', () => {
  it('no sequence of commands revives a revoked token', () => {
    fc.assert(
      fc.property(fc.array(anyCommand), fc.array(anyCommand), (before, after) => {
        const revoke: TokenCommand = {
          type: 'RevokeToken',
          reason: 'by_hand',
          note: null,
          giver: operator,
          nowMs: NOW,
        };
        const revoked = given(create(), ...before, revoke);
        expect(revoked.status).toBe('revoked');
        expect(after.reduce(apply, revoked)).toEqual(revoked);
      }),
    );
  });

  it.each<TokenEvent>([
    { type: 'TokenResumed', data: { at: '2026-01-02T00:00:00.000Z' } },
    { type: 'TokenSuspended', data: { at: '2026-01-02T00:00:00.000Z' } },
    {
      type: 'TokenLimitsChanged',
      data: { limits: { reads: 1, writes: 1 }, expires_at: null, at: '2026-01-02T00:00:00.000Z' },
    },
  ])('nor does any event that comes late: $type', (late) => {
    const revoke: TokenCommand = { type: 'RevokeToken', reason: 'by_hand', note: null, giver: operator, nowMs: NOW };
    expect(tokenDecider.evolve(given(create(), revoke), late).status).toBe('revoked');
  });
});
