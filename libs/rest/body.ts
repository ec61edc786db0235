import { type RawInput } from '../gate/envelope.ts';
import { malformed, unsupportedMediaType } from '../problem/problem.ts';

const JSON_TYPE = /^application\/(?:[a-z0-9.-]+\+)?json(?:\s*;|$)/i;

/** A JSON object from the bytes of a body; an empty body is an empty object. */
export function parseBody(body: Buffer | undefined, contentType: string | undefined): RawInput {
  if (body === undefined || body.length === 0) return { ok: true, value: {} };
  if (contentType === undefined || !JSON_TYPE.test(contentType)) return { ok: false, problem: unsupportedMediaType() };
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return { ok: false, problem: malformed('The body is not JSON.') };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ok: false, problem: malformed('The body must be a JSON object.') };
  }
  return { ok: true, value: value as Record<string, unknown> };
}
