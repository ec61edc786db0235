#!/usr/bin/env node
import 'reflect-metadata';
import { needsOwnNode, runWithOwnNode } from './own-node.ts';
import { runCli } from './run-cli.ts';
import { Terminal } from './terminal.ts';

// `writ token list --all | head`: a reader that has seen enough is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const args = process.argv.slice(2);
const terminal = Terminal.ofProcess();
process.exitCode = needsOwnNode(args)
  ? runWithOwnNode(args, import.meta.filename, terminal)
  : await runCli(args, terminal);
