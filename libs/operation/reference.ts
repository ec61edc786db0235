import { type Catalogues, expandScopes, qualify, unqualify } from '../catalogue/catalogue.ts';
import { type InputSchema, inputSchema } from './input-schema.ts';
import type { OperationSpec } from './operation.ts';
import { problemsOf } from './problems-of.ts';

/** What of an operation each face offers; the faces decide, this page repeats. */
export interface FaceRules {
  isTool(spec: OperationSpec): boolean;
  canBeStep(spec: OperationSpec): boolean;
}

/** The reference of all operations as Markdown, from their declarations. */
export function reference(specs: readonly OperationSpec[], catalogues: Catalogues, rules: FaceRules): string {
  const byName = specs.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const groups = [
    { name: null, title: 'Any token' },
    ...catalogues.all.map(({ name, title }) => ({ name, title: `${title} (\`${name}\`)` })),
  ].flatMap(({ name, title }) => {
    const own = byName.filter(({ catalogue }) => catalogue === name);
    return own.length === 0 ? [] : [{ title, own }];
  });
  return [
    '# Operations',
    'Generated from the declarations by `npm run docs`; a test holds it to them. Every operation is one declaration with three faces: its REST route, an MCP tool of its name, and a step of a routine. The same token gets the same decision on each.',
    table(
      ['operation', 'scope', 'takes', 'route'],
      groups.flatMap(({ own }) =>
        own.map((spec) => [`[\`${spec.name}\`](#${spec.name})`, scopeOf(spec), costOf(spec), routeOf(spec)]),
      ),
    ),
    '## Errors',
    'Each is a problem of RFC 9457 with `status`, `code` and `detail`; MCP answers carry the same problem in `_meta`.',
    table(['status', 'code', 'when'], meanings(specs)),
    ...groups.flatMap(({ title, own }) => [`## ${title}`, ...own.flatMap((spec) => section(spec, catalogues, rules))]),
    '',
  ].join('\n\n');
}

function section(spec: OperationSpec, catalogues: Catalogues, { isTool, canBeStep }: FaceRules): string[] {
  return [
    `### ${spec.name}`,
    `**${spec.title}.** ${spec.summary}`,
    [
      `- Scope: ${scopeOf(spec)}${alsoIn(spec, catalogues)}`,
      `- Takes: ${costOf(spec)}`,
      `- REST: ${routeOf(spec)}, answers ${spec.http.status ?? 200}`,
      `- MCP: ${isTool(spec) ? `tool \`${spec.name}\`` : 'no tool'}${spec.mcpResource === undefined ? '' : `, resource \`${spec.mcpResource.uriTemplate}\``}`,
      `- Routine: ${canBeStep(spec) ? 'can be a step' : 'cannot be a step'}`,
    ].join('\n'),
    ...inputOf(spec),
    `Answer: ${answerOf(spec)}`,
    `Errors: ${problemsOf(spec)
      .map(({ status, code }) => `${status} \`${code}\``)
      .join(', ')}.`,
  ];
}

/** Every problem there is, once. */
function meanings(specs: readonly OperationSpec[]): string[][] {
  const rows = new Map<string, string[]>();
  for (const { status, code, when } of specs.flatMap(problemsOf)) {
    rows.set(`${status} ${code}`, [String(status), `\`${code}\``, when]);
  }
  return [...rows.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

const scopeOf = ({ scope }: OperationSpec): string => (scope === null ? 'any live token' : `\`${unqualify(scope)}\``);

/** The other scopes that bring it along. */
function alsoIn({ scope, catalogue: name }: OperationSpec, catalogues: Catalogues): string {
  const catalogue = name === null ? null : catalogues.named(name);
  if (catalogue === null || scope === null) return '';
  const others = Object.keys(catalogue.scopes).filter(
    (other) => qualify(catalogue.name, other) !== scope && expandScopes(catalogue, [other]).includes(scope),
  );
  return others.length === 0 ? '' : `, or what includes it: ${others.map((other) => `\`${other}\``).join(', ')}`;
}

function costOf({ cost }: OperationSpec): string {
  const taken = (['reads', 'writes'] as const).flatMap((budget) =>
    cost[budget] === 0 ? [] : [`${cost[budget]} ${cost[budget] === 1 ? budget.slice(0, -1) : budget}`],
  );
  return taken.length === 0 ? 'nothing' : taken.join(', ');
}

const routeOf = ({ http: { method, path } }: OperationSpec): string => `\`${method.toUpperCase()} ${path}\``;

function inputOf(spec: OperationSpec): string[] {
  const { properties, required } = inputSchema(spec.input);
  const names = Object.keys(properties);
  const file = spec.http.upload;
  const bytes = file === undefined ? [] : [`Body: the file as it is, ${file.mostBytes} bytes at most.`];
  if (names.length === 0) return [...bytes, 'Input: none.'];
  const rows = names.map((name) => [
    `\`${name}\``,
    placeOf(spec, name),
    required.includes(name) ? 'yes' : 'no',
    typeOf(properties[name] ?? {}),
  ]);
  return [...bytes, table(['input', 'in', 'required', 'type'], rows)];
}

function placeOf({ http: { method, path, upload } }: OperationSpec, name: string): string {
  if (path.split('/').includes(`:${name}`)) return 'path';
  return upload === undefined && (method === 'post' || method === 'patch') ? 'body' : 'query';
}

function answerOf({ streams, alsoAs = [], output }: OperationSpec): string {
  if (streams !== undefined) return `the bytes, as ${streams.map((type) => `\`${type}\``).join(', ')}.`;
  const others = alsoAs.map((type) => `, or over REST the bytes as \`${type}\``).join('');
  return `${typeOf(output)}${others}.`;
}

/** A JSON schema, as far as this page tells it: what the declarations use, and no more. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly items?: Schema;
  readonly properties?: InputSchema['properties'];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

function typeOf(schema: Schema): string {
  const either = schema.anyOf ?? schema.oneOf;
  if (either !== undefined) return either.map(typeOf).join(' or ');
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(' or ');
  if (schema.items !== undefined) {
    return `list of ${typeOf(schema.items)}${schema.maxItems === undefined ? '' : `, ${schema.maxItems} at most`}`;
  }
  const members = Object.entries(schema.properties ?? {});
  if (members.length > 0) {
    return `{ ${members.map(([name, member]) => `\`${name}\`${leafOf(member as Schema)}`).join(', ')} }`;
  }
  const type = typeof schema.type === 'string' ? schema.type : (schema.type?.join(' or ') ?? 'anything');
  return [type, ...bounds(schema)].join(', ');
}

/** Inside of an answer only what is nested is told further. */
const leafOf = (schema: Schema): string =>
  schema.properties === undefined && schema.items?.properties === undefined ? '' : `: ${typeOf(schema)}`;

function bounds({ format, minLength, maxLength, minimum, maximum }: Schema): string[] {
  const between = (least: number | undefined, most: number | undefined, what: string): string[] => {
    if (least === undefined && most === undefined) return [];
    if (most === undefined) return [`from ${least}${what}`];
    return [least === undefined ? `up to ${most}${what}` : `${least} to ${most}${what}`];
  };
  return [
    ...(format === undefined ? [] : [format]),
    ...between(minLength, maxLength, ' characters'),
    ...between(minimum, maximum, ''),
  ];
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
