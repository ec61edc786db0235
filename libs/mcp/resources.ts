import type { ResourceTemplateType } from '@modelcontextprotocol/server';
import type { ViewToken } from '../hot-view/hot-view.ts';
import type { DeclaredOperation, McpResource } from '../operation/operation.ts';
import { mayUse } from './tools.ts';

/** One kind of thing with a URI: reports, tickets. */
export interface ResourceKind {
  readonly declared: McpResource;
  readonly read: DeclaredOperation;
  readonly list: DeclaredOperation;
}

export interface NamedResource {
  readonly kind: ResourceKind;
  readonly id: string;
}

const VARIABLE = '{id}';

/** The kinds of resources, from the operations that read them. */
export class Resources {
  readonly #kinds: readonly ResourceKind[];

  /** @throws Error when a declaration does not hold together, at the start */
  constructor(operations: readonly DeclaredOperation[]) {
    const named = new Map(operations.map((declared) => [declared.spec.name, declared]));
    this.#kinds = operations.flatMap((read) => {
      const declared = read.spec.mcpResource;
      if (declared === undefined) return [];
      const list = named.get(declared.listedBy);
      if (list === undefined) throw new Error(`${read.spec.name}: there is no operation ${declared.listedBy}`);
      if (declared.uriTemplate.split(VARIABLE).length !== 2) {
        throw new Error(`${read.spec.name}: its URI must hold ${VARIABLE}, once`);
      }
      return [{ declared, read, list }];
    });
  }

  get streamPrefixes(): readonly string[] {
    return this.#kinds.map(({ declared }) => declared.streamPrefix);
  }

  /** Kinds the token may list and read, in the order of their declaration. */
  of(token: ViewToken): readonly ResourceKind[] {
    return this.#kinds.filter(({ read, list }) => mayUse(read.spec, token) && mayUse(list.spec, token));
  }

  /** What a URI names; null: nothing of ours. Whether it is there is for the gate to tell. */
  named(uri: string): NamedResource | null {
    for (const kind of this.#kinds) {
      const [start, end] = partsOf(kind);
      if (!uri.startsWith(start) || !uri.endsWith(end) || uri.length <= start.length + end.length) continue;
      const id = decoded(uri.slice(start.length, uri.length - end.length));
      if (id !== null) return { kind, id };
    }
    return null;
  }

  /** What an event of a stream is a change of. */
  changedBy(stream: string): NamedResource | null {
    for (const kind of this.#kinds) {
      const { streamPrefix } = kind.declared;
      if (stream.startsWith(streamPrefix)) return { kind, id: stream.slice(streamPrefix.length) };
    }
    return null;
  }
}

export const uriOf = ({ kind, id }: NamedResource): string => partsOf(kind).join(encodeURIComponent(id));

const partsOf = ({ declared }: ResourceKind): [string, string] =>
  declared.uriTemplate.split(VARIABLE) as [string, string];

/** One segment (RFC 6570 §3.2.2); null: it is more, or not encoded as one. */
function decoded(text: string): string | null {
  try {
    return text.includes('/') ? null : decodeURIComponent(text);
  } catch {
    return null;
  }
}

export const templateOf = ({ declared, read }: ResourceKind): ResourceTemplateType => ({
  name: read.spec.name,
  title: read.spec.title,
  uriTemplate: declared.uriTemplate,
  description: read.spec.summary,
  mimeType: 'application/json',
});
