import t from 'tap';
import { createEventReader, type ServerEvent } from '../../../src/dashboard/page/event-reader.ts';

const STREAM =
  ': a comment\r\nid: 7\r\nevent: decision\r\ndata: {"a":\r\ndata: 1}\r\n\r\nid:8\nevent:heartbeat\ndata:{}\n\nretry: 5\nid: 9\n\ndata\n\nevent: lost';
const EXPECTED = [
  { id: '7', event: 'decision', data: '{"a":\n1}' },
  { id: '8', event: 'heartbeat', data: '{}' },
  { id: '9', event: 'message', data: '' },
];

t.test('reads the same events in whatever pieces they arrive', async (t) => {
  for (let size = 1; size <= STREAM.length; size += 1) {
    const events: ServerEvent[] = [];
    const read = createEventReader((event) => events.push(event));
    for (let start = 0; start < STREAM.length; start += size) read(STREAM.slice(start, start + size));
    t.strictSame(events, EXPECTED, `pieces of ${size}`);
  }
});
