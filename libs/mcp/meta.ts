import type { Conditions } from './exchange.ts';

/** Our members of `_meta`: what REST says in headers. */
export const META = {
  idempotencyKey: 'writ/idempotency-key',
  ifMatch: 'writ/if-match',
  logPosition: 'writ/log-position',
  requestId: 'writ/request-id',
  revision: 'writ/revision',
  problem: 'writ/problem',
} as const;

/** The conditions a request's `_meta` names; what is not text there is taken for none of ours. */
export function conditionsOf(meta: unknown): Conditions {
  if (typeof meta !== 'object' || meta === null) return {};
  const text = (name: string): string | undefined => {
    const value = (meta as Record<string, unknown>)[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    idempotencyKey: text(META.idempotencyKey),
    ifMatch: text(META.ifMatch),
    logPosition: text(META.logPosition),
  };
}
