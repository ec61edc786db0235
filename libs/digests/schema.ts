import { pageSchema, time, whole } from '../operation/schema.ts';
import { personSchema } from '../person/by-schema.ts';

/** JSON schemas of digests (digest.ts). */

const text = { type: 'string' };
const texts = { type: 'array', items: text };
const count = { type: 'integer' };
const calls = { allowed: count, failed: count, denied: count };
const token = whole({ id: text, label: text, owner: personSchema });
const rows = (row: object): object => whole({ items: { type: 'array', items: row }, more: count });

const totalsSchema = whole({
  ...calls,
  throttled: count,
  late: count,
  tokens_used: count,
  tokens_alive: count,
  tokens_created: count,
  tokens_scoped: count,
  tokens_rotated: count,
  tokens_revoked: count,
  tokens_expired: count,
});

const head = {
  id: { type: 'string', description: '`2026-11-24`, `2026-W48` or `2026-11`' },
  period: { enum: ['daily', 'weekly', 'monthly'] },
  from: time,
  to: time,
  log_position: count,
  totals: totalsSchema,
};

export const digestListSchema = pageSchema(whole(head));

export const digestSchema = whole({
  format: text,
  ...head,
  workspace: text,
  timeline: { type: 'array', items: whole({ from: time, ...calls }) },
  faces: { type: 'array', items: whole({ face: text, ...calls }) },
  reasons: { type: 'array', items: whole({ reason: text, denied: count }) },
  operations: rows(whole({ operation: text, ...calls })),
  routines: rows(whole({ routine: text, name: { type: ['string', 'null'] }, ...calls })),
  tokens: rows(
    whole({ token, catalogue: text, kind: text, status: text, ...calls, throttled: count, last_used_at: time }),
  ),
  throttled_tokens: rows(whole({ token, throttled: count })),
  unused_tokens: rows(whole({ token, catalogue: text, status: text, scopes: texts, created_at: time })),
  unused_scopes: rows(whole({ token, catalogue: text, unused: texts, needed: texts })),
  changes: rows({
    type: 'object',
    required: ['at', 'token', 'by', 'change'],
    properties: {
      at: time,
      token,
      by: { type: ['object', 'null'] },
      change: {
        enum: ['created', 'renamed', 'scoped', 'limits_changed', 'suspended', 'resumed', 'rotated', 'revoked'],
      },
    },
  }),
  expired_tokens: rows(whole({ token, at: time })),
  first_seen_addresses: whole({
    items: {
      type: 'array',
      items: whole({ token, address: text, at: time, operation: text, decision: { enum: ['allowed', 'refused'] } }),
    },
    more: count,
    complete: { type: 'boolean' },
  }),
});
