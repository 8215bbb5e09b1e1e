// Customers on Nest: a service, and the message that it answers where it is a microservice.
import { Controller, Inject, Injectable } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { findUser, type User } from '../work.js';
import { DATABASE, type Database } from './database.js';

@Injectable()
export class UsersService {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  get(id: string): Promise<User> {
    return findUser(id, this.database.pool);
  }
}

@Controller()
export class UsersMessages {
  constructor(@Inject(UsersService) private readonly users: UsersService) {}

  @MessagePattern('users.get')
  get(@Payload() { id }: { id: string }): Promise<User> {
    return this.users.get(id);
  }
}
