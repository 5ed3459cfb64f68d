import t from 'tap';
import { findServiceLinks, withoutServiceLinks } from '../../src/config/service-links.ts';

const LINKS = {
  GRPC_SERVICE_HOST: '10.0.0.7',
  GRPC_SERVICE_PORT: '9090',
  GRPC_SERVICE_PORT_GRPC_WEB: '9091',
  GRPC_PORT: 'tcp://10.0.0.7:9090',
  GRPC_PORT_9090_TCP: 'tcp://10.0.0.7:9090',
  GRPC_PORT_9090_TCP_PROTO: 'tcp',
  GRPC_PORT_9090_TCP_PORT: '9090',
  GRPC_PORT_9090_TCP_ADDR: '10.0.0.7',
};

t.test('knows every variable of a linked service', (t) => {
  t.same([...findServiceLinks(LINKS)], Object.keys(LINKS));
  t.same(withoutServiceLinks({ ...LINKS, GRPC_KEY: 'x', PORT: '8080' }), { GRPC_KEY: 'x', PORT: '8080' });
  t.same([...findServiceLinks({ DNS_PORT: 'udp://[fd00::7]:53' })], ['DNS_PORT']);
  t.end();
});

t.test('leaves alone what an operator has set', (t) => {
  for (const env of [
    { GRPC_PORT: '9090' },
    { GRPC_PORT: '9090', GRPC_SERVICE_HOST: '10.0.0.7' },
    { DOCKER_HOST: 'tcp://10.0.0.7:2375' },
    { GRPC_PORT: 'http://10.0.0.7:9090' },
    { GRPC_PORT: undefined },
  ])
    t.same(withoutServiceLinks(env), env);
  t.end();
});
