#!/usr/bin/env node
import 'reflect-metadata';
import { runCli } from './run-cli.ts';
import { Terminal } from './terminal.ts';

// `writ token list --all | head`: a reader that has seen enough is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await runCli(process.argv.slice(2), Terminal.ofProcess());
