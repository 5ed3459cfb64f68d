/** The floor: node:http alone. Reads and parses the same body, and answers the body of a decision. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { announce } from '../child.ts';
import { portOf } from './port-of.ts';

const sample: unknown = JSON.parse(process.env['BENCH_ANSWER'] ?? '{}');

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const body = JSON.stringify(sample);
    response.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
announce(portOf(server));
