// Products on Nest: a service, and the message that it answers where it is a microservice.
import { Controller, Inject, Injectable } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { findProducts, type Product } from '../work.js';
import { DATABASE, type Database } from './database.js';

@Injectable()
export class CatalogService {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  list(ids: readonly string[]): Promise<Product[]> {
    return findProducts(ids, this.database.pool);
  }
}

@Controller()
export class CatalogMessages {
  constructor(@Inject(CatalogService) private readonly catalog: CatalogService) {}

  @MessagePattern('catalog.list')
  list(@Payload() { ids }: { ids: string[] }): Promise<Product[]> {
    return this.catalog.list(ids);
  }
}
