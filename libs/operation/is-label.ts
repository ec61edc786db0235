import { IsString, Matches, MaxLength, MinLength } from 'class-validator';

const LONGEST = 80;
/** DESIGN §4: none that could forge an attribution (`·`, parentheses) or hide (control, bidi). */
const LABEL = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}·()]+$/u;

/** The name of a token or a person, as it stands in attributions. Kept in NFC. */
export function IsLabel(): PropertyDecorator {
  return (target, property) => {
    IsString()(target, property as string);
    MinLength(1)(target, property as string);
    MaxLength(LONGEST)(target, property as string);
    Matches(LABEL, { message: 'must be visible text without · or parentheses' })(target, property as string);
  };
}
