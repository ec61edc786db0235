import { Transform } from 'class-transformer';
import { IsString, Matches, MaxLength, MinLength } from 'class-validator';

const ID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
/** One line of visible text. */
const LINE = /^[^\p{Cc}]+$/u;

/** Of a list: each of its members. */
interface Each {
  readonly each?: boolean;
}

/** A ULID. */
export const IsId = ({ each = false }: Each = {}): PropertyDecorator =>
  Matches(ID, { each, message: each ? 'must hold ids only' : 'must be an id' });

/** One line of text, of 1 to so many characters. */
export function IsLine(longest: number, { each = false }: Each = {}): PropertyDecorator {
  return (target, property) => {
    IsString({ each })(target, property as string);
    MinLength(1, { each })(target, property as string);
    MaxLength(longest, { each })(target, property as string);
    Matches(LINE, { each, message: each ? 'must hold lines of text' : 'must be one line of text' })(
      target,
      property as string,
    );
  };
}

/** `true` and `false` as a query string says them. */
export const FromQuery = (): PropertyDecorator =>
  Transform(({ value }: { readonly value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value));
