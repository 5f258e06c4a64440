/** The reverse proxies whose X-Forwarded-* headers are believed. From anybody else such a header is a claim, not a fact. */
import { BlockList, isIP } from 'node:net';

const NAMED: Record<string, readonly string[]> = {
  loopback: ['127.0.0.0/8', '::1'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/** Tells whether the peer at an address is a trusted proxy. */
export type ProxyTrust = (address: string | undefined) => boolean;

/** Reads TRUST_PROXY: true for every peer, false for none, or addresses, subnets and named ranges with commas between. */
export function trustedProxies(setting: boolean | string): ProxyTrust {
  if (typeof setting === 'boolean') return () => setting;
  const trusted = new BlockList();
  for (const range of setting.split(',').flatMap((part) => NAMED[part.trim()] ?? [part.trim()])) {
    const [address, prefix] = range.split('/') as [string, string | undefined];
    if (prefix === undefined) trusted.addAddress(address, familyOf(address));
    else trusted.addSubnet(address, Number(prefix), familyOf(address));
  }
  return (peer) => {
    const address = peer?.replace(/%.*$/, ''); // An IPv6 zone names one of our own interfaces, not the peer.
    return address !== undefined && isIP(address) !== 0 && trusted.check(address, familyOf(address));
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
