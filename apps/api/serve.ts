import type { INestApplicationContext, Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { SwaggerModule } from '@nestjs/swagger';
import type { Logger } from 'pino';
import { loadCatalogues } from '../../libs/catalogue/load-catalogues.ts';
import { NestLogger } from '../../libs/logging/logger.ts';
import { Operations } from '../../libs/operation/operations.ts';
import { openApiDocument } from '../../libs/rest/openapi.ts';
import { ProblemFilter } from '../../libs/rest/problem-filter.ts';
import type { Settings } from '../../libs/settings/settings.ts';
import { AppModule } from './app.module.ts';
import { compose, type Parts } from './compose.ts';

export interface Server {
  readonly url: string;
  readonly parts: Parts;
  /** What was put together; for tests. */
  readonly app: INestApplicationContext;
  close(): Promise<void>;
}

/**
 * The whole server, listening.
 * @param clock what routines are due by, Unix ms
 * @param products operations of further products, with what they need
 */
export async function serve(
  settings: Settings,
  logger: Logger,
  clock = Date.now,
  products: readonly Provider[] = [],
): Promise<Server> {
  const catalogues = loadCatalogues(settings.cataloguesFolder);
  const parts = await compose(settings, catalogues, logger);
  const module = AppModule.of(settings, parts, catalogues, clock, products);
  const app = await NestFactory.create<NestExpressApplication>(module, {
    bodyParser: false,
    logger: new NestLogger(logger),
  });
  app.disable('x-powered-by').set('etag', false).set('query parser', 'simple');
  app.useGlobalFilters(new ProblemFilter());
  const specs = app.get(Operations).all.map(({ spec }) => spec);
  SwaggerModule.setup('docs', app, openApiDocument(specs, settings.publicUrl), { jsonDocumentUrl: 'openapi.json' });
  await app.listen(settings.port, settings.host);
  const url = (await app.getUrl()).replace('[::1]', 'localhost');
  return {
    url,
    parts,
    app,
    async close() {
      await app.close();
      await parts.close();
    },
  };
}
