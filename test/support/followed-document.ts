import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';

const MARK = '----8<----';

/** Blocks of commands between `<!-- part -->` and `<!-- /part -->`, each with the lines it says they print. */
function blocksOf(path: string, part: string): { readonly commands: string; readonly prints: readonly string[] }[] {
  const document = readFileSync(path, 'utf8');
  const text = document.slice(document.indexOf(`<!-- ${part} -->`), document.indexOf(`<!-- /${part} -->`));
  return [...text.matchAll(/```sh\n(.*?)```(?:\n\n```text\n(.*?)```)?/gs)].map(([, commands = '', prints = '']) => ({
    commands,
    prints: linesOf(prints),
  }));
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** Types a part of a document word for word, as one shell session, and expects the answers it shows. */
export function expectFollowed(
  path: string,
  part: string,
  { before = '', ...options }: { readonly env: Readonly<Record<string, string>>; readonly before?: string },
): void {
  const blocks = blocksOf(path, part);
  expect(blocks.length).toBeGreaterThan(3);
  const script = [before, ...blocks.map(({ commands }) => commands)].join(`\necho '${MARK}'\n`);
  const { stdout, stderr } = spawnSync('bash', ['-c', script], {
    encoding: 'utf8',
    env: { ...process.env, ...options.env },
  });
  // npm remarks on settings of the machine it runs on.
  expect(linesOf(stderr).filter((line) => !line.startsWith('npm warn'))).toEqual([]);
  const [, ...printed] = stdout.split(`${MARK}\n`).map(linesOf);
  expect(printed).toEqual(blocks.map(({ prints }) => prints));
}
