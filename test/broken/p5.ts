import type { Breakage } from './breakage.ts';

export const P5: readonly Breakage[] = [
  {
    broken: 'What is kept of a token is the token itself.',
    file: 'libs/tokens/token-format.ts',
    text: "export const tokenDigest = (text: string): string => hash('sha256', text);",
    replacement: "export const tokenDigest = (text: string): string => hash('sha256', text) && text;",
    spec: 'libs/tokens/token-format.spec.ts',
  },
  {
    broken: 'A report may hold a token.',
    file: 'libs/gate/parse-input.ts',
    text: 'if (holdsToken(text)) return containsSecret(field);',
    replacement: '',
    spec: 'libs/gate/gate.spec.ts',
  },
  {
    broken: 'A token sent as Idempotency-Key is kept beside the events.',
    file: 'libs/gate/preconditions.ts',
    text: "if (idempotencyKey !== undefined && holdsToken(idempotencyKey)) return containsSecret('idempotency-key');",
    replacement: '',
    spec: 'test/e2e/secrets.spec.ts',
  },
  {
    broken: 'A token in the User-Agent is in the record of the use.',
    file: 'libs/rest/rest-face.ts',
    text: "redact(headers['user-agent'] ?? '').slice(0, 200)",
    replacement: "(headers['user-agent'] ?? '').slice(0, 200)",
    spec: 'test/e2e/secrets.spec.ts',
  },
  {
    broken: 'Log lines show the tokens they speak of.',
    file: 'libs/logging/logger.ts',
    text: '{ write: (line) => destination.write(redact(line)) }',
    replacement: '{ write: (line) => destination.write(line) }',
    spec: 'libs/logging/logger.spec.ts',
  },
  {
    broken: 'The answer that shows a token may be kept by whatever lies between.',
    file: 'libs/rest/answer.ts',
    text: "if (spec.showsSecret === true) response.setHeader('Cache-Control', 'no-store');",
    replacement: '',
    spec: 'test/e2e/secrets.spec.ts',
  },
  {
    broken: 'Asked again under the same Idempotency-Key, a new secret is shown.',
    file: 'libs/tokens/operations/create-token.ts',
    text: 'if (outcome.repeated)',
    replacement: 'if (outcome.repeated && id === token)',
    spec: 'test/e2e/concurrency.spec.ts',
    tests: 'P5 a token made again',
  },
  {
    broken: 'An MCP tool shows a new token in an agent’s transcript.',
    file: 'libs/mcp/tools.ts',
    text: 'showsSecret !== true && streams === undefined',
    replacement: 'showsSecret !== false && streams === undefined',
    spec: 'test/reference.spec.ts',
  },
  {
    broken: 'A step of a routine may make a token.',
    file: 'libs/routines/check-steps.ts',
    text: 'inRoutines !== false && showsSecret !== true &&',
    replacement: 'inRoutines !== false && showsSecret !== false &&',
    spec: 'test/e2e/routines.spec.ts',
    tests: 'P5 a step that would show a secret',
  },
];
