import { beforeEach, describe, expect, it } from '@jest/globals';
import { formatToken, newSecret } from '../tokens/token-format.ts';
import { newTokenId } from '../tokens/token-id.ts';
import { createLogger, NestLogger } from './logger.ts';

describe('a log line', () => {
  const token = formatToken('comma_sk_', newTokenId(1), newSecret());
  let lines: string[];
  const logger = () => createLogger({ write: (line) => lines.push(line) }, 'trace');

  beforeEach(() => {
    lines = [];
  });

  it.each([
    ['its text', () => logger().info(`called with ${token}`)],
    ['a member', () => logger().warn({ headers: { authorization: `Bearer ${token}` } }, 'refused')],
    ['the name of a member', () => logger().warn({ [token]: 1 }, 'refused')],
    ['an error', () => logger().error({ err: new Error(`no such thing: ${token}`) }, 'failed')],
    ['an error of Nest’s', () => new NestLogger(logger()).error({ error: new Error(token) }, token, 'Gate')],
  ])('P5 shows no token, where %s holds one', (_, log) => {
    log();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('[token]');
    expect(lines[0]).not.toContain(token.slice(-38));
  });
});
