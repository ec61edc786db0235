import { STATUS_CODES } from 'node:http';
import type { OpenAPIObject } from '@nestjs/swagger';
import { unqualify } from '../catalogue/catalogue.ts';
import { inputSchema } from '../operation/input-schema.ts';
import { bytesSchema } from '../operation/content.ts';
import type { OperationSpec } from '../operation/operation.ts';
import { problemsOf } from '../operation/problems-of.ts';

const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    retry_after: { type: 'integer', description: 'Seconds' },
    existing: { type: 'string', description: 'What a 409 is in the way of' },
    missing_scope: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: { field: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

/** OpenAPI 3.1 of all operations, from their declarations. */
export function openApiDocument(specs: readonly OperationSpec[], url: string): OpenAPIObject {
  const paths: Record<string, Record<string, object>> = {};
  for (const spec of specs.toSorted((a, b) => (a.http.path < b.http.path ? -1 : 1))) {
    const path = spec.http.path.replaceAll(/[:*](\w+)/g, '{$1}');
    (paths[path] ??= {})[spec.http.method] = describe(spec, path);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Writ', version: '1', description: 'A token authority for AI agents.' },
    servers: [{ url }],
    security: [{ bearer: [] }],
    paths: paths as OpenAPIObject['paths'],
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas: { Problem: problemSchema },
      responses: Object.fromEntries(PROBLEMS.map((status) => [`Problem${status}`, problemResponse(status)])),
      headers,
    } as NonNullable<OpenAPIObject['components']>,
  };
}

function describe(spec: OperationSpec, path: string): object {
  const { properties, required } = inputSchema(spec.input);
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const rest = Object.keys(properties).filter((name) => !inPath.includes(name));
  const { upload } = spec.http;
  const hasBody = upload === undefined && (spec.http.method === 'post' || spec.http.method === 'patch');
  const parameters = [
    ...inPath.map((name) => ({ name, in: 'path', required: true, schema: properties[name] ?? { type: 'string' } })),
    ...conditionsOf(spec),
    ...(hasBody
      ? []
      : rest.map((name) => ({
          name,
          in: 'query',
          required: required.includes(name),
          schema: properties[name],
        }))),
  ];
  const body = {
    type: 'object',
    additionalProperties: false,
    properties: pick(properties, rest),
    required: rest.filter((name) => required.includes(name)),
  };
  return {
    operationId: spec.name,
    summary: spec.title,
    description: `${spec.summary}\n\n${spec.scope === null ? 'Any live token.' : `Scope: \`${unqualify(spec.scope)}\` (${spec.catalogue}).`}`,
    tags: [spec.catalogue ?? 'any'],
    parameters,
    ...(upload === undefined ? {} : { requestBody: bytesOf(upload.mostBytes) }),
    ...(hasBody && rest.length > 0
      ? { requestBody: { required: body.required.length > 0, content: { 'application/json': { schema: body } } } }
      : {}),
    responses: {
      [String(spec.http.status ?? 200)]: { description: 'Done', headers: headersOf(spec), content: answerOf(spec) },
      ...(spec.streams === undefined && spec.alsoAs === undefined
        ? {}
        : {
            206: { description: 'The part asked for by `Range`', content: asBytes(spec.streams ?? spec.alsoAs ?? []) },
            304: { description: 'Not changed' },
          }),
      ...Object.fromEntries(
        problemsOf(spec).map(({ status }) => [status, { $ref: `#/components/responses/Problem${status}` }]),
      ),
    },
  };
}

const header = (description: string, type = 'string'): object => ({ description, schema: { type } });

const headers = {
  'X-Request-Id': header('Names this call, in the log and to us'),
  'X-Accepted-Scopes': header('The scope this operation takes'),
  'X-Log-Position': header('Sent back with a read, makes it wait for this write'),
  ETag: header('The version, for If-Match'),
  RateLimit: header('What is left (draft-ietf-httpapi-ratelimit-headers)'),
  'RateLimit-Policy': header('The limits (draft-ietf-httpapi-ratelimit-headers)'),
  'Retry-After': header('Seconds', 'integer'),
  'WWW-Authenticate': header('How to authenticate, or which scope is missing (RFC 6750)'),
};

const refer = (...names: readonly (keyof typeof headers)[]): object =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

const headersOf = ({ scope, effect }: OperationSpec): object =>
  refer(
    'X-Request-Id',
    'RateLimit',
    'RateLimit-Policy',
    ...(scope === null ? [] : (['X-Accepted-Scopes'] as const)),
    ...(effect === 'reads' ? [] : (['X-Log-Position', 'ETag'] as const)),
  );

/** What may go wrong with any operation; which of it with which is `problemsOf`'s to say. */
const PROBLEMS = [400, 401, 403, 404, 409, 412, 413, 415, 416, 422, 429, 500, 503];

function problemResponse(status: number): object {
  const later = status === 429 || status === 503;
  return {
    description: STATUS_CODES[status] ?? 'A problem',
    headers: {
      ...refer('X-Request-Id'),
      ...(later ? refer('Retry-After') : {}),
      ...(status === 401 || status === 403 ? refer('WWW-Authenticate') : {}),
    },
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

/** The headers that change what a call means (DESIGN §5). */
function conditionsOf({ effect, readsFrom, http }: OperationSpec): object[] {
  const parameter = (name: string, description: string): object => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  });
  return [
    ...(effect === 'reads' ? [] : [parameter('Idempotency-Key', 'The same key does the same thing once')]),
    ...(effect === 'changes' && http.path.includes(':')
      ? [parameter('If-Match', 'Only if it is still this version')]
      : []),
    ...(readsFrom === undefined ? [] : [parameter('X-Log-Position', 'Waits for this write to be seen')]),
  ];
}

/** Bytes of the declared types, else JSON. */
const answerOf = ({ streams, alsoAs = [], output }: OperationSpec): object => ({
  ...(streams === undefined ? { 'application/json': { schema: output } } : {}),
  ...asBytes(streams ?? alsoAs),
});

const asBytes = (types: readonly string[]): object =>
  Object.fromEntries(types.map((type) => [type, { schema: bytesSchema }]));

const bytesOf = (mostBytes: number): object => ({
  required: true,
  description: `The file as it is, ${mostBytes} bytes at most.`,
  content: { 'application/octet-stream': { schema: bytesSchema } },
});

const pick = (properties: Readonly<Record<string, object>>, names: readonly string[]): Record<string, object> =>
  Object.fromEntries(names.map((name) => [name, properties[name]!]));
