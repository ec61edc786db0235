/** JSON schemas of what the projection operations answer with. */

const position = { type: ['integer', 'null'] };

const progress = {
  type: 'object',
  properties: {
    version: { type: 'integer' },
    state: { enum: ['running', 'stopped'] },
    events: { type: 'integer', description: 'Applied so far.' },
    events_per_second: { type: 'integer' },
    position,
    head: position,
    share: { type: 'number', description: 'Of the log, 0 to 1.' },
    seconds_left: { type: ['integer', 'null'] },
    parked: { type: 'integer' },
  },
};

const difference = {
  type: ['object', 'null'],
  description: 'The first row that is not the same, by its key.',
  properties: {
    table: { type: 'string' },
    key: { type: 'object' },
    what: { enum: ['missing', 'unexpected', 'different'] },
    columns: { type: 'array', items: { type: 'string' } },
    counts: {
      type: 'object',
      description: 'Of a rate window: what the log says was used, and what the view counts of it.',
      properties: { log: { type: 'integer' }, view: { type: 'integer' } },
    },
  },
};

const table = {
  type: 'object',
  properties: {
    table: { type: 'string' },
    rows: { type: 'integer' },
    checksum: { type: 'string' },
    same: { type: 'boolean' },
  },
};

const parked = {
  type: 'object',
  properties: {
    stream: { type: 'string' },
    revision: { type: 'integer' },
    position: { type: 'integer' },
    reason: { type: 'string' },
    retrying: { type: 'boolean' },
  },
};

export const viewStatusSchema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    version: { type: 'integer' },
    serving_version: { type: 'integer' },
    position,
    head: position,
    leading: { type: 'boolean' },
    fault: { type: ['string', 'null'] },
    parked: { type: 'array', items: parked },
    rebuild: { ...progress, type: ['object', 'null'] },
    verification: {
      type: ['object', 'null'],
      properties: {
        state: { enum: ['running', 'same', 'different'] },
        at: { type: 'string', format: 'date-time' },
        position,
        tables: { type: 'array', items: table },
        difference,
        progress,
      },
    },
  },
};
