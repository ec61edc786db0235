#!/usr/bin/env node
import 'reflect-metadata';
import { runWithOwnNode } from './own-node.ts';

// `writ token list --all | head`: a reader that has seen enough is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const args = process.argv.slice(2);
process.exitCode = runWithOwnNode(import.meta.filename, args) ?? (await runHere());

async function runHere(): Promise<number> {
  const [{ runCli }, { Terminal }] = await Promise.all([import('./run-cli.ts'), import('./terminal.ts')]);
  return runCli(args, Terminal.ofProcess());
}
