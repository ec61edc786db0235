/** PostgreSQL's text form of an array of one dimension ("Array Input and Output Syntax", §8.15.6). Undefined is null. */
export function arrayLiteral(values: readonly unknown[]): string {
  let literal = '{';
  let separator = '';
  for (const value of values) {
    literal += separator + elementOf(value);
    separator = ',';
  }
  return `${literal}}`;
}

function elementOf(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value !== 'string') return String(value);
  return `"${TO_ESCAPE.test(value) ? value.replaceAll(EACH_TO_ESCAPE, String.raw`\$&`) : value}"`;
}

const TO_ESCAPE = /["\\]/;
const EACH_TO_ESCAPE = /["\\]/g;
