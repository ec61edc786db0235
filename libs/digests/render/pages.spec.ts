import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Calls, Digest, TokenName } from '../digest.ts';
import { htmlOf } from './html.ts';
import { escaped, markdownOf } from './markdown.ts';

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onload='alert(1)",
  '</title></style></svg><iframe src=//evil.example>',
  '[click](javascript:alert(1))',
  '![](https://evil.example/a.png)',
  '| a | b |\n| --- | --- |\n# heading',
  '**bold** `code` ~~gone~~ <https://evil.example> www.evil.example mail@evil.example',
  '&lt;b&gt; \\',
  '\u202Eabc\u0000\u2028',
];

const calls: Calls = { allowed: 12_345, failed: 3, denied: 7 };

/** Every text in it is the one given. */
function digestWith(text: string): Digest {
  const token: TokenName = { id: '01J9ZK3V8Q6T4W2Y0B7D5F1G3H', label: text, owner: { id: text, name: text } };
  const by = { person: token.owner, token: token.id, label: text, face: 'mcp' } as const;
  const at = '2026-11-24T14:03:12.000Z';
  const restrict = { companies: [text], projects: [text] };
  const limits = { reads: 10, writes: null };
  const of = { at, token, by };
  const rows = <Row>(...items: Row[]) => ({ items, more: 2 });
  return {
    format: 'writ-digest/v1',
    id: '2026-11-24',
    period: 'daily',
    workspace: text,
    from: '2026-11-24T00:00:00.000Z',
    to: '2026-11-25T00:00:00.000Z',
    log_position: 4711,
    totals: {
      ...calls,
      throttled: 7,
      late: 0,
      tokens_used: 1,
      tokens_alive: 2,
      tokens_created: 1,
      tokens_scoped: 1,
      tokens_rotated: 1,
      tokens_revoked: 1,
      tokens_expired: 1,
    },
    timeline: Array.from({ length: 24 }, (_, hour) => ({
      from: `2026-11-24T${String(hour).padStart(2, '0')}:00:00.000Z`,
      allowed: hour * 100,
      failed: hour === 5 ? 3 : 0,
      denied: hour === 12 ? 7 : 0,
    })),
    faces: [{ face: 'rest', ...calls }],
    reasons: [{ reason: text, denied: 7 }],
    operations: rows({ operation: text, ...calls }),
    routines: rows({ routine: text, name: text, ...calls }, { routine: text, name: null, ...calls }),
    tokens: rows({ token, catalogue: text, kind: 'agent', status: 'active', ...calls, throttled: 7, last_used_at: at }),
    throttled_tokens: rows({ token, throttled: 7 }),
    unused_tokens: rows({ token, catalogue: text, status: 'active', scopes: [text], created_at: at }),
    unused_scopes: rows({ token, catalogue: text, unused: [text], needed: [text] }),
    changes: rows(
      { ...of, change: 'created', scopes: [text], expires_at: at },
      { ...of, change: 'renamed', name: text },
      { ...of, change: 'scoped', added: [text], removed: [text], restrict },
      { ...of, change: 'limits_changed', limits, expires_at: null },
      { ...of, by: null, change: 'suspended' },
      { ...of, by: { ...by, label: null }, change: 'resumed' },
      { ...of, change: 'rotated', successor: text, overlap_ends_at: at },
      { ...of, change: 'revoked', reason: 'leak', note: text },
    ),
    expired_tokens: rows({ token, at }),
    first_seen_addresses: {
      ...rows({ token, address: text, at, operation: text, decision: 'refused' }),
      complete: false,
    },
  };
}

/** What a browser would make of it, so far as it matters here: its tags with their attributes' names. */
const tagsOf = (html: string): string[] =>
  [...html.matchAll(/<\/?([a-z][a-z0-9]*)((?:\s+[\w:-]+(?:="[^"<>]*")?)*)\s*\/?>/gi)].map(
    ([, tag, attributes]) =>
      `${tag} ${[...(attributes ?? '').matchAll(/([\w:-]+)=/g)].map(([, name]) => name).join(' ')}`,
  );

const marksOf = (html: string): number => (html.match(/[<>]/g) ?? []).length;

describe('a digest as HTML', () => {
  it('has the same tags and attributes whatever its texts are, and no other < or >', () => {
    const plain = htmlOf(digestWith('plain'));
    const [expected, marks] = [tagsOf(plain), marksOf(plain)];
    const holds = (text: string): void => {
      const html = htmlOf(digestWith(text));
      expect(tagsOf(html)).toEqual(expected);
      expect(marksOf(html)).toBe(marks);
    };
    HOSTILE.forEach(holds);
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), holds), { numRuns: 100 });
  });

  it('runs nothing, loads nothing, and lets its one style sheet in by its hash', () => {
    const html = htmlOf(digestWith('plain'));
    expect(
      tagsOf(html).filter((tag) => /^(script|img|link|iframe|object|a) | (href|src|style|on\w+)\b/.test(tag)),
    ).toEqual([]);
    expect(html).not.toMatch(/https?:|url\(|@import/);
    expect(html.match(/default-src 'none'; style-src 'sha256-[\w+/]{43}='"/g)).toHaveLength(1);
    expect(html.match(/<style>/g)).toHaveLength(1);
  });

  it('is well-formed: every tag is closed in its order', () => {
    const open: string[] = [];
    const html = htmlOf(digestWith(HOSTILE.join(' ')));
    for (const [, slash, tag, rest] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)([^>]*)>/gi)) {
      if (['meta', 'br'].includes(tag!) || rest!.endsWith('/')) continue;
      if (slash === '') open.push(tag!);
      else expect(open.pop()).toBe(tag);
    }
    expect(open).toEqual([]);
  });

  it('shows the figures, how many rows are left out, and how it was made', () => {
    const html = htmlOf(digestWith('plain'));
    for (const text of [
      'Daily digest · 24 November 2026',
      '12,345',
      'and 2 more',
      'before position 4711',
      'not complete',
    ])
      expect(html).toContain(text);
  });
});

describe('a digest as Markdown', () => {
  it('has the same lines and cells whatever its texts are', () => {
    const shape = (markdown: string): number[] =>
      markdown.split('\n').map((line) => line.replaceAll(/\\[\s\S]/g, '').split('|').length);
    const expected = shape(markdownOf(digestWith('plain')));
    const holds = (text: string): void => expect(shape(markdownOf(digestWith(text)))).toEqual(expected);
    HOSTILE.forEach(holds);
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), holds), { numRuns: 100 });
  });

  it('leaves nothing of a text that Markdown would take for more than text', () => {
    for (const text of HOSTILE) {
      const bare = escaped(text).replaceAll(/\\[\\`*_[\]<>|~&$@!:.]/g, '');
      expect(bare).not.toMatch(/[\\`*_[\]<>|~&$@\n]|:\/\/|www\./);
    }
    expect(escaped('14:03 on 192.0.2.7 (agent) #1')).toBe('14:03 on 192.0.2.7 (agent) #1');
  });
});
