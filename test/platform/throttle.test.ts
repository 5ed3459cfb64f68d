import t from 'tap';
import { createThrottle } from '../../src/platform/throttle.ts';

function openThrottle() {
  let nowMs = 0;
  const throttle = createThrottle(10_000, () => nowMs);
  return {
    throttle,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

t.test('is due at once, and then once in an interval with what was counted in between', async (t) => {
  const { throttle, pass } = openThrottle();
  t.equal(throttle.note('refused'), 1);
  t.same([throttle.note('refused'), throttle.note('refused', 5)], [0, 0]);
  pass(9_999);
  t.equal(throttle.note('refused'), 0);
  pass(1);
  t.equal(throttle.note('refused'), 8);
  t.equal(throttle.note('refused'), 0, 'the interval begins with each line');
});

t.test('counts each kind for itself', async (t) => {
  const { throttle } = openThrottle();
  t.equal(throttle.note('refused', 3), 3);
  t.equal(throttle.note('dropped', 2), 2);
  t.equal(throttle.note('refused'), 0);
});

t.test('gives what no line has told yet, once', async (t) => {
  const { throttle, pass } = openThrottle();
  throttle.note('refused');
  throttle.note('dropped');
  throttle.note('dropped', 4);
  pass(6_000);
  t.same([...throttle.takeRest()], [['dropped', 4]]);
  t.same([...throttle.takeRest()], []);
  pass(6_000);
  t.equal(throttle.note('dropped'), 0, 'the line of the rest counts as one');
  t.equal(throttle.note('refused'), 1);
});
