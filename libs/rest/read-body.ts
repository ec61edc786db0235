import express, { type NextFunction, type Request, type Response } from 'express';
import { bodyTooLarge, malformed, type Problem } from '../problem/problem.ts';

const MOST_BODY_BYTES = 1024 * 1024;

/** A response whose request's body may have been unreadable; said once somebody asks for it. */
export type Answering = Response<unknown, { unreadable?: Problem }>;

const raw = express.raw({ type: () => true, limit: MOST_BODY_BYTES });

/** The bytes, bounded; what they mean is asked only once the call is paid for. */
export function readBody(request: Request, response: Answering, next: NextFunction): void {
  raw(request, response, (error?: unknown) => {
    if (error !== undefined) {
      // Not answered here: who asks comes first, and a refusal of a live token is recorded (P12).
      const tooLarge = (error as { readonly status?: number }).status === 413;
      response.locals.unreadable = tooLarge ? bodyTooLarge(MOST_BODY_BYTES) : malformed('The body could not be read.');
    }
    next();
  });
}
