import type { RedisServer } from './redis-server.ts';
import { until } from './test-app.ts';

/** Resolves once one server follows another and has all that it has now. */
export async function untilFollowed(leading: RedisServer, following: RedisServer): Promise<void> {
  const { offset } = await replicationOf(leading);
  await until('the other one follows', async () => {
    const seen = await replicationOf(following);
    return seen.link === 'up' && seen.offset >= offset;
  });
}

/** Whether a server says that it is a master. */
export async function isMaster(server: RedisServer): Promise<boolean> {
  return (await server.command('ROLE')).includes('master');
}

async function replicationOf(server: RedisServer) {
  const text = await server.command('INFO replication');
  const field = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(text)?.[1];
  return { link: field('master_link_status'), offset: Number(field('master_repl_offset')) };
}
