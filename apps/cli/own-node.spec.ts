import { accessSync, constants } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { needsOwnNode } from './own-node.ts';

describe('writ under an older Node than Writ’s own', () => {
  it.each([
    [['recover'], false, true],
    [['init'], false, true],
    [['token', 'list'], false, false],
    [[], false, false],
    [['recover'], true, false],
  ])('%j, with node:sqlite %s, is run again by it: %s', (args, hasSqlite, again) => {
    expect(needsOwnNode(args, hasSqlite)).toBe(again);
  });

  // `npm link` makes them so once; the next build would undo it.
  it.each(['dist/apps/cli/main.js', 'dist/apps/mcp-stdio/main.js'])('a build leaves %s executable', (path) => {
    expect(() => accessSync(path, constants.X_OK)).not.toThrow();
  });
});
