import { time, whole } from '../operation/schema.ts';
import { bySchema } from '../person/by-schema.ts';

/** JSON schemas of what the operations on routines answer with. */
const text = { type: 'string' };
const textOrNull = { type: ['string', 'null'] };
const timeOrNull = { type: ['string', 'null'], format: 'date-time' };

const orNull = (properties: object): object => ({
  type: ['object', 'null'],
  required: Object.keys(properties),
  properties,
});

export const routineSchema = whole({
  id: text,
  name: text,
  schedule: whole({ cron: text, time_zone: text }),
  steps: { type: 'array', items: whole({ operation: text, input: { type: 'object' } }) },
  missed_slots: { enum: ['run_once', 'skip'] },
  status: { enum: ['active', 'paused', 'deleted'] },
  pause: orNull({ reason: text, note: textOrNull, at: time }),
  catalogue: text,
  lineage: text,
  next_run_at: timeOrNull,
  version: { type: 'integer' },
  by: bySchema,
  created_at: time,
  updated_at: time,
});

const run = {
  id: text,
  routine: text,
  trigger: { enum: ['schedule', 'by_hand'] },
  slot: time,
  missed_since: timeOrNull,
  status: { enum: ['waiting', 'running', 'deferred', 'succeeded', 'failed', 'stopped'] },
  reason: textOrNull,
  deferred: orNull({ step: { type: 'integer' }, reason: text, until: time }),
  token: whole({ id: text, label: text }),
  steps_done: { type: 'integer' },
  by: bySchema,
  opened_at: time,
  ended_at: timeOrNull,
};

export const runSchema = whole(run);

export const runDetailSchema = whole({
  ...run,
  steps: {
    type: 'array',
    items: whole({
      step: { type: 'integer' },
      operation: text,
      decision: { enum: ['allowed', 'refused'] },
      status: { type: ['integer', 'null'] },
      request_id: textOrNull,
      position: { type: ['integer', 'null'] },
      reason: textOrNull,
      token: textOrNull,
      label: textOrNull,
      at: time,
    }),
  },
});
