import type { EventRecord } from '../transparency/event-record.ts';
import { logsRequest } from './otlp.ts';
import { NotTaken, type Receiver, SILENT_MS, type Taken } from './receiver.ts';

export interface OtlpOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Names the log. */
  readonly logId: string;
}

const TOO_LARGE = 413;
/** Of an answer that says nothing worth more. */
const MOST_ANSWER_CHARACTERS = 64 * 1024;

/** OTLP/HTTP with JSON (opentelemetry.io/docs/specs/otlp). Anything but a whole 2xx answer is tried again, and told. */
export class OtlpReceiver implements Receiver {
  readonly #options: OtlpOptions;

  constructor(options: OtlpOptions) {
    this.#options = options;
  }

  async send(records: readonly EventRecord[], signal: AbortSignal): Promise<Taken> {
    const { url, headers, logId } = this.#options;
    const { status, text, retryAfter } = await this.#post(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'writ', ...headers },
      body: logsRequest(records, logId),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(SILENT_MS)]),
    });
    if (status === TOO_LARGE && records.length > 1) {
      const half = Math.ceil(records.length / 2);
      const first = await this.send(records.slice(0, half), signal);
      const second = await this.send(records.slice(half), signal);
      return { rejected: first.rejected + second.rejected };
    }
    if (status < 200 || status > 299) throw new NotTaken(`the receiver answered ${status}`, retryAfterMsOf(retryAfter));
    return { rejected: rejectedOf(text) };
  }

  async #post(url: string, request: RequestInit) {
    try {
      const response = await fetch(url, request);
      // Read to its end: half an answer is none.
      const text = await textOf(response);
      return { status: response.status, text, retryAfter: response.headers.get('retry-after') };
    } catch (error) {
      throw new NotTaken(`no answer from the receiver: ${reasonOf(error as Error)}`);
    }
  }
}

async function textOf({ body }: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const piece of body ?? []) {
    if (text.length < MOST_ANSWER_CHARACTERS) text += decoder.decode(piece, { stream: true });
  }
  return text;
}

const reasonOf = ({ cause, message }: Error): string =>
  cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : message;

/** RFC 9110 §10.2.3, in seconds or as a date. */
function retryAfterMsOf(text: string | null): number | null {
  if (text === null) return null;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}

/** "Partial Success": what is rejected must not be sent again. */
function rejectedOf(text: string): number {
  try {
    const { partialSuccess } = JSON.parse(text) as { partialSuccess?: { rejectedLogRecords?: string | number } };
    const rejected = Number(partialSuccess?.rejectedLogRecords ?? 0);
    return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0;
  } catch {
    // An empty body is a success, too, with some receivers.
    return 0;
  }
}
