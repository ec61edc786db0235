import { Injectable, SetMetadata } from '@nestjs/common';
import type { AppendContext } from '../event-log/decide-and-append.ts';
import type { Position } from '../event-log/event-log.ts';
import type { Cost, UsageReading, ViewToken } from '../hot-view/hot-view.ts';
import type { Actor } from '../person/actor.ts';
import type { Problem } from '../problem/problem.ts';
import type { Face } from '../usage/use.ts';
import type { Content, Upload } from './content.ts';

/**
 * What a token may do, declared once beside what does it. REST route, MCP tool, routine step, OpenAPI entry and the
 * reference all come from this declaration (DESIGN §2).
 */
export interface OperationSpec<Input extends object = object> {
  /** `create_report`: a verb and its thing, unique. */
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  /** Catalogue whose tokens use it; null: any (`GET /me`). */
  readonly catalogue: string | null;
  /** Qualified (`comma/reports:write`); null: any live token. */
  readonly scope: string | null;
  readonly cost: Cost;
  readonly http: {
    readonly method: 'get' | 'post' | 'patch' | 'delete';
    readonly path: string;
    readonly status?: number;
    /** The body is bytes, so many at most, read once the call is admitted; the input comes in path and query. REST only. */
    readonly upload?: { readonly mostBytes: number };
  };
  /** class-validator class; also the JSON schema of the input. */
  readonly input: new () => Input;
  /** JSON schema of the answer. */
  readonly output: object;
  /** The answer is bytes of one of these media types (`Done.content`), not JSON. */
  readonly streams?: readonly string[];
  /** Beside its JSON the answer can be had as bytes of these media types (`Done.content`), over REST only. */
  readonly alsoAs?: readonly string[];
  readonly effect: 'reads' | 'adds' | 'changes' | 'destroys';
  /** The projection it reads, if any: a call that sends back `X-Log-Position` waits for it. */
  readonly readsFrom?: string;
  /** Its answer shows a secret: never a tool whose transcript is kept. */
  readonly showsSecret?: boolean;
  /** False: no step of a routine, since it makes, changes or runs routines itself. */
  readonly inRoutines?: false;
  /** `report/01J…`: what a use is filed under. */
  readonly resource?: (input: Input) => string;
  /** What it reads, by its input's `id` alone, is an MCP resource too. */
  readonly mcpResource?: McpResource;
}

/** Things an MCP client can list, read and watch. */
export interface McpResource {
  /** `comma://report/{id}`. */
  readonly uriTemplate: string;
  /** Operation that lists them: a page of items with an `id`, and a `title` or `name`. */
  readonly listedBy: string;
  /** Each event of the stream `<streamPrefix><id>` is a change of the thing. */
  readonly streamPrefix: string;
}

export interface Operation<Input extends object = object> {
  run(input: Input, call: Call): Promise<Result> | Result;
}

/** An answer, or the problem that is one. */
export type Result = Done | Problem;

export type Done = Answered | Streamed;

export interface Answered {
  readonly body: unknown;
  readonly content?: undefined;
  /** Sent as ETag. */
  readonly revision?: number;
  /** Set when the operation appended events, which then carry the use; absent or null: the journal records it. */
  readonly position?: Position | null;
  /** This very call ended the token it was made with: it is answered all the same, and nothing after it. */
  readonly endsCaller?: boolean;
}

/** A long answer (DESIGN §3): on record when it opens and again when it ends, cut when its token dies. */
export interface Streamed {
  readonly content: Content;
  readonly body?: undefined;
  readonly revision?: undefined;
  readonly position?: undefined;
  readonly endsCaller?: undefined;
}

/** One call that the gate has let in. */
export interface Call {
  readonly requestId: string;
  readonly face: Face;
  readonly token: ViewToken;
  readonly usage: UsageReading;
  readonly actor: Actor;
  readonly nowMs: number;
  /** The revision named by `If-Match`. */
  readonly ifRevision: number | undefined;
  /** Whether the caller sent an Idempotency-Key. */
  readonly keyed: boolean;
  /** Where the declaration asks for one (`http.upload`): there, and unread. */
  readonly upload: Upload | undefined;
  /** Id of the n-th thing this call makes: fresh, or the same again under the same Idempotency-Key. */
  newId(index?: number): string;
  /** What an append of this call needs: ids, metadata with the use in it, the last check. */
  append(resource: string, status?: number): AppendContext;
  /**
   * Does one thing of several as a use of its own: looked up again (P2), metered (P3; the first is what the call itself
   * was paid for) and recorded before this resolves (P1). One at a time.
   */
  item(resource: string, run: (item: Call) => Promise<Result>): Promise<Item>;
}

/** `stopped`: it was not let in, or something broke; a further one would not get through either. */
export type Item =
  { readonly kind: 'ran'; readonly result: Result } | { readonly kind: 'stopped'; readonly problem: Problem };

export const READ: Cost = { reads: 1, writes: 0, handshakes: 0 };
export const WRITE: Cost = { reads: 0, writes: 1, handshakes: 0 };
/** Revoking and suspending: never held up by a limit. */
export const FREE: Cost = { reads: 0, writes: 0, handshakes: 0 };

export const OPERATION = 'writ:operation';

/** Declares the class an operation, and a provider. */
export const DeclareOperation =
  <Input extends object>(spec: OperationSpec<Input>) =>
  (target: new (...dependencies: never[]) => Operation<Input>): void => {
    Injectable()(target);
    SetMetadata(OPERATION, spec)(target);
  };

export interface DeclaredOperation {
  readonly spec: OperationSpec;
  readonly operation: Operation;
}
