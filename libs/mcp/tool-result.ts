import type { CallToolResult } from '@modelcontextprotocol/server';
import type { Reply } from '../gate/gate.ts';
import type { OperationSpec } from '../operation/operation.ts';
import { isProblem, type Problem } from '../problem/problem.ts';
import { META } from './meta.ts';

/**
 * A reply as a tool's result: a sentence for people, and the answer as JSON twice: structured, and as text for hosts
 * that hand their model only that (MCP, Tools, "Structured Content").
 */
export function toolResult({ result, spec, requestId }: Reply): CallToolResult {
  if (isProblem(result)) return toolError(result, requestId);
  const { body, revision, position } = result;
  return {
    content: [
      { type: 'text', text: sentence(spec, body, revision), annotations: { audience: ['user'] } },
      { type: 'text', text: JSON.stringify(body), annotations: { audience: ['assistant'] } },
    ],
    ...(isObject(body) ? { structuredContent: body } : {}),
    _meta: {
      [META.requestId]: requestId,
      ...(revision === undefined ? {} : { [META.revision]: revision }),
      ...(position === undefined || position === null ? {} : { [META.logPosition]: String(position) }),
    },
  };
}

/** What went wrong and what to do about it, in words; whole, for programs, in `_meta`. */
export function toolError(problem: Problem, requestId: string): CallToolResult {
  return {
    isError: true,
    content: [{ type: 'text', text: advice(problem) }],
    _meta: { [META.requestId]: requestId, [META.problem]: problem },
  };
}

/** A problem in one or two sentences an agent can act on. */
export function advice({ code, detail, missing_scope, retry_after }: Problem): string {
  switch (code) {
    case 'forbidden':
      return missing_scope === undefined ? detail : `${detail} Ask its owner to add it; trying again will not help.`;
    case 'too_many_requests':
    case 'unavailable':
      return retry_after === undefined ? detail : `${detail} Try again in ${retry_after} s.`;
    case 'conflict':
      return `${detail} Read it again, then decide anew.`;
    case 'invalid':
    case 'contains_secret':
    case 'not_found':
    case 'unauthorized':
    case 'internal':
      return detail;
    default:
      return unknownCode(code);
  }
}

function sentence({ title, name }: OperationSpec, body: unknown, revision: number | undefined): string {
  const page = isObject(body) ? body['items'] : undefined;
  if (Array.isArray(page)) {
    const more = isObject(body) && typeof body['next'] === 'string' ? `, more with cursor ${body['next']}` : '';
    return `${title}: ${page.length}${more}.`;
  }
  const id = isObject(body) && typeof body['id'] === 'string' ? ` ${body['id']}` : '';
  const at = revision === undefined ? '' : `, version ${revision}`;
  return `${title} (${name}): done${id === '' ? '' : ','}${id}${at}.`;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function unknownCode(code: never): never {
  throw new Error(`unknown problem ${String(code)}`);
}
