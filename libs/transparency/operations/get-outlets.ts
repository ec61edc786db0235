import { Inject } from '@nestjs/common';
import { OUTLETS } from '../../injection-tokens.ts';
import { DeclareOperation, type Operation, READ, type Result } from '../../operation/operation.ts';
import { whole } from '../../operation/schema.ts';
import type { Outlets, OutletsStatus } from '../outlets.ts';

class NoInput {}

const text = { type: 'string' };
const position = { type: ['integer', 'null'] };
const orNull = (properties: object) => ({ type: ['object', 'null'], properties });

const outletsSchema = whole({
  scheduled_export: orNull({
    folder: text,
    every: { type: 'string', description: 'Cron, UTC' },
    format: text,
    up_to: { type: 'integer', description: 'Leaves that files hold already' },
    next_at: { type: ['string', 'null'], format: 'date-time' },
    begun: orNull({ file: text, from_leaf: { type: 'integer' }, up_to: { type: 'integer' }, at: text }),
    last: orNull({ file: text, up_to: { type: 'integer' }, bytes: { type: 'integer' }, sha256: text, at: text }),
    fault: orNull({ at: text, reason: text }),
  }),
  pushes: {
    type: 'array',
    items: whole({
      name: text,
      leading: { type: 'boolean', description: 'Whether the process that answers pushes' },
      up_to: position,
      head: position,
      sent: { type: 'integer', description: 'By the process that answers, since its start' },
      rejected: { type: 'integer' },
      fault: { type: ['string', 'null'] },
    }),
  },
});

@DeclareOperation({
  name: 'get_outlets',
  title: 'Show what exports by itself',
  summary: 'The scheduled export into a folder and the pushes to a SIEM: how far each is, and why it stands still.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: READ,
  http: { method: 'get', path: '/api/v1/admin/outlets' },
  input: NoInput,
  output: outletsSchema,
  effect: 'reads',
})
export class GetOutletsOperation implements Operation<NoInput> {
  constructor(@Inject(OUTLETS) private readonly outlets: Outlets) {}

  async run(): Promise<Result> {
    const { scheduledExport, pushes } = this.outlets;
    const body: OutletsStatus = {
      scheduled_export: (await scheduledExport?.status()) ?? null,
      pushes: await Promise.all(pushes.map((push) => push.status())),
    };
    return { body };
  }
}
