import type { OpenAPIObject } from '@nestjs/swagger';
import { unqualify } from '../catalogue/catalogue.ts';
import { inputSchema } from '../operation/input-schema.ts';
import { bytesSchema } from '../operation/content.ts';
import type { OperationSpec } from '../operation/operation.ts';

const problem = {
  description: 'A problem (RFC 9457)',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

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
    missing_scope: { type: 'string' },
    errors: {
      type: 'array',
      items: { type: 'object', properties: { field: { type: 'string' }, message: { type: 'string' } } },
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
    ...(hasBody && rest.length > 0 ? { requestBody: { content: { 'application/json': { schema: body } } } } : {}),
    responses: {
      [String(spec.http.status ?? 200)]: {
        description: 'Done',
        content: answerOf(spec),
      },
      default: problem,
    },
  };
}

/** Bytes of the declared types, else JSON. */
const answerOf = ({ streams, output }: OperationSpec): object =>
  streams === undefined
    ? { 'application/json': { schema: output } }
    : Object.fromEntries(streams.map((type) => [type, { schema: bytesSchema }]));

const bytesOf = (mostBytes: number): object => ({
  required: true,
  description: `The file as it is, ${mostBytes} bytes at most.`,
  content: { 'application/octet-stream': { schema: bytesSchema } },
});

const pick = (properties: Readonly<Record<string, object>>, names: readonly string[]): Record<string, object> =>
  Object.fromEntries(names.map((name) => [name, properties[name]!]));
