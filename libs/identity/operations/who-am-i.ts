import { IsString, MaxLength } from 'class-validator';
import { unqualify } from '../../catalogue/catalogue.ts';
import { type Call, DeclareOperation, type Operation, READ, type Result } from '../../operation/operation.ts';
import { Operations } from '../../operation/operations.ts';
import { notFound } from '../../problem/problem.ts';
import { NoInput } from '../../tokens/operations/inputs.ts';
import { tokenRecordSchema } from '../../tokens/schema.ts';

/** Answered from what the gate has just looked up: nothing else is asked. */
@DeclareOperation({
  name: 'who_am_i',
  title: 'Who am I',
  summary: 'The calling token’s own record: scopes, limits and what is used of them.',
  catalogue: null,
  scope: null,
  cost: READ,
  http: { method: 'get', path: '/api/v1/me' },
  input: NoInput,
  output: tokenRecordSchema,
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
      },
    };
  }
}

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
