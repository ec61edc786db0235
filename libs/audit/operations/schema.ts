/** JSON schemas of what the audit operations answer with. */

const text = { type: ['string', 'null'] };
const time = { type: 'string', format: 'date-time' };
const person = {
  type: ['object', 'null'],
  properties: { id: { type: 'string' }, name: { type: 'string' } },
};

export const auditEntrySchema = {
  type: 'object',
  properties: {
    position: { type: 'integer' },
    kind: { enum: ['change', 'use', 'denials'] },
    type: { type: 'string' },
    time,
    stream: { type: 'string' },
    revision: { type: 'integer' },
    token: text,
    by_token: text,
    owner: person,
    label: text,
    face: text,
    operation: text,
    resource: text,
    company: text,
    decision: text,
    reason: text,
    status: { type: ['integer', 'null'] },
    client_address: text,
    client_name: text,
    request_id: text,
    calls: { type: 'integer' },
    data: { type: ['object', 'null'] },
  },
};

export const auditCountSchema = {
  type: 'object',
  properties: { key: text, calls: { type: 'integer' }, refused: { type: 'integer' } },
};

export const writersSchema = {
  type: 'object',
  properties: {
    resource: { type: 'string' },
    tokens: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          token: { type: 'string' },
          owner: person,
          label: text,
          face: text,
          first_at: time,
          last_at: time,
          history: { type: 'string' },
        },
      },
    },
    changes: { type: 'array', items: auditEntrySchema },
  },
};
