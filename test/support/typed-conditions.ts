import fc from 'fast-check';

/**
 * Expressions of each type over the providers `a` and `b`: right and odd ones mixed, so that many are
 * refused.
 */
type Expressions = Record<'bool' | 'int' | 'double' | 'text' | 'list', string>;

const call = (...parts: (string | fc.Arbitrary<string>)[]) =>
  fc
    .tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part)))
    .map((all) => all.join(''));

const oneOf = (...some: fc.Arbitrary<string>[]): fc.Arbitrary<string> => fc.oneof(...some);

/** CEL conditions with conversions, arithmetic, indexes, literals of mixed types, ternaries and macros. */
export function anyConditions(): fc.Arbitrary<string> {
  return fc.letrec<Expressions>((tie) => {
    const [bool, int, double, text, list] = [
      tie('bool'),
      tie('int'),
      tie('double'),
      tie('text'),
      tie('list'),
    ];
    const any = oneOf(int, double, text, bool, list);
    const order = fc.constantFrom(' < ', ' == ', ' != ', ' >= ');
    return {
      bool: fc.oneof(
        { maxDepth: 4, depthIdentifier: 'typed' },
        fc.constantFrom('true', 'a.found', 'has(b.asn)', 'request.telemetry_id_present', 'telemetry.expired'),
        call('(', int, order, int, ')'),
        call('(', double, order, double, ')'),
        call('(', text, order, text, ')'),
        call('(', any, ' == ', any, ')'),
        call('(', bool, ' && ', bool, ')'),
        call('(', bool, ' || ', bool, ')'),
        call('!', bool),
        call('(', bool, ' ? ', bool, ' : ', bool, ')'),
        call('(', text, ' in ', list, ')'),
        call(list, '.exists(r, r == ', text, ')'),
        call(list, '.all(r, size(r) < ', int, ')'),
        call('bool(', text, ')'),
        call('(timestamp(', oneOf(int, text), ') > timestamp(0))'),
        call('(duration(', text, ') > duration("1s"))'),
        call('cel.bind(v, ', int, ', v == ', int, ')'),
        call(text, '.startsWith(', text, ')'),
      ),
      int: fc.oneof(
        { maxDepth: 4, depthIdentifier: 'typed' },
        fc.constantFrom('0', '1', '7', 'a.asn', 'b.asn', 'telemetry.uses', '9223372036854775807'),
        call('(', int, fc.constantFrom(' + ', ' - ', ' * ', ' / ', ' % '), int, ')'),
        call('int(', oneOf(text, double), ')'),
        call('size(', oneOf(text, list), ')'),
        call('[', any, ', ', any, '].size()'),
        call('{"x": ', int, ', "y": ', oneOf(int, text), '}.x'),
      ),
      double: fc.oneof(
        { maxDepth: 4, depthIdentifier: 'typed' },
        fc.constantFrom('0.0', '1.5', 'a.score'),
        call('double(', oneOf(int, text), ')'),
        call('(', double, ' / ', double, ')'),
      ),
      text: fc.oneof(
        { maxDepth: 4, depthIdentifier: 'typed' },
        fc.constantFrom('"X"', '"1"', '""', 'a.action', 'b.net.country', 'request.action', '"90s"', '"-"'),
        call('string(', int, ')'),
        call('(', text, ' + ', text, ')'),
        call(list, '[', int, ']'),
        call(text, '.substring(', int, ')'),
        call(text, '.split(', text, ')[', int, ']'),
      ),
      list: fc.oneof(
        { maxDepth: 4, depthIdentifier: 'typed' },
        fc.constantFrom('a.reasons', '["X"]', '[]', '["X", a.action]'),
        call('[', text, ', ', text, ']'),
        call(list, '.filter(f, f != ', text, ')'),
        call(list, '.map(m, m + ', text, ')'),
      ),
    };
  }).bool;
}
