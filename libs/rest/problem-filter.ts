import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { Response } from 'express';
import { internal, malformed, notFound, unavailable } from '../problem/problem.ts';
import { sendProblem } from './answer.ts';
import { newId } from '../ids/new-id.ts';

/** What happens outside of operations (unknown routes, health) is a problem, too. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger = new Logger(ProblemFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    if (response.headersSent) return;
    const requestId = newId();
    response.setHeader('X-Request-Id', requestId);
    const status = error instanceof HttpException ? error.getStatus() : 500;
    if (status === 404) return sendProblem(notFound('There is no such route.'), response);
    if (status === 503) return sendProblem(unavailable('Not ready.'), response);
    if (status < 500) return sendProblem(malformed('The request could not be read.'), response);
    this.#logger.error({ requestId, error }, 'request failed');
    return sendProblem(internal(requestId), response);
  }
}
