import { time, whole } from '../../operation/schema.ts';
import { bySchema as by } from '../../person/by-schema.ts';

/** JSON schemas of what the project operations answer with. */
export const projectSchema = whole({
  id: { type: 'string' },
  company: { type: 'string' },
  name: { type: 'string' },
  description: { type: 'string' },
  archived: { type: 'boolean' },
  version: { type: 'integer' },
  by,
  created_at: time,
  updated_at: time,
});

export const columnSchema = whole({
  id: { type: 'string' },
  project: { type: 'string' },
  company: { type: 'string' },
  name: { type: 'string' },
  position: { type: 'string' },
  version: { type: 'integer' },
  by,
  created_at: time,
  updated_at: time,
});

export const removedColumnSchema = whole({
  id: { type: 'string' },
  project: { type: 'string' },
  removed: { const: true },
});
