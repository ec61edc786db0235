import { plainToInstance } from 'class-transformer';
import { ValidationTypes } from 'class-validator';
import { targetConstructorToSchema } from 'class-validator-jsonschema';

/** JSON schema (draft 2020-12) of an input: an object, its nested objects in place. */
export interface InputSchema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, object>>;
  readonly required: readonly string[];
  /** What an input does not declare is refused. */
  readonly additionalProperties: false;
}

type InputClass = new () => object;
/** The library's own type of a schema. */
type Schema = ReturnType<typeof targetConstructorToSchema>;

const made = new Map<InputClass, InputSchema>();

/** The schema of an operation's input class, from what class-validator checks. Made once a class. */
export function inputSchema(Input: InputClass): InputSchema {
  let schema = made.get(Input);
  if (schema === undefined) made.set(Input, (schema = schemaOf(Input)));
  return schema;
}

function schemaOf(Input: InputClass): InputSchema {
  const { properties = {}, required = [] } = targetConstructorToSchema(Input, {
    additionalConverters: {
      // In place and not by reference: a tool's schema has nothing else to refer to.
      [ValidationTypes.NESTED_VALIDATION]: ({ propertyName }) =>
        inputSchema(nestedClass(Input, propertyName)) as Schema,
    },
  });
  return { type: 'object', properties, required, additionalProperties: false };
}

/** The class `@Type` names, found by what a plain object becomes there. */
function nestedClass(Input: InputClass, property: string): InputClass {
  const one = (value: unknown): unknown =>
    (plainToInstance(Input, { [property]: value }) as Record<string, unknown>)[property];
  const single = one({});
  const found =
    typeof single === 'object' && single !== null && single.constructor !== Object
      ? single
      : (one([{}]) as object[])[0];
  if (found === undefined || found.constructor === Object) {
    throw new Error(`${Input.name}.${property} is nested, but @Type names no class for it`);
  }
  return found.constructor as InputClass;
}
