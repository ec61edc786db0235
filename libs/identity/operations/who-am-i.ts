import { IsString, MaxLength } from 'class-validator';
import { unqualify } from '../../catalogue/catalogue.ts';
import type { CeilingReading } from '../../hot-view/hot-view.ts';
import { type Call, DeclareOperation, type Operation, READ, type Result } from '../../operation/operation.ts';
import { Operations } from '../../operation/operations.ts';
import { notFound } from '../../problem/problem.ts';
import { NoInput } from '../../tokens/operations/inputs.ts';
import { ownRecordSchema } from '../../tokens/schema.ts';

/** Answered from what the gate has just looked up: nothing else is asked. */
@DeclareOperation({
  name: 'who_am_i',
  title: 'Who am I',
  summary:
    'The calling token’s own record: scopes, limits and what is used of them; where its workspace has a ceiling, that too.',
  catalogue: null,
  scope: null,
  cost: READ,
  http: { method: 'get', path: '/api/v1/me' },
  input: NoInput,
  output: ownRecordSchema,
  effect: 'reads',
})
export class WhoAmIOperation implements Operation<NoInput> {
  run(_input: NoInput, { token, usage, nowMs }: Call): Result {
    return {
      body: {
        id: token.id,
        catalogue: token.catalogue,
        kind: token.kind,
        name: token.name,
        owner: token.owner,
        workspace: token.workspace,
        scopes: token.scopes,
        restrict: token.restrict,
        limits: {
          reads: { per_minute: token.limits.reads, used: usage.reads.used },
          writes: { per_minute: token.limits.writes, used: usage.writes.used },
        },
        status: 'active',
        created_at: new Date(token.createdAtMs).toISOString(),
        expires_at: token.expiresAtMs === null ? null : new Date(token.expiresAtMs).toISOString(),
        // This very call.
        last_used_at: new Date(nowMs).toISOString(),
        predecessor: token.predecessor,
        successor: token.successor,
        ...(usage.ceiling === undefined ? {} : { workspace_limits: workspaceLimits(usage.ceiling) }),
      },
    };
  }
}

/** What a token sees of its workspace's ceiling, as of its own limits; null: there is none of that budget. */
export type WorkspaceLimits = Readonly<
  Record<'reads' | 'writes', { readonly per_minute: number; readonly used: number } | null>
>;

const workspaceLimits = ({ reads, writes }: CeilingReading): WorkspaceLimits => ({
  reads: reads === null ? null : { per_minute: reads.limit, used: reads.used },
  writes: writes === null ? null : { per_minute: writes.limit, used: writes.used },
});

export class CanInput {
  /** Name of an operation: `create_report`. */
  @IsString()
  @MaxLength(64)
  operation!: string;
}

@DeclareOperation({
  name: 'can_i',
  title: 'Can I',
  summary: 'Whether the calling token may do an operation, and which scope it takes.',
  catalogue: null,
  scope: null,
  cost: READ,
  http: { method: 'get', path: '/api/v1/me/can' },
  input: CanInput,
  output: {
    type: 'object',
    required: ['operation', 'allowed', 'scope'],
    properties: { operation: { type: 'string' }, allowed: { type: 'boolean' }, scope: { type: ['string', 'null'] } },
  },
  effect: 'reads',
})
export class CanIOperation implements Operation<CanInput> {
  constructor(private readonly operations: Operations) {}

  run({ operation }: CanInput, { token }: Call): Result {
    const spec = this.operations.named(operation)?.spec;
    if (spec === undefined) return notFound('There is no such operation.');
    const allowed = spec.scope === null || token.grants.includes(spec.scope);
    return { body: { operation, allowed, scope: spec.scope === null ? null : unqualify(spec.scope) } };
  }
}
