/**
 * The whole server as it is built, from the same settings; its view holds MADE_TOKENS more tokens than its log, put
 * there directly.
 */
import type { serve as Serve } from '../../../apps/api/serve.ts';
import { createLogger } from '../../../libs/logging/logger.ts';
import { readSettings } from '../../../libs/settings/settings.ts';
import { tokenOf } from '../made-tokens.ts';

const TOKENS_A_PUT = 1_000;

// From the build: Node strips types but knows no decorators.
const built = new URL('../../../dist/apps/api/serve.js', import.meta.url).href;
const { serve } = (await import(built)) as { readonly serve: typeof Serve };

const { url, parts } = await serve(readSettings(process.env), createLogger());
const tokens = Number(process.env['MADE_TOKENS'] ?? '0');
for (let start = 0; start < tokens; start += TOKENS_A_PUT) {
  const length = Math.min(TOKENS_A_PUT, tokens - start);
  await parts.view.put(Array.from({ length }, (_, index) => tokenOf(start + index)));
}
console.log(`Bench listens on ${url}`);
