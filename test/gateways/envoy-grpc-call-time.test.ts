import t from 'tap';
import { toCallMsMax } from '../../src/gateways/envoy-grpc/entry-point.ts';

t.test('a call may last longer than the longest decision and the longest wait for its record', (t) => {
  const [deadlineMsMax, recordWaitMsMax] = [10_000, 10_000];
  t.ok(toCallMsMax(recordWaitMsMax) > deadlineMsMax + recordWaitMsMax);
  t.ok(toCallMsMax(0) > deadlineMsMax, 'without a record');
  t.end();
});
