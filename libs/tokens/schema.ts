import { time, whole } from '../operation/schema.ts';
import { personSchema } from '../person/by-schema.ts';

/** JSON schemas of what the token operations answer with (draft 2020-12, as OpenAPI 3.1 takes it). */

const id = { type: 'string', pattern: '^[0-7][0-9A-HJKMNP-TV-Z]{25}$' };
const texts = { type: 'array', items: { type: 'string' } };
const window = whole({ per_minute: { type: 'integer' }, used: { type: 'integer' } });

const recordProperties = {
  id,
  catalogue: { type: 'string' },
  kind: { enum: ['agent', 'person'] },
  name: { type: 'string' },
  owner: personSchema,
  workspace: { type: 'string' },
  scopes: texts,
  restrict: whole({ companies: texts, projects: texts }),
  limits: whole({ reads: window, writes: window }),
  status: { enum: ['active', 'suspended', 'revoked', 'expired', 'rotated', 'inert'] },
  created_at: time,
  expires_at: { ...time, type: ['string', 'null'] },
  last_used_at: { ...time, type: ['string', 'null'] },
  predecessor: { ...id, type: ['string', 'null'] },
  successor: { ...id, type: ['string', 'null'] },
};

export const tokenRecordSchema = whole(recordProperties);

const ceiling = { ...window, type: ['object', 'null'] };

/** A record as its token sees it. */
export const ownRecordSchema = {
  ...whole(recordProperties),
  properties: {
    ...recordProperties,
    workspace_limits: {
      ...whole({ reads: ceiling, writes: ceiling }),
      description: 'Of all the workspace’s tokens together; there where the workspace has a ceiling.',
    },
  },
};

export const tokenWithSecretSchema = whole({
  ...recordProperties,
  token: { type: 'string', description: 'Shown this once.' },
});

export const historyItemSchema = {
  type: 'object',
  properties: {
    position: { type: 'integer' },
    revision: { type: 'integer' },
    stream: { type: 'string' },
    type: { type: 'string' },
    time,
    data: { type: 'object' },
    actor: { type: ['object', 'null'] },
  },
};
