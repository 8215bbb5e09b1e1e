// The work on Nest as one application: controllers call providers, as its guide has it. No transport is in between.
import { Controller, Get, Inject, Injectable, Module, Param } from '@nestjs/common';
import { findOrder, type Placed, place } from '../work.js';
import { CatalogService } from './catalog.js';
import { DATABASE, type Database, databaseAt } from './database.js';
import { UsersService } from './users.js';

@Injectable()
class OrdersService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(UsersService) private readonly users: UsersService,
    @Inject(CatalogService) private readonly catalog: CatalogService,
  ) {}

  async get(id: string): Promise<Placed> {
    const order = await findOrder(id, this.database.pool);
    const [user, products] = await Promise.all([
      this.users.get(order.userId),
      this.catalog.list(order.lines.map(({ productId }) => productId)),
    ]);
    return place(order, user, products);
  }
}

@Controller('api/orders')
class OrdersController {
  constructor(@Inject(OrdersService) private readonly orders: OrdersService) {}

  @Get(':id')
  get(@Param('id') id: string): Promise<Placed> {
    return this.orders.get(id);
  }
}

export function monolith(databaseUrl: string | undefined) {
  // A pool for each module, as when they are apart.
  @Module({ providers: [UsersService, databaseAt(databaseUrl)], exports: [UsersService] })
  class UsersModule {}

  @Module({ providers: [CatalogService, databaseAt(databaseUrl)], exports: [CatalogService] })
  class CatalogModule {}

  @Module({
    imports: [UsersModule, CatalogModule],
    controllers: [OrdersController],
    providers: [OrdersService, databaseAt(databaseUrl)],
  })
  class AppModule {}
  return AppModule;
}
