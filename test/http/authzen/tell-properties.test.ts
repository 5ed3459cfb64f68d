import t from 'tap';
import { tellProperties } from '../../../src/http/authzen/tell-properties.ts';

const of = (subject: Record<string, unknown>) =>
  tellProperties({ subject, resource: undefined, action: undefined });

t.test('each value is one text, with where it is from', async (t) => {
  t.strictSame(
    tellProperties({
      subject: { role: 'admin' },
      resource: { size: 3, tags: ['a', 'b'] },
      action: { soft: true },
    }),
    ['subject.role=admin', 'resource.size=3', 'resource.tags=a', 'resource.tags=b', 'action.soft=true'],
  );
  t.strictSame(of({ none: null, home: { country: 'DE' } }), ['subject.none=null', 'subject.home.country=DE']);
  t.strictSame(of({}), []);
});

t.test('the telemetry id is no property', async (t) => {
  t.strictSame(of({ telemetry_id: 'x', role: 'y' }), ['subject.role=y']);
});

t.test('all are unknown where one of them cannot be told', async (t) => {
  t.equal(of({ many: Array(65).fill(1) }), undefined);
  t.equal(of({ many: Array(64).fill(1) })?.length, 64);
  t.equal(of({ long: 'x'.repeat(244) }), undefined);
  t.equal(of({ long: 'x'.repeat(243) })?.length, 1);
  t.equal(of({ a: { b: { c: { d: { e: 1 } } } } }), undefined);
  t.strictSame(of({ a: { b: { c: { d: 1 } } } }), ['subject.a.b.c.d=1']);
});
