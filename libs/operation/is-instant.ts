import { IsISO8601, Matches } from 'class-validator';

/** RFC 3339, or a date alone (midnight UTC). Week dates, ordinal dates and the like are ISO 8601, too, but no `Date`. */
const INSTANT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

const MESSAGE = { message: 'must be a date, or a date and time with its zone, like 2030-01-31T12:00:00Z' };

/** A text that names one instant, wherever it is read. */
export function IsInstant(): PropertyDecorator {
  return (target, property) => {
    IsISO8601({ strict: true }, MESSAGE)(target, property as string);
    Matches(INSTANT, MESSAGE)(target, property as string);
  };
}
