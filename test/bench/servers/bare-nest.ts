import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

/** What is compared with: Nest on Express as it comes, one controller, answering one JSON body (from BODY). */
const body = JSON.parse(process.env['BODY'] ?? '{}') as object;

class MeController {
  me(): object {
    return body;
  }
}
// Node strips types but knows no decorators: applied by hand, they are the same functions.
const method = Object.getOwnPropertyDescriptor(MeController.prototype, 'me');
if (method === undefined) throw new Error('the controller has no method');
Get('me')(MeController.prototype, 'me', method);
Controller('api/v1')(MeController);

class AppModule {}
Module({ controllers: [MeController] })(AppModule);

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');
console.log(`Bench listens on ${await app.getUrl()}`);
