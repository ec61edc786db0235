import { describe, expect, it } from '@jest/globals';
import { Type } from 'class-transformer';
import { IsArray, IsInt, IsOptional, IsString, ValidateNested } from 'class-validator';
import { inputSchema } from './input-schema.ts';

class Step {
  @IsString()
  operation!: string;
}

class Window {
  @IsOptional()
  @IsInt()
  seconds?: number;
}

class Routine {
  @IsString()
  name!: string;

  @IsOptional()
  @ValidateNested()
  @Type(() => Window)
  window?: Window;

  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => Step)
  steps!: Step[];
}

class Untyped {
  @ValidateNested()
  what!: object;
}

const closed = { type: 'object', additionalProperties: false };

describe('the schema of an input', () => {
  it('holds its nested objects, single and listed, in place', () => {
    expect(inputSchema(Routine)).toEqual({
      ...closed,
      required: ['name', 'steps'],
      properties: {
        name: { type: 'string' },
        window: { ...closed, required: [], properties: { seconds: { type: 'integer' } } },
        steps: {
          type: 'array',
          items: { ...closed, required: ['operation'], properties: { operation: { type: 'string' } } },
        },
      },
    });
  });

  it('is an object even where nothing is taken', () => {
    expect(inputSchema(class Nothing {})).toEqual({ ...closed, required: [], properties: {} });
  });

  it('says which field names no class', () => {
    expect(() => inputSchema(Untyped)).toThrow(/Untyped\.what is nested/);
  });
});
