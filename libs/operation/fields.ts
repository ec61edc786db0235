import { IsString, Matches, MaxLength, MinLength } from 'class-validator';

const ID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
/** One line of visible text. */
const LINE = /^[^\p{Cc}]+$/u;

/** A ULID; `each`: a list of them. */
export const IsId = (options: { readonly each?: boolean } = {}): PropertyDecorator =>
  Matches(ID, { ...options, message: options.each === true ? 'must hold ids only' : 'must be an id' });

/** One line of text, of 1 to so many characters. */
export function IsLine(longest: number): PropertyDecorator {
  return (target, property) => {
    IsString()(target, property as string);
    MinLength(1)(target, property as string);
    MaxLength(longest)(target, property as string);
    Matches(LINE, { message: 'must be one line of text' })(target, property as string);
  };
}
