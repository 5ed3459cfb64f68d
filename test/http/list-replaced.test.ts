import t from 'tap';
import { createTestApp, KEYS } from '../support/test-app.ts';

t.test('a put by its hash alone answers what it replaced', async (t) => {
  const { app } = await createTestApp(t);
  const put = async (payload: object) => {
    const headers = { authorization: `Bearer ${KEYS.review}` };
    const answer = await app.server.inject({
      method: 'PUT',
      url: '/v1/lists/blocked/entries',
      headers,
      payload,
    });
    return answer.json<{ entry: { value: string; id: string }; replaced: boolean; former: object | null }>();
  };
  const first = await put({ device_id: 'active', note: 'first' });
  t.equal(first.former, null);
  const second = await put({ device_id: `#${first.entry.value}`, note: 'second' });
  t.match(second, { replaced: true, former: { id: first.entry.id, note: 'first' } });
});
