import { time, whole } from '../../operation/schema.ts';
import { bySchema as by } from '../../person/by-schema.ts';

/** JSON schemas of what the report operations answer with. */
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

export const reportSchema = whole(reportProperties);
export const commentSchema = whole(commentProperties);
export const activitySchema = whole({
  type: { type: 'string' },
  version: { type: 'integer' },
  comment: { type: ['string', 'null'] },
  by,
});
