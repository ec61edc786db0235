import { time, whole } from '../operation/schema.ts';
import { bySchema as by } from '../person/by-schema.ts';

/** JSON schemas of what is answered of people. */
export const personViewSchema = whole({
  id: { type: 'string' },
  name: { type: 'string' },
  companies: { type: 'array', items: { type: 'string' } },
  version: { type: 'integer' },
  by,
  created_at: time,
  updated_at: time,
});

export const memberSchema = whole({
  id: { type: 'string' },
  name: { type: 'string' },
  company: { type: 'string' },
  since: time,
});
