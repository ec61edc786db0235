/** JSON schemas of what the report operations answer with. */
const time = { type: 'string', format: 'date-time' };

const by = {
  type: 'object',
  properties: {
    owner: { type: 'object', properties: { id: { type: 'string' }, name: { type: 'string' } } },
    label: { type: ['string', 'null'] },
    token: { type: ['string', 'null'] },
    face: { enum: ['rest', 'mcp', 'routine', 'cli'] },
    at: time,
    text: { type: 'string', examples: ['Jason (claude-code on macbook) · via MCP · just now'] },
  },
};

const reportProperties = {
  id: { type: 'string' },
  title: { type: 'string' },
  body: { type: 'string' },
  status: { enum: ['draft', 'published'] },
  version: { type: 'integer' },
  by,
  created_at: time,
  updated_at: time,
};

const commentProperties = {
  id: { type: 'string' },
  body: { type: 'string' },
  parent: { type: ['string', 'null'] },
  resolved: { type: 'boolean' },
  by,
  created_at: time,
};

const whole = (properties: object): object => ({ type: 'object', required: Object.keys(properties), properties });

export const reportSchema = whole(reportProperties);
export const commentSchema = whole(commentProperties);
export const activitySchema = whole({
  type: { type: 'string' },
  version: { type: 'integer' },
  comment: { type: ['string', 'null'] },
  by,
});
