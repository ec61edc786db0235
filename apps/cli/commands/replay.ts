import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'nest-commander';
import type { Frame } from '../../../libs/tokens/replay/replay-token.ts';
import { parseCount, parseTime, parseTokenId } from '../arguments.ts';
import { WrongUsage } from '../failures.ts';
import { frameText } from '../show/replay.ts';
import { writeExport } from '../write-export.ts';
import { type JsonOption, ServerCommand } from './writ-command.ts';

interface ReplayOptions extends JsonOption {
  readonly at?: string;
  readonly speed?: number;
  readonly all?: boolean;
  readonly to?: string;
}

/** A pause in a token's life is not waited out longer than this. */
const LONGEST_PAUSE_MS = 3_000;

@Command({
  name: 'replay',
  description:
    'Show what a token could do and had left, moment by moment, straight from the log; or write out all of it',
  arguments: '[id]',
  argsDescription: { id: 'the token’s id' },
})
export class ReplayCommand extends ServerCommand {
  protected readonly examples = [
    'writ replay 01J9ZK3V8Q6T4W2Y0B7D5F1G3H',
    'writ replay 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --at 2026-11-24T12:00:00Z',
    'writ replay 01J9ZK3V8Q6T4W2Y0B7D5F1G3H --speed 60',
    'writ replay --all --to history.jsonl',
  ];

  async run(params: string[], { at, speed, all, to, json }: ReplayOptions): Promise<void> {
    if (all === true || to !== undefined) {
      if (all !== true || to === undefined || params.length > 0 || at !== undefined || speed !== undefined)
        throw new WrongUsage('The whole history goes into a file: --all --to FILE, and nothing else.');
      return await writeExport(this.client, this.terminal, { to, query: {}, anew: false, json: json ?? false });
    }
    const path = `/api/v1/tokens/${parseTokenId(params[0] ?? '')}/replay`;
    let before: number | null = null;
    for await (const line of linesOf(this.client.download(path, { at }))) {
      const frame = JSON.parse(line) as Frame;
      const timeMs = Date.parse(frame.time);
      if (speed !== undefined && before !== null) {
        await sleep(Math.min(Math.max(0, timeMs - before) / speed, LONGEST_PAUSE_MS));
      }
      before = timeMs;
      this.terminal.line(json === true ? line : frameText(frame));
    }
  }

  @Option({ flags: '--at <time>', description: 'only this moment (RFC 3339)' })
  parseAt(text: string): string {
    return parseTime(text, this.terminal.now());
  }

  @Option({
    flags: '--all',
    description: 'the whole history, every event in order, into a file, as `writ audit export` does',
  })
  parseAll(): boolean {
    return true;
  }

  @Option({ flags: '--to <file>', description: 'the file for --all; run again, it goes on where it broke off' })
  parseTo(text: string): string {
    return text;
  }

  @Option({ flags: '--speed <n>', description: 'as it went, n times as fast; without it, all at once' })
  parseSpeed(text: string): number {
    return parseCount(text, '--speed');
  }
}

async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
