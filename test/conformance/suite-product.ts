import type { Provider } from '@nestjs/common';
import { IsString, MaxLength } from 'class-validator';
import { DeclareOperation, type Operation, READ, type Result } from '../../libs/operation/operation.ts';
import { PageInput } from '../../libs/operation/page-input.ts';
import { pageSchema } from '../../libs/operation/schema.ts';
import { notFound } from '../../libs/problem/problem.ts';
import { NoInput } from '../../libs/tokens/operations/inputs.ts';

/** A third product, as the conformance suite wants it: its tools and resources, declared as any product's are. */
export const SUITE_CATALOGUE = `name: suite
prefix: suite_
scopes:
  use: { grants: Use what the conformance suite asks for }
`;

const PRODUCT = { catalogue: 'suite', scope: 'suite/use', cost: READ, effect: 'reads' } as const;
const DATA = {
  type: 'object',
  required: ['id', 'text'],
  properties: { id: { type: 'string' }, text: { type: 'string' } },
};
const THINGS = ['static-text', 'watched-resource'];

class ThingInput {
  @IsString()
  @MaxLength(64)
  id!: string;
}

@DeclareOperation({
  ...PRODUCT,
  name: 'test_simple_text',
  title: 'Simple text',
  summary: 'Answers with a text.',
  http: { method: 'get', path: '/suite/simple-text' },
  input: NoInput,
  output: { type: 'object', properties: { text: { type: 'string' } } },
})
class SimpleText implements Operation {
  run(): Result {
    return { body: { text: 'This is a simple text response for testing.' } };
  }
}

@DeclareOperation({
  ...PRODUCT,
  name: 'test_error_handling',
  title: 'Error',
  summary: 'Fails, always.',
  http: { method: 'get', path: '/suite/error' },
  input: NoInput,
  output: { type: 'object' },
})
class ErrorHandling implements Operation {
  run(): Result {
    return notFound('This tool intentionally returns an error for testing');
  }
}

@DeclareOperation({
  ...PRODUCT,
  name: 'list_things',
  title: 'List things',
  summary: 'The things there are.',
  http: { method: 'get', path: '/suite/things' },
  input: PageInput,
  output: pageSchema(DATA),
})
class ListThings implements Operation {
  run(): Result {
    return { body: { items: THINGS.map((id) => ({ id, name: id })), next: null } };
  }
}

@DeclareOperation({
  ...PRODUCT,
  name: 'read_thing',
  title: 'Read a thing',
  summary: 'One thing.',
  http: { method: 'get', path: '/suite/things/:id' },
  input: ThingInput,
  output: DATA,
  mcpResource: { uriTemplate: 'test://{id}', listedBy: 'list_things', streamPrefix: 'suite-' },
})
class ReadThing implements Operation<ThingInput> {
  run({ id }: ThingInput): Result {
    return THINGS.includes(id) ? { body: { id, text: `This is ${id}.` } } : notFound();
  }
}

@DeclareOperation({
  ...PRODUCT,
  name: 'read_template',
  title: 'Read by template',
  summary: 'Whatever is asked for.',
  http: { method: 'get', path: '/suite/templates/:id' },
  input: ThingInput,
  output: DATA,
  mcpResource: { uriTemplate: 'test://template/{id}/data', listedBy: 'list_things', streamPrefix: 'suitetemplate-' },
})
class ReadTemplate implements Operation<ThingInput> {
  run({ id }: ThingInput): Result {
    return { body: { id, text: `Data for ID: ${id}` } };
  }
}

export const SUITE_PRODUCT: readonly Provider[] = [SimpleText, ErrorHandling, ListThings, ReadThing, ReadTemplate];
