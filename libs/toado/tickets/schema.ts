import { time, whole } from '../../operation/schema.ts';
import { bySchema as by, personSchema } from '../../person/by-schema.ts';

/** JSON schemas of what the ticket operations answer with. */
export const ticketSchema = whole({
  id: { type: 'string' },
  project: { type: 'string' },
  company: { type: 'string' },
  column: { type: 'string' },
  position: { type: 'string' },
  title: { type: 'string' },
  body: { type: 'string' },
  archived: { type: 'boolean' },
  branch: { type: ['string', 'null'] },
  assignees: { type: 'array', items: personSchema },
  by,
  version: { type: 'integer' },
  created_at: time,
  updated_at: time,
});

export const ticketCommentSchema = whole({
  id: { type: 'string' },
  ticket: { type: 'string' },
  body: { type: 'string' },
  by,
  created_at: time,
});

export const ticketActivitySchema = whole({
  type: { type: 'string' },
  version: { type: 'integer' },
  comment: { type: ['string', 'null'] },
  by,
});
