import type { Response } from 'express';
import { unqualify } from '../catalogue/catalogue.ts';
import type { Reply } from '../gate/gate.ts';
import type { UsageReading, WindowReading } from '../hot-view/hot-view.ts';
import { isProblem, type Problem } from '../problem/problem.ts';

/** What every answer of an operation says of itself, whatever it holds (DESIGN §5). */
export function setHeaders({ spec, requestId, usage }: Reply, response: Response): void {
  response.setHeader('X-Request-Id', requestId);
  if (spec.scope !== null) response.setHeader('X-Accepted-Scopes', unqualify(spec.scope));
  if (usage !== null) setRateLimit(response, usage);
}

/** A reply of JSON on the wire. */
export function answer({ result, spec }: Reply, response: Response): void {
  if (isProblem(result)) {
    sendProblem(result, response);
    return;
  }
  if (result.revision !== undefined) response.setHeader('ETag', `"${result.revision}"`);
  if (result.position !== undefined && result.position !== null) {
    response.setHeader('X-Log-Position', String(result.position));
  }
  if (spec.showsSecret === true) response.setHeader('Cache-Control', 'no-store');
  send(response, spec.http.status ?? 200, 'application/json; charset=utf-8', result.body);
}

/**
 * RFC 9457; a 401 says how to authenticate (RFC 6750 §3, and where its metadata are, RFC 9728 §5.1), a 429 or 503 when
 * to come back.
 */
export function sendProblem(problem: Problem, response: Response, resourceMetadataUrl?: string): void {
  if (problem.status === 401) {
    const where = resourceMetadataUrl === undefined ? '' : ` resource_metadata="${resourceMetadataUrl}"`;
    response.setHeader('WWW-Authenticate', `Bearer${where}`);
  }
  if (problem.missing_scope !== undefined) {
    response.setHeader('WWW-Authenticate', `Bearer error="insufficient_scope", scope="${problem.missing_scope}"`);
  }
  if (problem.retry_after !== undefined) {
    response.setHeader('Retry-After', String(problem.retry_after));
    response.setHeader('retry_after', String(problem.retry_after));
  }
  send(response, problem.status, 'application/problem+json', problem);
}

function send(response: Response, status: number, contentType: string, body: unknown): void {
  const text = JSON.stringify(body);
  response.statusCode = status;
  response.setHeader('Content-Type', contentType);
  response.setHeader('Content-Length', Buffer.byteLength(text));
  // A text goes out in one piece with the headers, a buffer in a second one.
  response.end(text);
}

const policy = (name: string, { limit }: WindowReading): string => `"${name}";q=${limit};w=60`;
const left = (name: string, { limit, used, resetSeconds }: WindowReading): string =>
  `"${name}";r=${Math.max(0, limit - used)};t=${resetSeconds}`;

/** draft-ietf-httpapi-ratelimit-headers-10: the token's own limits, then its workspace's ceilings, where there are any. */
function setRateLimit(response: Response, { reads, writes, ceiling }: UsageReading): void {
  let policies = `${policy('reads', reads)}, ${policy('writes', writes)}`;
  let limits = `${left('reads', reads)}, ${left('writes', writes)}`;
  if (ceiling !== undefined) {
    for (const budget of ['reads', 'writes'] as const) {
      const reading = ceiling[budget];
      if (reading === null) continue;
      policies += `, ${policy(`workspace-${budget}`, reading)}`;
      limits += `, ${left(`workspace-${budget}`, reading)}`;
    }
  }
  response.setHeader('RateLimit-Policy', policies);
  response.setHeader('RateLimit', limits);
}
