// The work on Nest as microservices over its TCP transport: a gateway, and orders that asks users and catalog.
import { Controller, Get, Inject, Module, Param } from '@nestjs/common';
import { ClientProxy, ClientsModule, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import { firstValueFrom, type Observable } from 'rxjs';
import { findOrder, type Placed, type Product, place, type User } from '../work.js';
import { CatalogMessages, CatalogService } from './catalog.js';
import { DATABASE, type Database, databaseAt } from './database.js';
import { UsersMessages, UsersService } from './users.js';

@Controller('api/orders')
class GatewayController {
  constructor(@Inject('orders') private readonly orders: ClientProxy) {}

  @Get(':id')
  get(@Param('id') id: string): Observable<Placed> {
    return this.orders.send('orders.get', { id });
  }
}

@Controller()
class OrdersMessages {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject('users') private readonly users: ClientProxy,
    @Inject('catalog') private readonly catalog: ClientProxy,
  ) {}

  @MessagePattern('orders.get')
  async get(@Payload() { id }: { id: string }): Promise<Placed> {
    const order = await findOrder(id, this.database.pool);
    const [user, products] = await Promise.all([
      firstValueFrom(this.users.send<User>('users.get', { id: order.userId })),
      firstValueFrom(
        this.catalog.send<Product[]>('catalog.list', {
          ids: order.lines.map(({ productId }) => productId),
        }),
      ),
    ]);
    return place(order, user, products);
  }
}

type Ports = Readonly<Record<string, number>>;

const clients = (ports: Ports, ...names: string[]) =>
  ClientsModule.register(
    names.map((name) => ({
      name,
      transport: Transport.TCP as const,
      options: { host: '127.0.0.1', port: ports[name]! },
    })),
  );

export function gateway(ports: Ports) {
  @Module({ imports: [clients(ports, 'orders')], controllers: [GatewayController] })
  class GatewayModule {}
  return GatewayModule;
}

export function microservice(name: string, ports: Ports, databaseUrl: string | undefined) {
  const database = databaseAt(databaseUrl);
  @Module({ controllers: [UsersMessages], providers: [UsersService, database] })
  class UsersModule {}

  @Module({ controllers: [CatalogMessages], providers: [CatalogService, database] })
  class CatalogModule {}

  @Module({
    imports: [clients(ports, 'users', 'catalog')],
    controllers: [OrdersMessages],
    providers: [database],
  })
  class OrdersModule {}
  return { users: UsersModule, catalog: CatalogModule, orders: OrdersModule }[name]!;
}
