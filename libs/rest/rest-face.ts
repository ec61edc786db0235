import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { ExpressAdapter } from '@nestjs/platform-express';
import type { Express, Request, RequestHandler } from 'express';
import { authenticate } from '../gate/authenticate.ts';
import type { Envelope, RawInput } from '../gate/envelope.ts';
import { Gate } from '../gate/gate.ts';
import { redact } from '../logging/logger.ts';
import type { DeclaredOperation, OperationSpec } from '../operation/operation.ts';
import { Operations } from '../operation/operations.ts';
import { isProblem } from '../problem/problem.ts';
import { answer, setHeaders } from './answer.ts';
import { parseBody } from './body.ts';
import { type Answering, readBody } from './read-body.ts';
import { sendContent } from './send-content.ts';
import { drain, uploadOf } from './upload.ts';
import { newId } from '../ids/new-id.ts';

/** A DELETE needs none (RFC 9110 §9.3.5), but the reason that somebody sends in one is not passed over. */
const METHODS_WITH_BODY = new Set(['post', 'patch', 'delete']);

/**
 * The operations as REST. Routes go straight onto Express, beside Nest's controllers: a call passes no pipe, guard or
 * interceptor but the gate.
 */
@Injectable()
export class RestFace implements OnModuleInit {
  constructor(
    private readonly adapters: HttpAdapterHost<ExpressAdapter>,
    private readonly operations: Operations,
    private readonly gate: Gate,
  ) {}

  onModuleInit(): void {
    const app = this.adapters.httpAdapter.getInstance<Express>();
    const direct = new Map<string, RequestHandler>();
    app.use((request, response, next) => {
      const handle = direct.get(`${request.method} ${request.path}`);
      if (handle === undefined) next();
      else handle(request, response, next);
    });
    // Longer paths first, and words before parameters: `/reports/:id/comments` never shadows, whatever the order of declaration.
    for (const declared of this.operations.all.toSorted(byPath)) {
      const { method, path, upload } = declared.spec.http;
      const handle = (request: Request, response: Answering): void => {
        void this.#answer(declared, request, response);
      };
      if (METHODS_WITH_BODY.has(method) && upload === undefined) app[method](path, readBody, handle);
      else app[method](path, handle);
      // Express tries its routes one after the other; reads of a path without parameters are found at once.
      if (method === 'get' && !path.includes(':')) direct.set(`GET ${path}`, handle);
    }
  }

  async #answer(declared: DeclaredOperation, request: Request, response: Answering): Promise<void> {
    const reply = await this.gate.handle(declared, envelopeOf(declared.spec, request, response));
    setHeaders(reply, response);
    if (!isProblem(reply.result) && reply.result.content !== undefined) {
      await sendContent(reply.result.content, request, response);
      return;
    }
    const { upload } = declared.spec.http;
    // A caller who is still sending would not hear the answer; one that nobody knows is not waited for.
    if (upload !== undefined && reply.usage !== null) await drain(request, upload.mostBytes);
    answer(reply, response);
    if (upload !== undefined) request.resume();
  }
}

const byPath = (a: DeclaredOperation, b: DeclaredOperation): number =>
  a.spec.http.path.replaceAll(':', '~') < b.spec.http.path.replaceAll(':', '~') ? -1 : 1;

function envelopeOf({ http: { upload } }: OperationSpec, request: Request, { locals }: Answering): Envelope {
  const { headers } = request;
  return {
    face: 'rest',
    requestId: newId(),
    clientAddress: request.ip ?? 'unknown',
    // Redacted before it is cut: half a token would no longer be known as one (P5).
    clientName: redact(headers['user-agent'] ?? '').slice(0, 200),
    idempotencyKey: single(headers['idempotency-key']),
    ifMatch: headers['if-match'],
    logPosition: single(headers['x-log-position']),
    authenticate: () => authenticate(request.headersDistinct['authorization'] ?? []),
    input: () => {
      if (upload !== undefined) return { ok: true, value: { ...request.query, ...request.params } };
      return locals.unreadable === undefined ? inputOf(request) : { ok: false, problem: locals.unreadable };
    },
    ...(upload === undefined ? {} : { upload: uploadOf(request, upload.mostBytes) }),
  };
}

/** Query, body and path in one object; the path wins, so that a body cannot speak of another thing than the route. */
function inputOf(request: Request): RawInput {
  const body = parseBody(request.body as Buffer | undefined, request.headers['content-type']);
  if (!body.ok) return body;
  return { ok: true, value: { ...request.query, ...body.value, ...request.params } };
}

const single = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join() : value;
