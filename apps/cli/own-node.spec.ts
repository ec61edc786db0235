import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { runWithOwnNode } from './own-node.ts';

describe('writ under an older Node than Writ’s own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'writ-own-node-'));
  const script = join(folder, 'args.mjs');
  writeFileSync(script, 'process.exit(process.argv.slice(2).join() === "audit,export" ? 7 : 8);');
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is run again by it, with the same arguments and its exit code', () => {
    expect(runWithOwnNode(script, ['audit', 'export'], { hasSqlite: false, ownNode: process.execPath })).toBe(7);
  });

  it('says what it needs where that is not installed', () => {
    const said = jest.spyOn(console, 'error').mockReturnValue();
    expect(runWithOwnNode(script, [], { hasSqlite: false, ownNode: join(folder, 'none') })).toBe(2);
    expect(said.mock.calls).toEqual([[expect.stringMatching(/^writ needs Node 22\.13 or newer; this is v/)]]);
    said.mockRestore();
  });

  it('goes on under one that will do', () => {
    expect(runWithOwnNode(script, [], { hasSqlite: true })).toBeNull();
  });

  // `npm link` makes them so once; the next build would undo it.
  it.each(['dist/apps/cli/main.js', 'dist/apps/mcp-stdio/main.js'])('a build leaves %s executable', (path) => {
    expect(() => accessSync(path, constants.X_OK)).not.toThrow();
  });
});
