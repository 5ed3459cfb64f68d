import type { ASTNode } from '@marcbachmann/cel-js';
import { canonicalAddress, createNetworkTest, parseNetwork } from '../ip-address.ts';
import { IN_NETWORK, type NetworkTest } from './cel-environment.ts';

/** What one node holds: networks, or mistakes. */
interface AddressFinding {
  readonly offset: number;
  readonly mistake?: string;
  readonly network?: { readonly text: string; readonly test: NetworkTest };
}

/**
 * Checks the addresses in a node: `in_network()` needs a valid literal network, and a text that is compared
 * with `request.ip` must be an address in the canonical spelling.
 */
export function inspectAddresses(node: ASTNode): readonly AddressFinding[] {
  if (node.op === 'call') return node.args[0] === IN_NETWORK ? [inspectNetwork(node.args[1])] : [];
  if (node.op === '==' || node.op === '!=') {
    const [left, right] = node.args;
    if (isAddress(left)) return inspectLiterals([right]);
    return isAddress(right) ? inspectLiterals([left]) : [];
  }
  if (node.op !== 'in' || !isAddress(node.args[0])) return [];
  const [, among] = node.args;
  if (among.op === 'list') return inspectLiterals(among.args);
  return among.op === 'map' ? inspectLiterals(among.args.map(([key]) => key)) : [];
}

function inspectNetwork([, network]: readonly ASTNode[]): AddressFinding {
  const offset = network?.start ?? 0;
  if (network?.op !== 'value' || typeof network.args !== 'string')
    return {
      offset,
      mistake: `the network of ${IN_NETWORK}() must be a literal, so that it is compiled with the policy`,
    };
  const parsed = parseNetwork(network.args);
  if ('mistake' in parsed) return { offset, mistake: `"${network.args}" ${parsed.mistake}` };
  return { offset, network: { text: network.args, test: createNetworkTest([parsed]) } };
}

/** `request.ip` and `request["ip"]`. */
function isAddress(node: ASTNode): boolean {
  if (node.op !== '.' && node.op !== '[]') return false;
  const [object, key] = node.args;
  const name: unknown = typeof key === 'string' || key.op !== 'value' ? key : key.args;
  return object.op === 'id' && object.args === 'request' && name === 'ip';
}

function inspectLiterals(nodes: readonly ASTNode[]): readonly AddressFinding[] {
  return nodes.flatMap((node) => {
    if (node.op !== 'value' || typeof node.args !== 'string') return [];
    const canonical = canonicalAddress(node.args);
    if (canonical === node.args) return [];
    const mistake =
      canonical === null
        ? `request.ip is never "${node.args}": that is no address`
        : `request.ip is never "${node.args}": write "${canonical}"`;
    return [{ offset: node.start, mistake }];
  });
}
