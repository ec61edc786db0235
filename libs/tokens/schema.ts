/** JSON schemas of what the token operations answer with (draft 2020-12, as OpenAPI 3.1 takes it). */

const id = { type: 'string', pattern: '^[0-7][0-9A-HJKMNP-TV-Z]{25}$' };
const time = { type: 'string', format: 'date-time' };
const texts = { type: 'array', items: { type: 'string' } };
const window = {
  type: 'object',
  required: ['per_minute', 'used'],
  properties: { per_minute: { type: 'integer' }, used: { type: 'integer' } },
};

const recordProperties = {
  id,
  catalogue: { type: 'string' },
  kind: { enum: ['agent', 'person'] },
  name: { type: 'string' },
  owner: { type: 'object', properties: { id: { type: 'string' }, name: { type: 'string' } } },
  workspace: { type: 'string' },
  scopes: texts,
  restrict: { type: 'object', properties: { companies: texts, projects: texts } },
  limits: { type: 'object', properties: { reads: window, writes: window } },
  status: { enum: ['active', 'suspended', 'revoked', 'expired', 'rotated', 'inert'] },
  created_at: time,
  expires_at: { ...time, type: ['string', 'null'] },
  last_used_at: { ...time, type: ['string', 'null'] },
  predecessor: { ...id, type: ['string', 'null'] },
  successor: { ...id, type: ['string', 'null'] },
};

export const tokenRecordSchema = {
  type: 'object',
  required: Object.keys(recordProperties),
  properties: recordProperties,
};

export const tokenWithSecretSchema = {
  type: 'object',
  required: [...tokenRecordSchema.required, 'token'],
  properties: { ...recordProperties, token: { type: 'string', description: 'Shown this once.' } },
};

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
