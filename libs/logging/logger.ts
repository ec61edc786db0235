import { type LoggerService } from '@nestjs/common';
import pino, { type DestinationStream, type Logger } from 'pino';
import { TOKEN_SHAPE } from '../tokens/token-format.ts';

/** JSON lines; whatever is shaped like a token is taken out of every line, wherever it came from (P5). */
export function createLogger(destination: DestinationStream = process.stdout, level = 'info'): Logger {
  const redacting: DestinationStream = { write: (line) => destination.write(redact(line)) };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, redacting);
}

export const redact = (text: string): string => text.replaceAll(TOKEN_SHAPE, '[token]');

/** Nest's own log lines, through the same logger. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...more: unknown[]): void {
    this.#write('info', message, more);
  }
  warn(message: unknown, ...more: unknown[]): void {
    this.#write('warn', message, more);
  }
  debug(message: unknown, ...more: unknown[]): void {
    this.#write('debug', message, more);
  }
  verbose(message: unknown, ...more: unknown[]): void {
    this.#write('trace', message, more);
  }
  fatal(message: unknown, ...more: unknown[]): void {
    this.#write('fatal', message, more);
  }
  error(message: unknown, ...more: unknown[]): void {
    this.#write('error', message, more);
  }

  /** Nest passes the context last, and texts before it. */
  #write(level: 'info' | 'warn' | 'debug' | 'trace' | 'fatal' | 'error', message: unknown, more: unknown[]): void {
    const context = more.at(-1);
    const text = more
      .slice(0, -1)
      .filter((part) => part !== undefined)
      .map(String)
      .join(' ');
    if (typeof message !== 'object' || message === null) {
      this.logger[level]({ context }, [String(message), text].filter(Boolean).join(' '));
      return;
    }
    const { error, ...rest } = message as { readonly error?: unknown };
    this.logger[level]({ context, ...rest, ...(error === undefined ? {} : { err: error }) }, text);
  }
}
