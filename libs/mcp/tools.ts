import type { Tool } from '@modelcontextprotocol/server';
import type { ViewToken } from '../hot-view/hot-view.ts';
import { type InputSchema, inputSchema } from '../operation/input-schema.ts';
import type { DeclaredOperation, OperationSpec } from '../operation/operation.ts';

/** An argument that stands for `If-Match`: agents fill in arguments, and headers they have none. */
export const IF_VERSION = 'if_version';

/** What MCP offers of the operations: all but those that show a secret or are bytes, which have no place in a transcript. */
export class Tools {
  readonly #byName: ReadonlyMap<string, DeclaredOperation>;
  readonly #described = new Map<string, Tool>();

  constructor(operations: readonly DeclaredOperation[]) {
    this.#byName = new Map(
      operations.filter(({ spec }) => isTool(spec)).map((declared) => [declared.spec.name, declared]),
    );
  }

  named(name: string): DeclaredOperation | null {
    return this.#byName.get(name) ?? null;
  }

  /** Those the token may use, by name. */
  of(token: ViewToken): Tool[] {
    return [...this.#byName.values()]
      .filter(({ spec }) => mayUse(spec, token))
      .map(({ spec }) => this.#describe(spec))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  #describe(spec: OperationSpec): Tool {
    let tool = this.#described.get(spec.name);
    if (tool === undefined) this.#described.set(spec.name, (tool = describe(spec)));
    return tool;
  }
}

/** By catalogue and grants, as the gate decides it. */
export const mayUse = ({ catalogue, scope }: OperationSpec, token: ViewToken): boolean =>
  (catalogue === null || catalogue === token.catalogue) && (scope === null || token.grants.includes(scope));

export const isTool = ({ showsSecret, streams, http }: OperationSpec): boolean =>
  showsSecret !== true && streams === undefined && http.upload === undefined;

/** Whether a change of the thing can be made to depend on its version. */
export const takesVersion = ({ effect, http }: OperationSpec): boolean =>
  (effect === 'changes' || effect === 'destroys') && http.path.includes('/:id');

function describe(spec: OperationSpec): Tool {
  const { name, title, summary, effect } = spec;
  return {
    name,
    title,
    description: summary,
    inputSchema: withVersion(spec, inputSchema(spec.input)) as object as Tool['inputSchema'],
    ...(hasObjectRoot(spec.output) ? { outputSchema: spec.output as NonNullable<Tool['outputSchema']> } : {}),
    annotations: {
      title,
      readOnlyHint: effect === 'reads',
      destructiveHint: effect === 'destroys',
      idempotentHint: effect !== 'adds',
      // Everything happens in the products behind this server.
      openWorldHint: false,
    },
  };
}

function withVersion(spec: OperationSpec, schema: InputSchema): InputSchema {
  if (!takesVersion(spec) || IF_VERSION in schema.properties) return schema;
  const version = {
    type: 'integer',
    minimum: 0,
    description: 'Only if it is still at this version; else nothing changes.',
  };
  return { ...schema, properties: { ...schema.properties, [IF_VERSION]: version } };
}

const hasObjectRoot = (schema: object): boolean => (schema as { type?: unknown }).type === 'object';
