import { time, whole } from '../../operation/schema.ts';
import { bySchema as by } from '../../person/by-schema.ts';

const limit = whole({ per_minute: { type: ['integer', 'null'] } });

/** JSON schema of what the company operations answer with. */
export const companySchema = whole({
  id: { type: 'string' },
  name: { type: 'string' },
  limits: whole({ reads: limit, writes: limit }),
  version: { type: 'integer' },
  by,
  created_at: time,
  updated_at: time,
});
